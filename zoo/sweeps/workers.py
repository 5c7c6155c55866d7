"""Runs in processes of their own: one that fails or is killed takes no other with it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, NamedTuple

from zoo.files import read_json
from zoo.runs.run_config import EVALUATIONS, RunConfig
from zoo.runs.run_folder import RunFolder
from zoo.values import positive_int

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


def train_all(
    tasks: Sequence[Task],
    jobs: int,
    say: Callable[[str], None],
    command: str = "",
    program: str = "latent-zoo",
) -> list[str]:
    """Train runs, several at once.

    Args:
        tasks: the runs.
        jobs: processes at once.
        say: called with a line for each run.
        command: the command line, which every run keeps.
        program: how it is started.

    Returns:
        What kept runs from their end, a line each.

    Raises:
        ValueError: for jobs below 1.
    """
    jobs = min(positive_int(jobs, "jobs"), max(len(tasks), 1))
    failed: list[str] = []
    if not tasks:
        return failed
    pool = workers(jobs)
    try:
        futures = {pool.submit(train_one, task, command, program): task for task in tasks}
        for number, future in enumerate(as_completed(futures), start=1):
            error, seconds = future.result()
            title = futures[future].title
            if error:
                failed.append(f"{title}: {error}")
            how = f"failed: {error}" if error else f"{seconds:.0f} s"
            say(f"[{number}/{len(tasks)}] {title}: {how}")
    except BrokenProcessPool:
        failed.append(
            "A process ended by itself, for want of memory perhaps. With fewer jobs at once the same sweep "
            "goes on where it stopped."
        )
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return failed


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
