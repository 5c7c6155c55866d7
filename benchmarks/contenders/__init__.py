"""One module for each contender: ``prepare(workload, precision, threads)`` returns a round to time."""
