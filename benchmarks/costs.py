"""``python -m benchmarks.costs``: what a run costs, by its size; writes docs/results/benchmarks/costs.*.

Time from the command to the first training step; seconds of a step against latents, hidden units and batch;
seconds of an epoch against rows; peak memory against the size of the data. Every point of memory and of the
start is a process of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.__main__ import ROOT, machine
from benchmarks.page import write

EVENT = (28, 28, 1)
BATCH = 128
LATENTS = (2, 8, 32, 128, 512)
HIDDEN = (50, 100, 200, 400, 800, 1600)
BATCHES = (8, 32, 128, 512, 2048)
ROWS = (2_000, 8_000, 32_000, 128_000)
GIBIBYTES = (0.25, 0.5, 1.0, 1.9, 3.0, 6.0)
STARTS = 5


def vae(latents: int = 20, hidden: int = 400):
    """The model that every point varies: 784-h-h-l-h-h-784, compiled."""
    import zoo

    model = zoo.create("vae", EVENT, latents=latents, hidden=(hidden, hidden), activation="relu")
    model.compile("adam")
    return model


def seconds_of_fit(model, rows: int, batch: int) -> float:
    """The median of three epochs, after one to warm up."""
    import numpy as np

    x = np.random.default_rng(0).integers(0, 256, (rows, *EVENT), np.uint8)
    found = []
    for _ in range(4):
        start = time.perf_counter()
        model.fit(x, batch_size=batch, verbose=0)
        found.append(time.perf_counter() - start)
    return statistics.median(found[1:])


def curves() -> dict[str, list[list[float]]]:
    """Name of the curve -> [[size, seconds]]."""
    rows = 6_400

    def step(batch: int = BATCH, **sizes: int) -> float:
        return seconds_of_fit(vae(**sizes), max(rows, 8 * batch), batch) / (
            max(rows, 8 * batch) // batch
        )

    return {
        "latents": [[n, step(latents=n)] for n in LATENTS],
        "hidden units": [[n, step(hidden=n)] for n in HIDDEN],
        "batch": [[n, step(batch=n)] for n in BATCHES],
        "rows": [[n, seconds_of_fit(vae(), n, BATCH)] for n in ROWS],
    }


def peak_memory(gibibytes: float, folder: str) -> float:
    """Peak resident memory in GiB of a process that trains on 20 blocks of a mapped file of that size."""
    import keras
    import numpy as np

    rows = int(gibibytes * 2**30) // 784
    path = Path(folder) / "data.npy"
    np.lib.format.open_memmap(path, "w+", np.uint8, (rows, *EVENT)).flush()
    x = np.load(path, mmap_mode="r")

    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch >= 20:
                raise StopIteration

    with contextlib.suppress(StopIteration):
        vae().fit(x, batch_size=BATCH, verbose=0, callbacks=[Stop()])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def first_step() -> None:
    """A user's script up to its first training step, on 60,000 digits' worth of numbers."""
    import keras
    import numpy as np

    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            print("first step", flush=True)
            os._exit(0)

    vae().fit(np.zeros((60_000, *EVENT), np.uint8), BATCH, callbacks=[Stop()], verbose=0)


def child(*arguments: str) -> str:
    """The last line that this module prints, called with the arguments in a new process."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.costs", *arguments],
        cwd=ROOT, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}, text=True, check=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return done.stdout.splitlines()[-1]


def draw(record: dict, path: Path) -> None:
    """The curves and the memory as one picture."""
    from matplotlib.ticker import NullFormatter, ScalarFormatter

    from zoo.visualization.drawing.style import panels, styled

    @styled
    def figure():
        found, axes = panels(5, 3, 2.4)
        for place, (name, points) in zip(axes, record["seconds"].items(), strict=False):
            sizes, seconds = zip(*points, strict=True)
            place.plot(sizes, [1e3 * s for s in seconds], "o-")
            what = "an epoch" if name == "rows" else "a step"
            place.set(xlabel=name, ylabel=f"milliseconds {what}", xscale="log")
            if max(seconds) < 10 * min(seconds):
                place.set(ylim=0)
            else:  # whole decades
                low, high = math.log10(1e3 * min(seconds)), math.log10(1e3 * max(seconds))
                place.set(yscale="log", ylim=(10 ** math.floor(low), 10 ** math.ceil(high)))
                place.yaxis.set_major_formatter(ScalarFormatter())
                place.yaxis.set_minor_formatter(NullFormatter())
            place.xaxis.set_minor_formatter(NullFormatter())
        sizes, peaks = zip(*record["peak_memory"], strict=True)
        axes[4].plot(sizes, peaks, "o-")
        axes[4].axvline(2, color="#999999", linewidth=1)
        axes[4].set(
            xlabel="data (GiB; grey: streamed from here)", ylabel="peak memory (GiB)", ylim=0
        )
        return found

    figure().savefig(path, dpi=150)


def main() -> None:
    """Measure everything, or what a child is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.costs", description=__doc__)
    parser.add_argument("--child", choices=("curves", "memory", "start"), help=argparse.SUPPRESS)
    parser.add_argument("--gibibytes", type=float, help=argparse.SUPPRESS)
    parser.add_argument("--output", default=str(ROOT / "docs" / "results" / "benchmarks"))
    arguments = parser.parse_args()
    if arguments.child == "curves":
        print(json.dumps(curves()))
    elif arguments.child == "memory":
        with tempfile.TemporaryDirectory() as folder:
            print(peak_memory(arguments.gibibytes, folder))
    elif arguments.child == "start":
        first_step()
    if arguments.child:
        return
    starts = []
    for _ in range(STARTS):
        begin = time.perf_counter()
        child("--child=start")
        starts.append(time.perf_counter() - begin)
    print(f"first training step after {statistics.median(starts):.1f} s", flush=True)
    memory = []
    for size in GIBIBYTES:
        memory.append([size, float(child("--child=memory", f"--gibibytes={size}"))])
        print(f"{size} GiB of data: peak {memory[-1][1]:.2f} GiB", flush=True)
    seconds = json.loads(child("--child=curves"))
    for name, points in seconds.items():
        print(name, ", ".join(f"{n:g}: {1e3 * s:.2f} ms" for n, s in points), flush=True)
    record = {
        "command": "python -m benchmarks.costs",
        **machine(),
        "first_step_seconds": starts,
        "peak_memory": memory,
        "seconds": seconds,
    }
    output = Path(arguments.output)
    output.mkdir(parents=True, exist_ok=True)
    (output / "costs.json").write_text(json.dumps(record, indent=1))
    draw(record, output / "costs.png")
    write(output)


if __name__ == "__main__":
    main()
