"""Keras's own regularizers, acting on the code."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from zoo.forward import ForwardPass
from zoo.regularizers.base import Regularizer
from zoo.serialization import serializable
from zoo.trainer.replicas import gather


@serializable
class KerasRegularizer(Regularizer):
    """A `keras.regularizers.Regularizer` of the code, divided by the batch size.

    So the term is a mean over the batch of sums over the units, like every other. This is what Keras
    does with an `activity_regularizer`, but with a metric of its own and correct over replicas.

    Args:
        regularizer: a Keras regularizer, or the serialized form of one.
        weight: as in `Regularizer`, beside the strength that the Keras regularizer has already.
        name: name of the metric; by default the class name in lower case.

    Example:
        >>> model = zoo.create(
        ...     "autoencoder", (6,), latents=2, hidden=(4,), regularizers=[keras.regularizers.L1(0.1)]
        ... )
        >>> type(model.regularizers[0]).__name__
        'KerasRegularizer'
    """

    def __init__(self, regularizer: Any, *, weight: Any = 1.0, name: str | None = None):
        if isinstance(regularizer, dict):
            regularizer = keras.saving.deserialize_keras_object(regularizer)
        super().__init__(weight, name or type(regularizer).__name__.lower())
        self.regularizer = regularizer

    def penalty(self, forward: ForwardPass, training: bool = False) -> tf.Tensor:
        """regularizer(code) / batch, a scalar."""
        # All replicas' rows: a regularizer such as OrthogonalRegularizer compares them with each other.
        code = gather(forward.vectors)
        batch = tf.cast(tf.maximum(tf.shape(code)[0], 1), tf.float32)
        of_rows = getattr(self.regularizer, "mode", None) == "rows"
        if of_rows and code.shape[0] is None:  # which Keras's needs to know before the step runs
            return _orthogonality_of_rows(code) * self.regularizer.factor / batch
        return tf.cast(self.regularizer(code), tf.float32) / batch

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        regularizer = keras.saving.serialize_keras_object(self.regularizer)
        return {**super().get_config(), "regularizer": regularizer}


def _orthogonality_of_rows(code: tf.Tensor) -> tf.Tensor:
    """Of `keras.regularizers.OrthogonalRegularizer`, for any number of rows: the mean |cosine| of pairs."""
    unit = tf.math.l2_normalize(code, axis=1)
    cosines = tf.abs(tf.matmul(unit, unit, transpose_b=True))
    rows = tf.cast(tf.shape(code)[0], tf.float32)
    apart = tf.reduce_sum(cosines) - tf.reduce_sum(tf.linalg.diag_part(cosines))
    return tf.math.divide_no_nan(apart, rows * (rows - 1))
