"""One contender in a process of its own: prepares, then runs a round for each line it reads."""

from __future__ import annotations

import importlib
import os
import sys
import time

from benchmarks.workloads import WORKLOADS


def main(module: str, function: str, workload: str, precision: str, threads: str) -> None:
    """Print "ready <seconds to prepare and warm up>", then the seconds of each round asked for.

    On one thread they are processor time, which other work beside it changes least; on several, wall time.
    """
    gpu = os.environ.get("BENCHMARKS_DEVICE") == "gpu"
    clock = time.process_time if threads == "1" and not gpu else time.perf_counter
    start = time.perf_counter()
    prepare = getattr(importlib.import_module(f"benchmarks.contenders.{module}"), function)
    run = prepare(WORKLOADS[workload], precision, int(threads))
    run()
    print("ready", time.perf_counter() - start, flush=True)
    for _ in sys.stdin:
        start = clock()
        run()
        print("round", clock() - start, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
