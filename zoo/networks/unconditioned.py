"""Networks that see their input alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from zoo.serialization import serializable


@serializable
class Unconditioned(keras.layers.Layer):
    """network(x) for [x, c]: in a model whose condition another part makes use of.

    Args:
        network: Keras model or layer.

    Example:
        >>> layer = zoo.networks.Unconditioned(keras.layers.Dense(4))
        >>> layer([np.zeros((3, 6), "float32"), np.eye(3, dtype="float32")]).shape
        TensorShape([3, 4])
    """

    def __init__(self, network: keras.Layer, **kwargs: Any):
        super().__init__(**kwargs)
        self.network = network

    def build(self, input_shape: Sequence[Sequence[int | None]]) -> None:
        """Build the network for the input."""
        if not self.network.built:
            self.network.build(input_shape[0])
        self.built = True

    def call(self, inputs: Sequence[tf.Tensor], training: bool = False) -> tf.Tensor:
        """What the network gives for the first of the two."""
        return self.network(inputs[0], training=training)

    def compute_output_shape(
        self, input_shape: Sequence[Sequence[int | None]]
    ) -> tuple[int | None, ...]:
        """What the network gives."""
        return self.network.compute_output_shape(input_shape[0])

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        network = keras.saving.serialize_keras_object(self.network)
        return {**super().get_config(), "network": network}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Unconditioned:
        """The inverse of `get_config`."""
        network = keras.saving.deserialize_keras_object(config["network"])
        return cls(**{**config, "network": network})
