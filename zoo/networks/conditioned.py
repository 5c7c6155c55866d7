"""Networks that are given a condition beside their input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from zoo.serialization import serializable


@serializable
class Conditioned(keras.layers.Layer):
    """network([x, c]): the condition joined to the last axis of the input.

    Vectors are joined end to end; on pictures and grids the condition becomes further channels, the same
    number at every place (Sohn et al., "Learning Structured Output Representation", 2015, section 4).

    Args:
        network: Keras model or layer that takes the joined input.

    Example:
        >>> layer = zoo.networks.Conditioned(keras.layers.Dense(4))
        >>> x, condition = np.zeros((3, 6), "float32"), np.eye(3, dtype="float32")
        >>> layer([x, condition]).shape
        TensorShape([3, 4])
    """

    def __init__(self, network: keras.Layer, **kwargs: Any):
        super().__init__(**kwargs)
        self.network = network

    def build(self, input_shape: Sequence[Sequence[int | None]]) -> None:
        """Build the network for the joined input."""
        if not self.network.built:
            self.network.build(self._joined_shape(input_shape))
        self.built = True

    def call(self, inputs: Sequence[tf.Tensor], training: bool = False) -> tf.Tensor:
        """[(batch, ..., n), (batch, width)] -> what the network gives for (batch, ..., n + width)."""
        x, condition = inputs
        condition = keras.ops.cast(condition, x.dtype)
        places = x.shape[1:-1]
        for _ in places:
            condition = keras.ops.expand_dims(condition, 1)
        if places:
            condition = keras.ops.tile(condition, (1, *places, 1))
        return self.network(keras.ops.concatenate([x, condition], axis=-1), training=training)

    def compute_output_shape(
        self, input_shape: Sequence[Sequence[int | None]]
    ) -> tuple[int | None, ...]:
        """What the network gives."""
        return self.network.compute_output_shape(self._joined_shape(input_shape))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "network": keras.saving.serialize_keras_object(self.network),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Conditioned:
        """The inverse of `get_config`."""
        network = keras.saving.deserialize_keras_object(config["network"])
        return cls(**{**config, "network": network})

    @staticmethod
    def _joined_shape(shapes: Sequence[Sequence[Any]]) -> tuple[int | None, ...]:
        x, condition = shapes
        return (*x[:-1], x[-1] + condition[-1])
