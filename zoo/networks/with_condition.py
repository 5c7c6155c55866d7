"""Networks that hand the condition on to the bottleneck."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from zoo.networks.unconditioned import Unconditioned
from zoo.serialization import serializable


@serializable
class WithCondition(Unconditioned):
    """[network(x), c] for [x, c]: an encoder that does not read the condition, for a bottleneck that does.

    Args:
        network: Keras model or layer, (batch, ...) -> (batch, features).

    Example:
        >>> layer = zoo.networks.WithCondition(keras.layers.Dense(4))
        >>> features = layer([np.zeros((2, 6), "float32"), np.eye(2, dtype="float32")])
        >>> features.shape, features[:, -2:].numpy().tolist()  # 4 features and the condition
        (TensorShape([2, 6]), [[1.0, 0.0], [0.0, 1.0]])
    """

    def call(self, inputs: Sequence[tf.Tensor], training: bool = False) -> tf.Tensor:
        """What the network gives for the first of the two, and the second behind it."""
        features = super().call(inputs, training=training)
        return tf.concat([features, tf.cast(inputs[1], features.dtype)], axis=-1)

    def compute_output_shape(
        self, input_shape: Sequence[Sequence[int | None]]
    ) -> tuple[int | None, ...]:
        """(batch, features + width)."""
        *rows, features = super().compute_output_shape(input_shape)
        width: Any = input_shape[1][-1]
        return (*rows, features + width)
