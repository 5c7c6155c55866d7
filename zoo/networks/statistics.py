"""Calls of a network that leave its moving statistics alone."""

from __future__ import annotations

import keras
import tensorflow as tf


def with_kept_statistics(network: keras.Layer, inputs: tf.Tensor) -> tf.Tensor:
    """network(inputs, training=True), after which batch norm's moving averages are what they were.

    A network that sees generated or distorted pictures beside the data normalises each batch by its own
    statistics in training; the moving ones, used for inference, stay those of the data.

    Args:
        network: any Keras layer or model.
        inputs: (batch, ...).

    Returns:
        What the network gives.
    """
    moving = [v for v in network.non_trainable_variables if v.dtype.startswith(("float", "bfloat"))]
    before = [tf.identity(v.value) for v in moving]
    output = network(inputs, training=True)
    for variable, value in zip(moving, before, strict=True):
        variable.assign(value)
    return output
