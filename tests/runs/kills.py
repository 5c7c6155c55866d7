"""Kill a training run at random moments, start it again, and compare it with one that was never killed.

    python -m tests.runs.kills --kills=200                 model.fit with the zoo's callback
    python -m tests.runs.kills --kills=200 --what=critic   the same with a critic
    python -m tests.runs.kills --kills=50 --what=launch    launch.py with --resume, figures and all

Every run is a fork of this process, which has imported TensorFlow but not started it: that takes no time.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

import launch
import zoo
from zoo.recipes import WarmUp
from zoo.runs import HistoryFile, Resume
from zoo.trainer.nonfinite import state_variables

EPOCHS = 30


def fit(folder: Path, critic: bool = False) -> None:
    """A run with noise, a schedule and callbacks that remember; the end state goes to a file."""
    x = np.random.default_rng(0).uniform(size=(240, 6)).astype("float32")
    keras.utils.set_random_seed(0)
    model = zoo.create(
        "laplace_vae",
        (6,),
        latents=3,
        hidden=(16,),
        beta=WarmUp(1.0, 100),
        regularizers=["total_correlation"] if critic else [],
        seed=3,
    )
    model.compile("adam", jit_compile=False)
    callbacks = [
        keras.callbacks.EarlyStopping(patience=8, restore_best_weights=True),
        keras.callbacks.ReduceLROnPlateau(patience=2, factor=0.5),
        keras.callbacks.CSVLogger(folder / "log.csv"),
        HistoryFile(folder / "history.csv"),
    ]
    history = model.fit(
        x,
        epochs=EPOCHS,
        batch_size=16,
        verbose=0,
        validation_data=x[:60],
        callbacks=Resume(folder / "checkpoint").among(callbacks),
    )
    state = {f"variable {i}": v.numpy() for i, v in enumerate(state_variables(model))}
    state |= {f"history {name}": np.array(values) for name, values in history.history.items()}
    state |= {f"metric {k}": v for k, v in model.evaluate(x, verbose=0, return_dict=True).items()}
    state["epochs"] = np.array(history.epoch)
    np.savez(folder / "end.npz", **state)


def command(folder: Path) -> None:
    """The command line, with few digits and a small model."""
    small = ("--set", "hidden=12", "--limit=120", "--batch_size=20", "--epochs=40")
    words = ["launch.py", "train", *small, f"--run_dir={folder / 'run'}", "--resume"]
    sys.stdout = (folder / "output").open("a")
    if launch.main(words):
        raise SystemExit(1)
    model = keras.saving.load_model(folder / "run" / "model.keras")
    np.savez(folder / "end.npz", *[variable.numpy() for variable in state_variables(model)])


WHAT: dict[str, tuple[Callable[[Path], None], tuple[str, ...]]] = {
    "fit": (fit, ("log.csv", "history.csv")),
    "critic": (lambda folder: fit(folder, True), ("log.csv", "history.csv")),
    "launch": (command, ("run/history.csv", "run/metrics.json", "run/figures/*.png")),
}


def start(folder: Path, run: Callable[[Path], None]) -> int:
    """Fork a run; the number of its process."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        run(folder)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def ended(child: int) -> bool:
    """Whether the run came to its end by itself, without an error."""
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise SystemExit("The run failed.")
    return os.WIFEXITED(status)


def same(first: Path, second: Path, patterns: tuple[str, ...]) -> list[str]:
    """Names of what differs between two ends, bit for bit, and between the files they left."""
    with np.load(first / "end.npz") as a, np.load(second / "end.npz") as b:
        names = sorted({*a.files, *b.files})
        differing = [n for n in names if n not in a or n not in b or not np.array_equal(a[n], b[n])]
    for folder in (first, second):
        for path in (path for pattern in patterns for path in folder.glob(pattern)):
            name = path.relative_to(folder)
            pair = (first / name, second / name)
            if not all(p.exists() for p in pair) or pair[0].read_bytes() != pair[1].read_bytes():
                differing.append(str(name))
    return differing


def main() -> int:
    """Kill so many times, in as many runs as that takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--what", choices=sorted(WHAT), default="fit")
    arguments = parser.parse_args()
    run, patterns = WHAT[arguments.what]
    moments = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as scratch:
        reference = Path(scratch) / "reference"
        reference.mkdir()
        began = time.monotonic()
        ended(start(reference, run))
        whole = time.monotonic() - began
        kills = runs = 0
        while kills < arguments.kills:
            folder = Path(scratch) / str(runs)
            folder.mkdir()
            while True:
                child = start(folder, run)
                if kills < arguments.kills:
                    time.sleep(moments.uniform(0, whole))
                    os.kill(child, signal.SIGKILL)
                if ended(child):
                    break
                kills += 1
            runs += 1
            differing = same(reference, folder, patterns)
            if differing:
                print(f"After {kills} kills these differ: {', '.join(differing)}")
                return 1
    print(f"{kills} kills in {runs} runs: every end equal bit for bit; a run takes {whole:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
