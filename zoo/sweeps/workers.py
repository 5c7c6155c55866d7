"""Runs in processes of their own: one that fails or is killed takes no other with it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from zoo.files import read_json
from zoo.runs.run_config import EVALUATIONS, RunConfig
from zoo.runs.run_folder import RunFolder

_PARENT = "ZOO_SWEEP"  # in the environment of a process: the sweep that it belongs to


class GivenUpError(Exception):
    """A point that is worse than the others were at this epoch."""


class Task(NamedTuple):
    """A run to train.

    Attributes:
        name: of the point, in words.
        config: of the run.
        folder: of the run.
    """

    name: str
    config: RunConfig
    folder: Path

    @property
    def title(self) -> str:
        """The run in words."""
        return f"{self.name}, seed {self.config.seed}"


def measured_less(folder: RunFolder, level: str) -> bool:
    """Whether a run is finished and was measured less than a level of `zoo.runs.run_config.EVALUATIONS`."""
    if level == "none" or not folder.finished or not folder.model.exists():
        return False
    there = read_json(folder.metrics, "The metrics").get("measured_on", {}).get("level")
    return there in EVALUATIONS and EVALUATIONS.index(there) < EVALUATIONS.index(level)


def workers(jobs: int) -> ProcessPoolExecutor:
    """Processes that share the cores evenly. They are spawned: TensorFlow does not survive a fork."""
    cores = max((os.cpu_count() or 1) // jobs, 1)
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(jobs, context, _begin, (cores, os.getpid()))


def refuse(pool: ProcessPoolExecutor, first: Callable[[], str]) -> None:
    """Raise ValueError for what a process of the pool finds wrong; it is kept for the first run."""
    if error := pool.submit(_quietly, first).result():
        raise ValueError(error)


def _quietly(first: Callable[[], str]) -> str:
    """What it returns; the runs print again what it prints."""
    with tempfile.TemporaryDirectory() as place, _printing_to(Path(place) / "first.log"):
        return first()


def train_one(
    task: Task, command: str = "", program: str = "latent-zoo", callbacks: Sequence[Any] = ()
) -> tuple[str, float]:
    """Train a run, or go on with it; one that is finished is measured again where it was measured less.

    Args:
        task: the run.
        command: the command line, which the run keeps.
        program: how it is started.
        callbacks: further ones, of Keras.

    Returns:
        What went wrong, "" for nothing, and the seconds that it took.
    """
    started = time.monotonic()
    with _printing_to(task.folder.with_suffix(".log")):
        import keras

        from zoo.runs.run import evaluate, train

        try:
            if measured_less(RunFolder(task.folder), task.config.evaluate):
                evaluate(task.folder, level=task.config.evaluate, program=program)
                return "", time.monotonic() - started
            outcome = train(
                task.config,
                task.folder,
                resume=True,
                command=command,
                program=program,
                callbacks=[_orphans(), *callbacks],
            )
            error = f"the term {outcome.bad_term!r} of the loss is not finite" * bool(
                outcome.bad_term
            )
        except GivenUpError:
            raise
        except (ValueError, ConnectionError, OSError) as problem:
            error = str(problem)
        # What a user's own part or TensorFlow raises ends this run alone.
        except Exception as problem:
            traceback.print_exc()
            first = str(problem).strip().partition("\n")[0]
            error = f"{type(problem).__name__}: {first} (see {task.folder.with_suffix('.log')})"
        keras.backend.clear_session()  # a process trains many
    return error, time.monotonic() - started


def _begin(cores: int, parent: int) -> None:
    """What a process does first."""
    os.environ.setdefault("ZOO_CORES", str(cores))
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ[_PARENT] = str(parent)


@contextlib.contextmanager
def _printing_to(path: Path) -> Iterator[None]:
    """All that the process prints goes to a file, TensorFlow's own messages too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = os.dup(1), os.dup(2)
    with path.open("a") as file:
        try:
            for number in (1, 2):
                os.dup2(file.fileno(), number)
            yield
        finally:
            for number, copy in zip((1, 2), kept, strict=True):
                sys.stdout.flush()
                sys.stderr.flush()
                os.dup2(copy, number)
                os.close(copy)


def _orphans() -> Any:
    """A callback that ends a process whose sweep was killed: it would train on, and hold its run's folder."""
    import keras

    class Orphans(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if _PARENT in os.environ and os.getppid() != int(os.environ[_PARENT]):
                signal.raise_signal(signal.SIGTERM)

    return Orphans()
