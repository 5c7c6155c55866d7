"""Calls of a network, and training steps, that leave moving statistics alone."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


def with_kept_statistics(network: keras.Layer, inputs: Any) -> tf.Tensor:
    """network(inputs, training=True), after which batch norm's moving averages are what they were.

    A network that sees generated or distorted pictures beside the data normalises each batch by its own
    statistics in training; the moving ones, used for inference, stay those of the data.

    Args:
        network: any Keras layer or model.
        inputs: (batch, ...).

    Returns:
        What the network gives.

    Example:
        >>> from zoo.networks.statistics import with_kept_statistics
        >>> network = keras.Sequential([keras.Input((4,)), keras.layers.BatchNormalization()])
        >>> before = network.get_weights()
        >>> _ = with_kept_statistics(network, np.float32(np.random.default_rng(0).random((20, 4))))
        >>> all(np.array_equal(a, b) for a, b in zip(before, network.get_weights()))
        True
    """
    kept = KeptStatistics(network)
    output = network(inputs, training=True)
    kept.restore()
    return output


class KeptStatistics:
    """The moving statistics of a network as they are now.

    Args:
        network: any Keras layer or model.
    """

    def __init__(self, network: keras.Layer):
        weights = network.non_trainable_weights
        self._moving = [v for v in weights if v.dtype.startswith(("float", "bfloat"))]
        self._values = [tf.identity(v.value) for v in self._moving]

    def restore(self, where: tf.Tensor | bool = True) -> None:
        """Bring them back, where a scalar condition holds."""
        for variable, value in zip(self._moving, self._values, strict=True):
            variable.assign(value if where is True else tf.where(where, value, variable.value))
