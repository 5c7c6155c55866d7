"""``python -m benchmarks.memory``: peak memory of a `fit` against the bytes of x; writes memory.json.

Every point is a process of its own, x and TensorFlow included. What there is for each byte of x is the slope
between the smallest and the largest x: what the model and TensorFlow take is the same for both.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

from benchmarks.__main__ import ROOT, machine
from benchmarks.page import write

FORMS = ("float32", "uint8", "float64", "a mapped file")
MEBIBYTES = (128, 512)
WIDTH = 2048


def peak(form: str, mebibytes: int, folder: str) -> float:
    """MiB at the peak of one epoch of an autoencoder of 2048-8-2, in this process."""
    import numpy as np

    import zoo

    kind = np.dtype("float32" if form == "a mapped file" else form)
    rows = (mebibytes << 20) // (WIDTH * kind.itemsize)
    if form == "a mapped file":
        path = Path(folder) / "x.npy"
        x = np.lib.format.open_memmap(path, mode="w+", dtype=kind, shape=(rows, WIDTH))
    else:
        x = np.empty((rows, WIDTH), kind)
    for first in range(0, rows, 4096):  # nothing of the size of x is there beside it
        x[first : first + 4096] = np.arange(WIDTH) % 2
    if form == "a mapped file":
        del x
        x = np.load(path, mmap_mode="r")
    model = zoo.create("autoencoder", (WIDTH,), latents=2, hidden=(8,))
    model.compile("adam")
    model.fit(x, batch_size=512, verbose=0)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Measure every form and size, or the one that a child is asked for."""
    import tempfile

    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--forms", nargs="+", default=FORMS, choices=FORMS)
    parser.add_argument("--mebibytes", type=int, nargs="+", default=MEBIBYTES)
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "results" / "benchmarks")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        with tempfile.TemporaryDirectory() as folder:
            print(peak(given.forms[0], given.mebibytes[0], folder))
        return
    results = {}
    for form in given.forms:
        points = []
        for size in given.mebibytes:
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.memory", "--child", "--forms", form,
                 "--mebibytes", str(size)],
                cwd=ROOT, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}, text=True, check=True,
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            points.append([size, float(done.stdout.splitlines()[-1])])
        (small, low), (large, high) = points[0], points[-1]
        results[form] = {"peaks": points, "slope": (high - low) / (large - small)}
        print(form, results[form], flush=True)
    record = {"command": "python -m benchmarks.memory", **machine(), "results": results}
    given.output.mkdir(parents=True, exist_ok=True)
    (given.output / "memory.json").write_text(json.dumps(record, indent=1))
    write(given.output)


if __name__ == "__main__":
    main()
