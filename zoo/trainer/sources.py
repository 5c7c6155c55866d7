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

from zoo.data.storage import MEMORY_LIMIT

_IMAGE_KEYS = ("image", "images", "inputs", "x")
_LABEL_KEYS = ("label", "labels", "y")
# What TensorFlow makes of the assertion in `held`.
_REFUSED = re.compile(
    r"\[zoo (?P<door>training|evaluation):\] \[(?P<what>.*?)\] \[(?P<low>[^]]*)\] \[(?P<high>[^]]*)\]"
)


def is_array(data: Any) -> bool:
    """Whether `data` has all its rows at hand, as an array or a tensor."""
    return isinstance(data, np.ndarray | tf.Tensor | tf.Variable | list) or hasattr(
        data, "__array__"
    )


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

    Returns:
        (rows, *event_shape) uint8 or float32, `data` itself where nothing had to be converted.

    Raises:
        ValueError: for anything else, with what was expected and received.
    """
    from zoo.data.checks import check_inputs

    if isinstance(data, np.ndarray) and data.nbytes > MEMORY_LIMIT:
        check_inputs(np.asarray(data[:2]), event_shape, name, bounds=bounds)
        return data
    return check_inputs(data, event_shape, name, bounds=bounds, minimum=minimum)


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


@contextmanager
def plain_errors(training: str = "x", evaluation: str = "x") -> Iterator[None]:
    """Turns the error of a check within the graph into a ValueError of one line.

    Args:
        training: what the data of training steps are called.
        evaluation: what the data of evaluation steps are called.

    Raises:
        ValueError: with the message of the check that failed.
    """
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        found = _REFUSED.search(error.message)
        if found is None:
            raise
        name = training if found["door"] == "training" else evaluation
        low, high = found["low"], found["high"]
        message = found["what"].replace("{x}", name)
        if "reaches from" in message:
            hint = "Rescale them (divide by 255 where they are bytes), or map them to uint8."
            if not (_is_finite(low) and _is_finite(high)):
                hint = "Leave out what is not a number."
            message = f"{message} {low} to {high}. {hint}"
        raise ValueError(message) from None


def _is_finite(text: str) -> bool:
    return not any(word in text for word in ("nan", "inf"))


def held(door: str, condition: tf.Tensor, message: str, low: Any = 0.0, high: Any = 0.0) -> Any:
    """An assertion that `plain_errors` turns into its message, where `{x}` is the name of the data.

    Args:
        door: "training" or "evaluation".
        condition: scalar bool.
        message: what to say; one that ends with "reaches from" is followed by `low` and `high`.
        low: scalar.
        high: scalar.

    Returns:
        The operation.
    """
    low, high = (tf.cast(value, tf.float32) for value in (low, high))
    return tf.debugging.Assert(condition, [f"zoo {door}:", message, low, high])


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
        x, inner, _ = batch_columns(x)
        return x, inner if y is None else y, weight
    return data, None, None


def _refuse_longer(data: tuple | list) -> None:
    if len(data) > 3:
        raise ValueError(
            f"Expected x, (x, y) or (x, y, weight); received a tuple of {len(data)}. Give several conditions "
            "as a dict."
        )


def to_float(inputs: Any, event_shape: tuple[int, ...]) -> tf.Tensor:
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
    if inputs.dtype != tf.bool and not inputs.dtype.is_floating:
        raise ValueError(
            f"Expected inputs of a floating type or uint8 (scaled by 1/255); received {inputs.dtype.name}."
        )
    return tf.cast(inputs, tf.float32)
