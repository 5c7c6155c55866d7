"""What a user may hand to `fit`, `evaluate` and `encode`, brought to one form."""

from __future__ import annotations

import itertools
import os
import re
import reprlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

# Arrays above this stay where they are and are read block by block; below, they are copied to the device.
MEMORY_LIMIT = 2 << 30
NO_WEIGHTS = "every example counts the same; repeat those that shall count more."
_IMAGE_KEYS = ("image", "images", "inputs", "x")
# What TensorFlow makes of the assertion in `_held_to`.
_OUTSIDE = re.compile(
    r"\[(?P<what>The values of .* reaches from)\] \[(?P<low>.*?)\] \[(?P<high>.*?)\]"
)


def is_array(data: Any) -> bool:
    """Whether `data` has all its rows at hand, as an array or a tensor."""
    return isinstance(data, np.ndarray | tf.Tensor | tf.Variable | list) or hasattr(
        data, "__array__"
    )


def array_of(data: Any) -> Any:
    """The inputs of a `zoo.data.Data` record, the x of an (x, y) pair of arrays, or `data` itself."""
    if hasattr(data, "inputs") and hasattr(data, "labels"):
        return data.inputs
    _refuse_weighted(data)
    if isinstance(data, tuple) and data and is_array(data[0]):
        return data[0]
    return data


def checked(
    data: Any,
    event_shape: tuple[int, ...],
    name: str,
    bounds: tuple[float, float] | None = None,
    minimum: int = 1,
) -> np.ndarray:
    """`data` as an array of finite numbers of the model's shape.

    Arrays above `MEMORY_LIMIT` are only looked at here; `reader` checks what it reads.

    Args:
        data: (rows, *event).
        event_shape: shape of one example.
        name: what an error calls the data.
        bounds: the range of the values, as in `zoo.data.check_inputs`.
        minimum: the smallest number of rows.

    Raises:
        ValueError: for anything else, with what was expected and received.
    """
    from zoo.data.checks import check_inputs

    if isinstance(data, np.ndarray) and data.nbytes > MEMORY_LIMIT:
        check_inputs(np.asarray(data[:2]), event_shape, name, bounds=bounds)
        return data
    return check_inputs(data, event_shape, name, bounds=bounds, minimum=minimum)


def batches_of(data: Any, name: str, bounds: tuple[float, float] | None = None) -> Any:
    """`data` itself, a `tf.data.Dataset` or another thing that gives batches.

    Floats of a `tf.data.Dataset` are held to `bounds` as they come; `plain_errors` says where they leave it.

    Raises:
        ValueError: for what gives none.
    """
    if isinstance(data, str | bytes | dict | os.PathLike) or not hasattr(data, "__iter__"):
        raise ValueError(
            f"{name} must be an array of examples or a tf.data.Dataset of batches; received "
            f"{reprlib.repr(data)}. Read files and sets with zoo.data.load."
        )
    if bounds is None or not isinstance(data, tf.data.Dataset):
        return data
    look = tf.autograph.experimental.do_not_convert(lambda *batch: _held_to(bounds, name, batch))
    return data.map(look)


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turns the error of a data set that leaves its bounds into a ValueError of one line."""
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        found = _OUTSIDE.search(error.message)
        if found is None:
            raise
        hint = "Rescale them (divide by 255 where they are bytes), or map them to uint8."
        if "nan" in found["low"]:
            hint = "Leave out what is no number."
        raise ValueError(f"{found['what']} {found['low']} to {found['high']}. {hint}") from None


def reader(
    array: np.ndarray, event_shape: tuple[int, ...], bounds: tuple[float, float] | None = None
) -> Callable[[np.ndarray], np.ndarray]:
    """A function from rising row numbers to checked rows, which reads a mapped file without its mapping.

    Pages that a mapping has touched stay resident, by up to two megabytes for every piece that is read.

    Arguments as in `checked`.
    """
    from zoo.data.checks import check_inputs

    start = _file_offset(array)

    def read(rows: np.ndarray) -> np.ndarray:
        chosen = array[rows] if start is None else _read_rows(array, start, rows)
        where = f"rows {rows[0]} to {rows[-1]} of x"
        return check_inputs(chosen, event_shape, where, bounds=bounds, minimum=1)

    return read


def _held_to(bounds: tuple[float, float], name: str, batch: tuple[Any, ...]) -> Any:
    """A batch, (x,) or (x, y), behind the check of its x."""
    inputs = batch_inputs(batch)
    whole = batch if len(batch) > 1 else batch[0]
    if not isinstance(inputs, tf.Tensor) or not inputs.dtype.is_floating:
        return whole
    low, high = tf.reduce_min(inputs), tf.reduce_max(inputs)
    inside = (low >= bounds[0]) & (high <= bounds[1])
    message = (
        f"The values of {name} must lie in [{bounds[0]:g}, {bounds[1]:g}]; a batch reaches from"
    )
    check = tf.debugging.Assert(inside | (tf.size(inputs) == 0), [message, low, high])
    with tf.control_dependencies([check]):
        return tf.nest.map_structure(tf.identity, whole)


def _read_rows(array: np.memmap, start: int, rows: np.ndarray) -> np.ndarray:
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


def _file_offset(array: np.ndarray) -> int | None:
    """The byte of its file at which `array` begins; None where it is no unbroken part of one.

    A slice of a `np.memmap` keeps the attribute `offset` of the whole.
    """
    mapped = getattr(array, "filename", None) is not None and array.mode != "c"
    if not mapped or not array.flags.c_contiguous:
        return None
    whole = array
    while isinstance(whole.base, np.memmap):
        whole = whole.base
    return whole.offset + array.ctypes.data - whole.ctypes.data


def batch_inputs(data: Any) -> tf.Tensor:
    """The pictures of one batch of a user's `tf.data`: x, (x, y), or a dict as TFDS gives it.

    Raises:
        ValueError: where the batch has none.
    """
    if isinstance(data, dict):
        for key in _IMAGE_KEYS:
            if key in data:
                return data[key]
        raise ValueError(
            f"A batch that is a dict needs one of the keys {', '.join(_IMAGE_KEYS)}; received the keys "
            f"{', '.join(map(str, data))}. Map the data set to x or (x, y)."
        )
    if isinstance(data, tuple | list):
        _refuse_weighted(data)
        return batch_inputs(data[0])
    return data


def _refuse_weighted(data: Any) -> None:
    """Keras takes the third of (x, y, w) for the weights of the examples."""
    if type(data) is tuple and len(data) > 2:
        raise ValueError(
            f"Expected x or (x, y); received a tuple of {len(data)}. Leave weights out: {NO_WEIGHTS}"
        )


def to_float(inputs: tf.Tensor, event_shape: tuple[int, ...]) -> tf.Tensor:
    """Inputs as float32 of the model's shape, uint8 scaled by 1/255.

    Args:
        inputs: (batch, *event) of uint8 or a floating type.
        event_shape: the model's.

    Returns:
        (batch, *event) float32.

    Raises:
        ValueError: for another shape or type.
    """
    inputs = tf.convert_to_tensor(inputs)
    if inputs.shape.rank is None:
        inputs = tf.ensure_shape(inputs, (None, *event_shape))
    if not inputs.shape[1:].is_compatible_with(event_shape) or inputs.shape.rank == 0:
        raise ValueError(
            f"Expected inputs of shape (batch, {', '.join(map(str, event_shape))}); received "
            f"{tuple(inputs.shape)}. Reshape the inputs, or create the model with this input_shape."
        )
    if inputs.dtype == tf.uint8:
        return tf.cast(inputs, tf.float32) * (1.0 / 255.0)
    if not inputs.dtype.is_floating:
        raise ValueError(
            f"Expected inputs of a floating type or uint8 (scaled by 1/255); received {inputs.dtype.name}."
        )
    return tf.cast(inputs, tf.float32)
