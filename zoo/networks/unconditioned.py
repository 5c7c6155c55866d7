"""Networks that see their input alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from zoo.networks.conditioned import Conditioned
from zoo.serialization import serializable


@serializable
class Unconditioned(Conditioned):
    """network(x) for [x, c]: in a model whose condition another part makes use of.

    Args:
        network: Keras model or layer.

    Example:
        >>> layer = zoo.networks.Unconditioned(keras.layers.Dense(4))
        >>> layer([np.zeros((3, 6), "float32"), np.eye(3, dtype="float32")]).shape
        TensorShape([3, 4])
    """

    def call(self, inputs: Sequence[tf.Tensor], training: bool = False) -> tf.Tensor:
        """What the network gives for the first of the two."""
        return self.network(inputs[0], training=training)

    @staticmethod
    def _joined_shape(shapes: Sequence[Sequence[Any]]) -> tuple[int | None, ...]:
        return tuple(shapes[0])
