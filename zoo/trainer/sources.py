"""What a user may hand to `fit`, `evaluate` and `encode`, brought to one form."""

from __future__ import annotations

import itertools
import os
import reprlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.data.checks import Limits, check_numbers, read_array
from zoo.data.storage import MEMORY_LIMIT, SHUFFLED_LIMIT, Shuffled, bytes_in_memory
from zoo.trainer.forms import is_sparse

_IMAGE_KEYS = ("image", "images", "inputs", "x")
_LABEL_KEYS = ("label", "labels", "y")


def is_array(data: Any) -> bool:
    """Whether `data` has all its rows at hand, as an array or a tensor."""
    known = isinstance(data, np.ndarray | tf.Tensor | tf.Variable | list)
    return known or hasattr(data, "__array__") or is_sparse(data)


def array_of(data: Any) -> Any:
    """The inputs of a `zoo.data.Data` record, the x of an (x, y) pair of arrays, or `data` itself."""
    return columns_of(data)[0]


def columns_of(data: Any) -> tuple[Any, Any, Any]:
    """(x, y, weight) of a `zoo.data.Data` record or a tuple of arrays; (data, None, None) of all else."""
    if is_record(data):
        return data.inputs, None, None
    if isinstance(data, tuple) and data and is_array(data[0]):
        _refuse_longer(data)
        x, y, weight = (*data, None, None)[:3]
        return x, y, weight
    return data, None, None


def is_record(data: Any) -> bool:
    """Whether `data` is a `zoo.data.Data` record."""
    return hasattr(data, "inputs") and hasattr(data, "labels")


def checked(
    data: Any,
    event_shape: tuple[int, ...],
    name: str,
    limits: Limits = Limits(),  # noqa: B008, a tuple
    minimum: int = 1,
    part: str = "",
) -> np.ndarray:
    """`data` as an array of finite numbers of the model's shape.

    Arrays that are `large` are only looked at here; `reader` checks what it reads.

    Args:
        data: (rows, *event).
        event_shape: shape of one example.
        name: what an error calls the data.
        limits: where floats must lie.
        minimum: the smallest number of rows.
        part: see `zoo.data.checks.check_numbers`.

    Returns:
        (rows, *event_shape) uint8 or float32, `data` itself where nothing had to be converted.

    Raises:
        ValueError: for anything else, with what was expected and received.
    """
    array = read_array(data, name)
    if isinstance(data, np.ndarray) and large([data]):
        check_numbers(np.asarray(array[:2]), event_shape, name, limits)
        return array
    return check_numbers(array, event_shape, name, limits, minimum, part)


def large(arrays: Sequence[np.ndarray]) -> bool:
    """Whether arrays are read batch by batch from where they lie, and not held in memory as a whole.

    What counts are the bytes that they would take there.
    """
    sizes = [bytes_in_memory(a) for a in arrays]
    shuffled = [size for a, size in zip(arrays, sizes, strict=True) if isinstance(a, Shuffled)]
    return sum(sizes) > MEMORY_LIMIT or max(shuffled, default=0) > SHUFFLED_LIMIT


def batches_of(data: Any, name: str) -> Any:
    """`data` itself, a `tf.data.Dataset` or another thing that gives batches.

    Raises:
        ValueError: for what gives none.
    """
    if isinstance(data, str | bytes | dict | os.PathLike) or not hasattr(data, "__iter__"):
        raise ValueError(
            f"{name} must be an array of examples or a tf.data.Dataset of batches; received "
            f"{reprlib.repr(data)}. Read files and sets with zoo.data.load."
        )
    return data


def reader(
    array: np.ndarray, check: Callable[[np.ndarray, str], np.ndarray]
) -> Callable[[np.ndarray], np.ndarray]:
    """A function from rising row numbers to checked rows, which reads a mapped file without its mapping.

    Pages that a mapping has touched stay resident, by up to two megabytes for every piece that is read.

    Args:
        array: (rows, *event), in memory or mapped.
        check: from rows and what an error calls them to checked rows.

    Returns:
        The function.
    """
    start = _file_offset(array)

    def read(rows: np.ndarray) -> np.ndarray:
        chosen = array[rows] if start is None else _read_rows(array, start, rows)
        return check(chosen, f"rows {rows[0]} to {rows[-1]} of x")

    return read


def _read_rows(array: Any, start: int, rows: np.ndarray) -> np.ndarray:
    """Rows of the file that `array` maps, each run of neighbours in one piece."""
    chosen = np.empty((len(rows), *array.shape[1:]), array.dtype)
    edges = [0, *(np.flatnonzero(np.diff(rows) != 1) + 1), len(rows)]
    with Path(array.filename).open("rb", buffering=0) as file:
        for first, last in itertools.pairwise(edges):
            file.seek(start + int(rows[first]) * array[:1].nbytes)
            if file.readinto(chosen[first:last].data.cast("B")) != chosen[first:last].nbytes:
                raise ValueError(
                    f"{array.filename} ends before row {rows[last - 1]} of {len(array)}: it was cut short "
                    "after it was opened. Write it again."
                )
    return chosen


def _file_offset(array: Any) -> int | None:
    """The byte of its file at which `array` begins; None where it is not an unbroken part of one.

    A slice of a `np.memmap` keeps the attribute `offset` of the whole.
    """
    mapped = getattr(array, "filename", None) is not None and array.mode != "c"
    if not mapped or not array.flags.c_contiguous:
        return None
    whole = array
    while isinstance(whole.base, np.memmap):
        whole = whole.base
    return whole.offset + array.ctypes.data - whole.ctypes.data


def batch_columns(data: Any) -> tuple[Any, Any, Any]:
    """(x, y, weight) of one batch of a stream: x, (x,), (x, y), (x, y, weight), or a dict as TFDS gives it.

    Raises:
        ValueError: where the batch has no x.
    """
    if isinstance(data, dict):
        for key in _IMAGE_KEYS:
            if key in data:
                labels = [data[name] for name in _LABEL_KEYS if name in data]
                return data[key], labels[0] if labels else None, None
        raise ValueError(
            f"A batch that is a dict needs one of the keys {', '.join(_IMAGE_KEYS)}; received the keys "
            f"{', '.join(map(str, data))}. Map the data set to x or (x, y)."
        )
    if isinstance(data, tuple | list):
        _refuse_longer(data)
        x, y, weight = (*data, None, None)[:3]
        x, inner, _ = (x, None, None) if isinstance(x, list) else batch_columns(x)
        return x, inner if y is None else y, weight
    return data, None, None


def _refuse_longer(data: tuple | list) -> None:
    if len(data) > 3:
        raise ValueError(
            f"Expected x, (x, y) or (x, y, weight); received a tuple of {len(data)}. Give several conditions "
            "as a dict."
        )
