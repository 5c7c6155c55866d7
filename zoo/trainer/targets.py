"""A y that a model has no use for: labels are left out, a target that would be dropped is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.trainer.byte_scale import ByteScale
from zoo.trainer.forms import as_array, is_sparse
from zoo.trainer.refusals import RefusedBatch, Y, dense, held

_REMEDY = (
    "this model reconstructs x and would drop it. Create one with target_shape=..., such as "
    "denoising_autoencoder(noise='pairs'), or leave y out."
)


def refuse_dropped(y: Any, given: Any, x: np.ndarray, scale: ByteScale, name: str) -> None:
    """Refuse a y that is not x, and no labels either.

    Args:
        y: anything.
        given: x as the user gave it.
        x: (rows, *event), checked.
        scale: of x.
        name: what an error calls y.

    Raises:
        ValueError: for a y that looks like a target, or has other rows than x.
    """
    if y is given:
        return
    if isinstance(y, Mapping):
        raise ValueError(_dict_line(y, name))
    if is_sparse(y):
        as_array(y, name)
    try:
        y = np.asarray(y)
    except ValueError:
        return
    same_rows(np.atleast_1d(y), len(x), name)
    if y.shape == x.shape:
        if _is(x, y) or _same(x, y, scale):
            return
        raise ValueError(f"{name} has the shape of x and other values: {_REMEDY}")
    labels = y.ndim == 1 or y.shape[1:] == (1,) or (y.ndim == 2 and y.dtype.kind in "iubOUS")
    if not labels and not (y.ndim == 2 and np.isin(y, (0, 1)).all()):
        raise ValueError(f"{name} of shape {y.shape} looks like a target: {_REMEDY}")


def check_dropped(
    y: Any, x: tf.Tensor, scale: ByteScale, event_shape: tuple[int, ...], door: str
) -> list[Any]:
    """As `refuse_dropped`, in a graph.

    Args:
        y: a tensor, or a nest of them.
        x: (batch, *event).
        scale: of x.
        event_shape: of one example.
        door: see `zoo.trainer.refusals.held`.

    Returns:
        Assertions about what is not known before the graph runs.

    Raises:
        RefusedBatch: for what is known.
    """
    if isinstance(y, Mapping):
        raise RefusedBatch(_dict_line(y, Y), door)
    if isinstance(y, tuple | list):
        raise RefusedBatch(f"{Y} is a tuple of {len(y)} tensors: {_REMEDY}", door)
    y = dense(y, Y, door)
    rank = y.shape.rank
    if y.dtype == tf.string or rank in (0, 1) or (rank is not None and y.shape[1:] == (1,)):
        return []
    if rank == 2 and not y.dtype.is_floating and y.shape[1:] != event_shape:
        return []
    # Keras forgets shapes that change from data set to data set, so that all is asked when it runs.
    same = tf.reduce_any([_equal(*pair) for pair in _pairs(x, y, scale)])
    if rank == 1 + len(event_shape) and y.shape[1:] == event_shape:
        return [held(door, same, f"{Y} has the shape of x and other values: {_REMEDY}")]
    one_each = tf.size(y) <= tf.shape(y)[0] if rank is None else tf.constant(False)
    numbers = tf.cast(y, tf.float32)
    zero_or_one = tf.reduce_all(tf.equal(numbers, 0.0) | tf.equal(numbers, 1.0))
    labels = one_each | ((tf.rank(y) <= 2) & zero_or_one)
    return [held(door, same | labels, f"{Y} looks like a target: {_REMEDY}")]


def same_rows(y: np.ndarray, rows: int, name: str) -> None:
    """Raise a ValueError where y has not as many rows as x."""
    if len(y) != rows:
        raise ValueError(f"{name} must have as many rows as x, {rows}; received {len(y)}.")


def _is(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether both are one array: views of one array may be rows that follow each other, and so a target."""
    places = [each.__array_interface__["data"][0] for each in (x, y)]
    return places[0] == places[1] and (x.strides, x.dtype) == (y.strides, y.dtype)


def _same(x: np.ndarray, y: np.ndarray, scale: ByteScale) -> bool:
    """Whether y holds the numbers of x, as they are or as the model sees them."""
    if y.dtype.kind not in "fiub":
        return False
    y = y if y.dtype == np.uint8 else y.astype(np.float32)
    pairs = ((x.astype(np.float32), y.astype(np.float32)), (scale.divided(x), scale.divided(y)))
    return any(np.array_equal(one, other, equal_nan=True) for one, other in pairs)


def _pairs(x: tf.Tensor, y: tf.Tensor, scale: ByteScale) -> list[tuple[tf.Tensor, tf.Tensor]]:
    """X and y as numbers, and as the model sees them."""
    pairs = [(tf.cast(x, tf.float32), tf.cast(y, tf.float32))]
    if (x.dtype == tf.uint8) != (y.dtype == tf.uint8) and scale.divisor is not None:
        seen = (scale.floats(v) if v.dtype == tf.uint8 else tf.cast(v, tf.float32) for v in (x, y))
        pairs.append(tuple(seen))  # pyright: ignore
    return pairs


def _equal(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    # NaN stands for a missing value, where it is let in at all.
    x, y = (tf.where(tf.math.is_nan(v), v.dtype.max, v) for v in (x, y))
    return tf.reduce_all(tf.raw_ops.Equal(x=x, y=y, incompatible_shape_error=False))


def _dict_line(y: Mapping[str, Any], name: str) -> str:
    return (
        f"{name} is a dict of {', '.join(map(str, y))}; the model declares neither a condition nor a target. "
        "Leave it out."
    )
