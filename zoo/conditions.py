"""What a conditional model is given beside x: labels, covariates, or several of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.serialization import whole_number


class Condition:
    """The declaration of a condition.

    Args:
        declared: a number of classes, whose labels are whole numbers from 0, -1 for a row without one; or
            the shape of one row of covariates, such as (3,); or a dict of names to either.

    Attributes:
        declared: as given.
        width: numbers of one row, a label counting as many as it has classes.

    Raises:
        ValueError: for anything else.

    Example:
        >>> from zoo.conditions import Condition
        >>> condition = Condition({"kind": 3, "pose": (2,)})  # a label of 3 classes, and 2 covariates
        >>> condition.width
        5
        >>> y = condition.arrays({"kind": [2], "pose": [[0.5, 1.0]]}, rows=1)
        >>> condition.encoded(y).numpy().tolist()
        [[0.0, 0.0, 1.0, 0.5, 1.0]]
    """

    def __init__(self, declared: Any):
        self.declared = declared
        self._parts = declared if isinstance(declared, Mapping) else {"": declared}
        self._parts = {name: _declared(value) for name, value in self._parts.items()}
        if not self._parts:
            raise ValueError("condition must declare something; received an empty dict.")
        self.width = sum(v if isinstance(v, int) else math.prod(v) for v in self._parts.values())

    def arrays(self, y: Any, rows: int, name: str = "y") -> Any:
        """`y` as checked arrays of the declared form.

        Args:
            y: (rows,) labels or (rows, ...) covariates, or a dict of them.
            rows: how many there must be.
            name: what an error calls them.

        Returns:
            int32 labels and float32 covariates, in the form of the declaration.

        Raises:
            ValueError: for what does not fit.
        """
        if "" in self._parts:
            return self._checked(y, "", rows, name)
        if not isinstance(y, Mapping) or set(y) != set(self._parts):
            received = sorted(y) if isinstance(y, Mapping) else type(y).__name__
            raise ValueError(
                f"{name} must be a dict with the keys {', '.join(sorted(self._parts))}, as the model's "
                f"condition declares; received {received}."
            )
        return {key: self._checked(y[key], key, rows, f"{name}[{key!r}]") for key in self._parts}

    def encoded(self, y: Any) -> tf.Tensor:
        """Labels and covariates as one row of numbers, (batch, width) float32, in a graph."""
        found = []
        for name, kind in self._parts.items():
            value = tf.convert_to_tensor(y[name] if name else y)
            if isinstance(kind, int):
                labels = tf.reshape(value, [-1]) if value.shape.rank == 2 else value
                # -1 gives zeros; the one-hot of ONNX counts it from the end.
                same = tf.equal(tf.expand_dims(tf.cast(labels, tf.int32), -1), tf.range(kind))
                found.append(tf.cast(same, tf.float32))
            else:
                found.append(tf.reshape(tf.cast(value, tf.float32), (-1, math.prod(kind))))
        return found[0] if len(found) == 1 else tf.concat(found, axis=-1)

    def checks(self, y: Any, door: str) -> list[Any]:
        """Assertions that the labels of a batch of a stream are classes, in a graph; see `sources.held`."""
        from zoo.trainer.refusals import held

        found = []
        for name, kind in self._parts.items():
            value = tf.convert_to_tensor(y[name] if name else y)
            if isinstance(kind, int):
                inside = _all_classes(value, kind)
                message = f"Labels in y of {{x}} must be whole numbers from 0 to {kind - 1}, or -1 for none."
            else:
                inside = tf.reduce_all(tf.math.is_finite(tf.cast(value, tf.float32)))
                message = "Covariates in y of {x} must be finite numbers."
            found.append(held(door, inside, message))
        return found

    def example(self) -> Any:
        """Zeros of one row, in the form of `arrays`."""
        made = {
            name: np.zeros(1, np.int32)
            if isinstance(kind, int)
            else np.zeros((1, *kind), np.float32)
            for name, kind in self._parts.items()
        }
        return made.get("", made)

    def _checked(self, value: Any, part: str, rows: int, name: str) -> np.ndarray:
        kind = self._parts[part]
        array = np.asarray(value)
        if isinstance(kind, int):
            if array.ndim == 2 and array.shape[1] == 1:
                array = array[:, 0]
            whole = array.dtype.kind in "iub" or (
                array.dtype.kind == "f" and np.array_equal(array, np.floor(array))
            )
            if array.ndim != 1 or not whole or (array < -1).any() or (array >= kind).any():
                raise ValueError(
                    f"{name} must hold one label for each row, from 0 to {kind - 1} (-1 for none); received "
                    f"{array.dtype} of shape {array.shape}{_reach(array)}."
                )
            array = array.astype(np.int32)
        else:
            if array.dtype.kind not in "fiub" or array.shape[1:] not in (
                kind,
                () if kind == (1,) else kind,
            ):
                raise ValueError(
                    f"{name} must be numbers of shape (rows, {', '.join(map(str, kind))}); received "
                    f"{array.dtype} of shape {array.shape}."
                )
            array = array.astype(np.float32).reshape(-1, *kind)
            if not np.isfinite(array).all():
                raise ValueError(
                    f"{name} holds NaN or infinity. Leave those rows out, or fill them in."
                )
        if len(array) != rows:
            raise ValueError(f"{name} must have as many rows as x, {rows}; received {len(array)}.")
        return array


def _all_classes(labels: tf.Tensor, classes: int) -> tf.Tensor:
    """Whether the labels of a batch are classes, in a graph; a ValueError for a shape that holds none."""
    beside = [] if labels.shape.rank is None else labels.shape.as_list()[1:]
    if beside not in ([], [1], [None]):
        raise ValueError(
            f"y must hold one label for each row, from 0 to {classes - 1} (-1 for none); received batches of "
            f"shape {labels.shape}. Turn one-hot rows into labels with argmax."
        )
    whole = tf.constant(True)
    if labels.dtype.is_floating:
        whole = tf.reduce_all(labels == tf.round(labels))
    labels = tf.cast(labels, tf.int64)  # in which a -1 is no byte of 255
    return whole & tf.reduce_all((labels >= -1) & (labels < classes))


def _declared(value: Any) -> int | tuple[int, ...]:
    try:
        if isinstance(value, list | tuple):
            shape = tuple(whole_number(side, "a side of condition", 1) for side in value)
            if shape:
                return shape
        return whole_number(value, "classes of condition", 1)
    except ValueError as error:
        raise ValueError(
            "condition must be a number of classes, the shape of one row of covariates such as (3,), or a "
            f"dict of names to either; received {value!r}."
        ) from error


def _reach(array: np.ndarray) -> str:
    if not array.size or array.dtype.kind not in "iuf":
        return ""
    return f", from {array.min():g} to {array.max():g}"
