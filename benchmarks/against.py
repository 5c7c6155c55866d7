"""``python -m benchmarks.against CHECKOUT``: this checkout against another one, in one alternating run.

Each is a process of its own that has warmed up; rounds go A B A B, and ratios are taken round by round, so
that a slow minute of the machine meets both. Another checkout may need another Python, which has its
dependencies: ``--python=PATH``.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks.__main__ import ROOT, Contender, machine, processor_name
from benchmarks.page import write
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
    parser.add_argument(
        "--output", type=Path, help="a folder whose against.json and page get the results"
    )
    given = parser.parse_args()
    records = []
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
        records.append(
            {
                "workload": workload.name,
                "precision": given.precision,
                "threads": given.threads,
                "before": revision(given.checkout),
                "rates": rates,
                "ratios": [ratios[0], statistics.median(ratios), ratios[-1]],
                **machine(),
            }
        )
    if given.output:
        store(given.output, records)


def revision(checkout: Path) -> str:
    """The commit of a checkout, in short."""
    command = ["git", "-C", str(checkout), "rev-parse", "--short", "HEAD"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or checkout.name


def store(folder: Path, records: list[dict]) -> None:
    """Put the records in the place of earlier ones of the same work and revision, and write the page."""

    def key(record: dict) -> tuple:
        return tuple(record[name] for name in ("workload", "precision", "threads", "before"))

    path = folder / "against.json"
    earlier = json.loads(path.read_text()) if path.is_file() else []
    new = {key(record) for record in records}
    folder.mkdir(parents=True, exist_ok=True)
    kept = [record for record in earlier if key(record) not in new]
    path.write_text(json.dumps([*kept, *records], indent=1))
    write(folder)


if __name__ == "__main__":
    main()
