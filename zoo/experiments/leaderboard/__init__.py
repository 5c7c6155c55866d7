"""Every model of the zoo side by side, on sets of several kinds."""
