"""``python -m benchmarks.job``: seconds of the default job by stage, beside former revisions'; job.json.

Each run is `python launch.py` in an empty folder, from the start of the process to its end; rounds alternate
between the two checkouts. Another Python, such as one that has only what README's first command installs, is
given by ``--python=PATH``.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.__main__ import ROOT, machine
from benchmarks.against import revision
from benchmarks.page import write

# A line of the output -> the stage that it ends.
ENDS = {
    "examples to train": "imports and data",
    "epoch 60/60": "training",
    "export": "evaluation",
    "figures": "export",
    "in all": "figures and report",
}
LAST = "end of the process"


def stages(checkout: Path, python: str) -> dict[str, float]:
    """Seconds of each stage of one run."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONUNBUFFERED": "1"}
    found, ends = {}, dict(ENDS)
    with tempfile.TemporaryDirectory() as folder:
        before = time.perf_counter()
        process = subprocess.Popen(
            [python, str(checkout / "launch.py")], cwd=folder, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        for line in process.stdout or ():
            mark = next(iter(ends), None)
            if mark is not None and mark in line:
                now = time.perf_counter()
                found[ends.pop(mark)], before = now - before, now
        if process.wait() or ends:
            raise RuntimeError(f"{checkout} did not come to an end; missing: {', '.join(ends)}.")
        found[LAST] = time.perf_counter() - before
    return found


def main() -> None:
    """Measure, print a line a round, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.job", description=__doc__)
    parser.add_argument("checkouts", type=Path, nargs="*", help="of former revisions")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "results" / "benchmarks")
    given = parser.parse_args()
    paths = {"this": ROOT} | {revision(path): path.resolve() for path in given.checkouts}
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in paths}
    for path in paths.values():
        stages(path, given.python)  # compiles what Python keeps
    for _ in range(given.rounds):
        for name, path in paths.items():
            rounds[name].append(stages(path, given.python))
            print(f"{name:<10} {sum(rounds[name][-1].values()):.2f} s", flush=True)
    names = list(rounds["this"][0])
    medians = {
        name: {stage: statistics.median(each[stage] for each in found) for stage in names}
        | {"in all": statistics.median(sum(each.values()) for each in found)}
        for name, found in rounds.items()
    }
    record = {
        "command": " ".join(["python -m benchmarks.job", *(["CHECKOUT"] * len(given.checkouts))]),
        "rounds": given.rounds,
        **machine(),
        "medians": medians,
    }
    given.output.mkdir(parents=True, exist_ok=True)
    (given.output / "job.json").write_text(json.dumps(record, indent=1))
    write(given.output)


if __name__ == "__main__":
    main()
