"""``python -m benchmarks.against CHECKOUT``: this checkout against another one, in one alternating run.

Each is a process of its own that has warmed up; rounds go A B A B, and ratios are taken round by round, so
that a slow minute of the machine meets both. Another checkout may need another Python, which has its
dependencies: ``--python=PATH``.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import sys
from pathlib import Path

from benchmarks.__main__ import ROOT, Contender, processor_name
from benchmarks.workloads import WORKLOADS


def main() -> None:
    """Print the ratio of speeds for every workload: above 1 this checkout is the faster one."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.against", description=__doc__)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--workloads", default=",".join(WORKLOADS))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--rounds", type=int, default=9)
    given = parser.parse_args()
    print(f"{processor_name()}, {platform.machine()}; {given.threads} thread(s), {given.precision}")
    print("workload   images/s   other      ratio (median, min to max)")
    for workload in map(WORKLOADS.__getitem__, given.workloads.split(",")):
        settings = (workload.name, given.precision, given.threads)
        pair = [
            Contender("zoo", *settings, root=ROOT),
            Contender("zoo", *settings, root=given.checkout.resolve(), python=given.python),
        ]
        rounds = [[contender.round() for contender in pair] for _ in range(given.rounds)]
        for contender in pair:
            contender.stop()
        ratios = sorted(other / ours for ours, other in rounds)
        rates = [
            workload.rows * workload.epochs / statistics.median(seconds)
            for seconds in zip(*rounds, strict=True)
        ]
        print(
            f"{workload.name:<10} {rates[0]:>9,.0f} {rates[1]:>9,.0f}   {statistics.median(ratios):.3f} "
            f"({ratios[0]:.3f} to {ratios[-1]:.3f})",
            flush=True,
        )


if __name__ == "__main__":
    main()
