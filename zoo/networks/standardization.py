"""Columns of different scales brought to one, within the model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.serialization import serializable


@serializable
class Standardization(keras.layers.Layer):
    """(x - mean) / deviation, with a mean and a deviation for every column, or channel of pictures.

    Both are weights that training leaves alone, saved and exported with the model. A column that is constant
    in the data, or missing everywhere, has deviation 1. Until `adapt` is called, the mean is 0 and every
    deviation 1, and x passes as it is.

    Example:
        >>> layer = zoo.networks.Standardization()
        >>> layer.build((None, 3))
        >>> x = np.float32([[1.0, 100.0, 7.0], [3.0, np.nan, 7.0], [5.0, 300.0, 7.0]])
        >>> layer.adapt([x])
        >>> layer.mean.numpy().tolist(), [round(float(d), 2) for d in layer.deviation.numpy()]
        ([3.0, 200.0, 7.0], [1.63, 100.0, 1.0])
        >>> np.allclose(layer.inverse(layer(x[:1])), x[:1])
        True
    """

    def __init__(self, **kwargs: Any):
        super().__init__(**{**kwargs, "dtype": "float32", "trainable": False})

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Create mean and deviation, one number for each entry of the last axis."""
        columns = (input_shape[-1],)
        fixed: dict[str, Any] = {"trainable": False}
        self.mean = self.add_weight(name="mean", shape=columns, initializer="zeros", **fixed)
        self.deviation = self.add_weight(
            name="deviation", shape=columns, initializer="ones", **fixed
        )
        self.rows = self.add_weight(
            name="rows", shape=(), initializer="zeros", dtype="int64", **fixed
        )
        self.built = True

    @property
    def adapted(self) -> bool:
        """Whether mean and deviation are those of data."""
        return int(self.rows.numpy()) > 0

    def adapt(self, batches: Iterable[np.ndarray]) -> None:
        """Take mean and deviation from data; NaN counts as missing.

        Args:
            batches: arrays (rows, ..., columns) of floats.
        """
        rows, found = 0, Moments(int(self.mean.shape[0]))
        for batch in batches:
            rows += len(batch)
            found.add(batch)
        self.mean.assign(found.mean)
        self.deviation.assign(found.deviation())
        self.rows.assign(rows)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """(batch, ..., columns) -> the same shape."""
        return (tf.cast(inputs, tf.float32) - self.mean) / self.deviation

    def inverse(self, values: tf.Tensor) -> tf.Tensor:
        """Standardized values in the data's units, (batch, ..., columns) -> the same shape."""
        return tf.cast(values, tf.float32) * self.deviation + self.mean

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """That of the input."""
        return tuple(input_shape)


class Moments:
    """Mean and squared deviation of columns, batch by batch (Chan, Golub & LeVeque 1979, equation 2.1).

    Args:
        columns: how many.

    Example:
        >>> from zoo.networks.standardization import Moments
        >>> moments = Moments(2)
        >>> moments.add(np.array([[1.0, 5.0], [3.0, np.nan]]))
        >>> moments.add(np.array([[5.0, 5.0]]))
        >>> moments.mean.tolist(), moments.deviation().round(3).tolist()  # a constant column: 1
        ([3.0, 5.0], [1.633, 1.0])
    """

    def __init__(self, columns: int):
        self.count = np.zeros(columns)
        self.mean = np.zeros(columns)
        self._squares = np.zeros(columns)

    def add(self, batch: np.ndarray) -> None:
        """Count the numbers of a batch (rows, ..., columns); NaN is left out."""
        values = np.asarray(batch, np.float64).reshape(-1, len(self.count))
        seen = ~np.isnan(values)
        added = seen.sum(axis=0)
        own = np.where(seen, values, 0).sum(axis=0) / np.maximum(added, 1)
        whole = np.maximum(self.count + added, 1)
        change = own - self.mean
        self._squares += np.where(seen, (values - own) ** 2, 0).sum(axis=0)
        self._squares += change**2 * self.count * added / whole
        self.mean = self.mean + change * added / whole
        self.count = self.count + added

    def constant(self) -> np.ndarray:
        """Which columns vary by no more than rounding does, as scikit-learn's StandardScaler counts them."""
        variance, rounding = self._variance(), np.finfo(np.float64).eps
        bound = self.count * rounding * variance + (self.count * self.mean * rounding) ** 2
        return (variance <= bound) | (np.sqrt(variance) < np.finfo(np.float32).tiny)

    def deviation(self) -> np.ndarray:
        """The standard deviation of every column, 1 where it is constant."""
        return np.where(self.constant(), 1.0, np.sqrt(self._variance()))

    def _variance(self) -> np.ndarray:
        return self._squares / np.maximum(self.count, 1)
