"""What a seed that was stopped goes on from: the checkpoints of its trainings."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import keras

from zoo.runs.resume import Resume

_EVERY_SECONDS = 60.0


class Unfinished:
    """The trainings of a seed, each with a folder of checkpoints, until the seed is through.

    A seed makes its models in the same order each time, so a training is known by its number. Those of a
    kept item are counted by themselves, since a later run finds the item and leaves them out.

    Args:
        folder: of the seed.

    Attributes:
        seconds: how long earlier runs took for what this one goes on from.
    """

    def __init__(self, folder: Path):
        self.seconds = 0.0
        self._place = folder
        self._begun: Counter[Path] = Counter()

    def next(self) -> Path:
        """The folder of the next training."""
        self._begun[self._place] += 1
        return self._place / f"training-{self._begun[self._place]}"

    @contextmanager
    def inside(self, item: str) -> Iterator[None]:
        """The block makes a kept item; it writes it too, so that its trainings are not needed after it."""
        outer, self._place = self._place, self._place / item
        try:
            yield
            shutil.rmtree(self._place, ignore_errors=True)
        finally:
            self._place = outer


_current: ContextVar[Unfinished | None] = ContextVar("unfinished", default=None)


@contextmanager
def going_on(folder: Path) -> Iterator[Unfinished]:
    """Let the trainings of a block go on where an earlier run of it was stopped.

    Args:
        folder: of their checkpoints, for all that the block depends on; it is deleted when the block is
            through.

    Yields:
        The trainings.
    """
    unfinished = Unfinished(folder)
    outer = _current.set(unfinished)
    try:
        yield unfinished
    finally:
        _current.reset(outer)
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def making(item: str) -> Iterator[None]:
    """The block makes and writes a kept item, see `Unfinished.inside`."""
    unfinished = _current.get()
    if unfinished is None:
        yield
        return
    with unfinished.inside(item):
        yield


@contextmanager
def at_once() -> Iterator[None]:
    """The trainings of the block are short and timed: they begin anew each time."""
    outer = _current.set(None)
    try:
        yield
    finally:
        _current.reset(outer)


def clock() -> float:
    """A time in seconds, of which only differences mean something: they count what earlier runs took."""
    unfinished = _current.get()
    return time.monotonic() + (0.0 if unfinished is None else unfinished.seconds)


def resumable(callbacks: list[keras.callbacks.Callback]) -> list[keras.callbacks.Callback]:
    """The callbacks of a training, and what lets it go on where an earlier run of the seed was stopped.

    The model has to be a zoo's, whose noise and order are those of its step counter.

    Args:
        callbacks: of `fit`.

    Returns:
        The callbacks of `fit`; the same outside a block of `going_on`.
    """
    unfinished = _current.get()
    if unfinished is None:
        return callbacks
    resume = Resume(unfinished.next(), _EVERY_SECONDS)
    return resume.among([*callbacks, _Clock(unfinished)])


class _Clock(keras.callbacks.Callback):
    """Remembers how long a training took, and says where it goes on."""

    params: dict[str, Any]

    def __init__(self, unfinished: Unfinished):
        super().__init__()
        self._unfinished = unfinished
        self._earlier = 0.0

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Start the clock."""
        self._begun = time.monotonic()
        self._told = False

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Say where it goes on."""
        if self._earlier and not self._told:
            print(f"  goes on at epoch {epoch + 1} of {self.params['epochs']}", flush=True)
        self._told = True

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        """Say that nothing was left to do."""
        if self._earlier and not self._told:
            print("  trained before", flush=True)

    def get_state(self) -> dict[str, float]:
        """For a checkpoint."""
        return {"seconds": self._earlier + time.monotonic() - self._begun}

    def set_state(self, state: Mapping[str, float]) -> None:
        """Of the checkpoint that the training goes on from."""
        self._earlier = state["seconds"]
        self._unfinished.seconds += self._earlier
