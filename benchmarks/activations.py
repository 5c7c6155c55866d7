"""``python -m benchmarks.activations``: what recorded activations cost; writes activations.json.

Peak memory of recording, of a pass of training and of an evaluation, each a process of its own, against the
size of the folder, mapped pages included; that a recording that was killed is the same when it has gone on;
and what it costs to train on shuffled rows from the disk, against the same rows in memory in their order. A
step there is that of a dictionary of 3,072 top-k units for 384 dimensions, batch 1024.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.__main__ import ROOT, machine
from benchmarks.page import write

WIDTH, PLACES, UNITS, BATCH = 384, 64, 3072, 1024
GIBIBYTES = (0.25, 2.0)
COST_ROWS, ROUNDS = 61_440, 3


class Layer:
    """A function from examples to (batch, 64, 384) activations: a ReLU of a random projection."""

    def __init__(self, slowly: bool = False):
        self.kernel = np.random.default_rng(0).normal(size=(16, PLACES * WIDTH)).astype("float32")
        self.slowly = slowly

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """The activations of a batch."""
        if self.slowly:
            time.sleep(0.02)  # so that a kill meets it at work
        return np.maximum(x @ self.kernel / 4, 0).reshape(len(x), PLACES, WIDTH)


def examples(gibibytes: float) -> np.ndarray:
    """(n, 16) inputs whose activations take so much as float16."""
    n = round(gibibytes * 2**30 / (2 * PLACES * WIDTH))
    return np.random.default_rng(1).normal(size=(n, 16)).astype("float32")


def dictionary(units: int):
    """A compiled top-k dictionary."""
    import zoo

    model = zoo.create("top_k_sae", (WIDTH,), latents=units, target_l0=32)
    model.compile(zoo.trainer.Adam(1e-3))
    return model


def record(folder: str, gibibytes: float, slowly: bool = False) -> None:
    """Record the activations to a folder."""
    from zoo.data import activations

    activations.record(Layer(slowly), None, examples(gibibytes), folder, verbose=False)


def train(folder: str) -> None:
    """A pass over the folder."""
    from zoo.data import activations

    dictionary(256).fit(activations.load(folder), batch_size=BATCH, verbose=0)


def evaluate(folder: str) -> None:
    """The group of dictionaries over the folder, after some steps of training."""
    from zoo.data import activations
    from zoo.evaluation.dictionary import tally

    rows = activations.load(folder).inputs
    model = dictionary(256)
    model.fit(rows[: 20 * BATCH], batch_size=BATCH, verbose=0)
    tally(model, rows, batch_size=4096).scores(bootstrap=100)


def cost(folder: str) -> dict[str, list[float]]:
    """Processor seconds of passes over the same rows, in turn: streamed, and in memory in their order."""
    from zoo.data import activations

    streamed = activations.load(folder).inputs[:COST_ROWS]
    kept = np.array(streamed, np.float32)
    found: dict[str, list[float]] = {"shuffled from the disk": [], "in order from memory": []}
    models = [dictionary(UNITS) for _ in found]
    given: list[Any] = [streamed, kept]
    for turn in range(ROUNDS + 1):
        for name, model, x in zip(found, models, given, strict=True):
            begin = time.process_time()
            model.fit(x, batch_size=BATCH, shuffle=x is streamed, verbose=0)
            found[name] += [time.process_time() - begin] if turn else []
    return found


def child(task: str, folder: str, *arguments: str) -> str:
    """The last line that this module prints, called with a task in a new process."""
    done = subprocess.run(command(task, folder, *arguments), **options(), check=True)
    return done.stdout.splitlines()[-1]


def command(task: str, folder: str, *arguments: str) -> list[str]:
    """The command of a child."""
    return [sys.executable, "-m", "benchmarks.activations", f"--task={task}", folder, *arguments]


def options() -> dict[str, Any]:
    """How a child runs."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    return {"cwd": ROOT, "env": environment, "text": True, "stdout": subprocess.PIPE}


def killed_and_whole(folder: Path) -> bool:
    """Whether a recording that is killed twice ends as one that is not."""
    whole, killed = folder / "whole", folder / "killed"
    record(str(whole), GIBIBYTES[0])
    for _ in range(2):
        process = subprocess.Popen(
            command("record", str(killed), f"--gibibytes={GIBIBYTES[0]}", "--slowly"), **options()
        )
        state = killed / "parts" / "state.json"
        before = state.read_bytes() if state.exists() else b""
        while process.poll() is None and (not state.exists() or state.read_bytes() == before):
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        if process.wait() != -signal.SIGKILL:
            raise RuntimeError("The recording ended before it was killed.")
    record(str(killed), GIBIBYTES[0])
    names = ("activations.npy", "examples.npy", "meta.json")
    return all((whole / name).read_bytes() == (killed / name).read_bytes() for name in names)


def main() -> None:
    """Measure everything, or what a child is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.activations", description=__doc__)
    parser.add_argument(
        "--task", choices=("record", "train", "evaluate", "cost"), help=argparse.SUPPRESS
    )
    parser.add_argument("folder", nargs="?", help="of large files; a temporary one where left out")
    parser.add_argument("--gibibytes", type=float, help=argparse.SUPPRESS)
    parser.add_argument("--slowly", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--output", default=str(ROOT / "docs" / "results" / "benchmarks"))
    given = parser.parse_args()
    if given.task == "cost":
        print(json.dumps(cost(given.folder)))
    elif given.task:
        if given.task == "record":
            record(given.folder, given.gibibytes, given.slowly)
        else:
            {"train": train, "evaluate": evaluate}[given.task](given.folder)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)
    if given.task:
        return
    peaks = []
    with tempfile.TemporaryDirectory(dir=given.folder) as temporary:
        for size in GIBIBYTES:
            folder = str(Path(temporary) / f"{size}")
            found = {"gibibytes": size, "record": 0.0, "train": 0.0, "evaluate": 0.0}
            for task in ("record", "train", "evaluate"):
                extra = [f"--gibibytes={size}"] if task == "record" else []
                found[task] = float(child(task, folder, *extra))
            peaks.append(found)
            print(found, flush=True)
        same = killed_and_whole(Path(temporary))
        print("killed twice and gone on with: the same", same, flush=True)
        seconds = json.loads(child("cost", str(Path(temporary) / f"{GIBIBYTES[0]}")))
    streamed, kept = seconds.values()
    ratio = statistics.median(a / b for a, b in zip(streamed, kept, strict=True))
    print(f"shuffled from the disk / in order from memory: {ratio:.3f}", flush=True)
    record_of_all = {
        "command": "python -m benchmarks.activations",
        **machine(),
        "peak_memory": peaks,
        "killed_and_whole": same,
        "processor_seconds": seconds,
        "ratio": ratio,
    }
    output = Path(given.output)
    output.mkdir(parents=True, exist_ok=True)
    (output / "activations.json").write_text(json.dumps(record_of_all, indent=1))
    write(output)


if __name__ == "__main__":
    main()
