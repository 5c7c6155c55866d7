"""What a long experiment goes on from and experiments share: trained models, and how long each took."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import keras
import numpy as np

from zoo.autoencoder import Autoencoder
from zoo.experiments.unfinished import clock, making
from zoo.files import read_json, replacing, write_json
from zoo.runs.artefacts import load_model
from zoo.runs.checkpoints import Checkpoint, read, write

Item = TypeVar("Item")
# Of each item's name, the seconds that it took by itself; None where nobody measured them.
Seconds = dict[str, float | None]


class Shelf(NamedTuple):
    """What a block of code took from the shelf, and what it put there."""

    found: Seconds
    made: Seconds

    @property
    def earlier(self) -> Seconds:
        """What the block would have had to make itself, had it not been there."""
        return {name: took for name, took in self.found.items() if name not in self.made}


_shelf: ContextVar[Shelf | None] = ContextVar("shelf", default=None)


@contextmanager
def watched() -> Iterator[Shelf]:
    """Collect what the block takes from the shelf and puts there.

    Yields:
        Names and seconds, which grow as the block goes on.

    Example:
        >>> from zoo.experiments.shelf import watched
        >>> with watched() as shelf:
        ...     pass  # calls of kept
        >>> shelf.earlier
        {}
    """
    shelf = Shelf({}, {})
    outer = _shelf.set(shelf)
    try:
        yield shelf
    finally:
        _shelf.reset(outer)


def kept(
    folder: str | os.PathLike[str] | None, name: str, make: Callable[[], Autoencoder]
) -> Autoencoder:
    """The model of a name from a folder, trained and put there first where it is missing.

    Args:
        folder: where models are kept, or None to train it anyway.
        name: says all that the model depends on but the number types, which are added to it.
        make: trains the model.

    Returns:
        The model.
    """
    if folder is None:
        return make()
    return kept_item(_path(folder, name, ".keras"), load_model, make, Autoencoder.save)


def kept_arrays(
    folder: str | os.PathLike[str] | None, name: str, make: Callable[[], Mapping[str, Any]]
) -> Mapping[str, Any]:
    """`kept` of named arrays, such as the names that teachers give to examples."""
    if folder is None:
        return make()
    return kept_item(_path(folder, name, ".npz"), _arrays, make, _save_arrays)


def _path(folder: str | os.PathLike[str], name: str, suffix: str) -> Path:
    return Path(folder) / f"{name}-{keras.config.dtype_policy().name}{suffix}"


def _arrays(path: Path) -> dict[str, np.ndarray]:
    return dict(read(path).arrays)


def _save_arrays(arrays: Mapping[str, Any], path: Path) -> None:
    with path.open("wb") as file:
        write(file, Checkpoint({name: np.asarray(value) for name, value in arrays.items()}, {}))


def kept_item(
    path: Path,
    load: Callable[[Path], Item],
    make: Callable[[], Item],
    save: Callable[[Item, Path], object],
) -> Item:
    """What a file holds, made and written first where it is missing or damaged.

    How long it took is written beside it, and what it was made of that was there before, for `watched`.

    Args:
        path: of the file.
        load: reads it; a ValueError says that it is damaged.
        make: what it is to hold.
        save: writes that to a path.

    Returns:
        What it holds.
    """
    note = path.with_suffix(".seconds.json")
    if path.exists():
        try:
            item = load(path)
        except ValueError as error:
            print(f"  {error} Making it again.", flush=True)
        else:
            print(f"  made before: {path}", flush=True)
            shelf = _shelf.get()
            if shelf is not None:
                shelf.found.update(_noted(note, path.stem))
            return item
    note.unlink(missing_ok=True)  # what it says is about the damaged one
    started = clock()
    with making(path.stem):
        with watched() as inner:
            item = make()
        took = clock() - started - sum(filter(None, inner.made.values()))
        with replacing(path) as temporary:
            save(item, temporary)
    own = {path.stem: round(took, 1)}
    write_json(note, {**inner.found, **inner.made, **own})
    shelf = _shelf.get()
    if shelf is not None:
        shelf.found.update(inner.found)
        shelf.made.update(inner.made | own)
    return item


def _noted(note: Path, name: str) -> Seconds:
    """The seconds of an item and of all that it was made of."""
    if not note.exists():  # of an earlier version, or a kill came before it was written
        return {name: None}
    return {name: None, **read_json(note, "seconds")}
