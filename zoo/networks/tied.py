"""A decoder that reuses the encoder's weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from zoo.parts import Untracked
from zoo.serialization import serializable


@serializable
class Tied(keras.layers.Layer):
    """x_hat = W z + b', with W the encoder's kernel: the transposed encoder with biases of its own.

    Makhzani & Frey, "k-Sparse Autoencoders", section 2.1. With hidden layers in the encoder every
    kernel is transposed, in reverse order.

    Args:
        output_shape: shape of one output without the batch axis.
        activation: of the hidden layers; the last layer is linear.

    Example:
        >>> encoder = keras.layers.Dense(2)
        >>> code = encoder(np.ones((3, 6), "float32"))
        >>> decoder = zoo.networks.Tied(output_shape=(6,))
        >>> decoder.tie([encoder])
        >>> np.allclose(decoder(code), code @ keras.ops.transpose(encoder.kernel), atol=1e-6)
        True
    """

    def __init__(self, output_shape: Sequence[int], activation: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.event_shape = tuple(output_shape)
        self.activation: Any = keras.activations.get(activation)
        self._encoder: Untracked | None = None

    def join(self, encoder: keras.Layer, bottleneck: Any) -> None:
        """`tie` to the dense layers of a model's encoder and bottleneck, which are built."""
        dense = [la for la in encoder._flatten_layers() if isinstance(la, keras.layers.Dense)]
        self.tie([*dense, bottleneck.dense])

    def tie(self, layers: Sequence[keras.layers.Dense]) -> None:
        """Take the kernels of the encoder's built dense layers, first to last; creates the biases."""
        kernels: list[Any] = [layer.kernel for layer in layers]
        if math.prod(self.event_shape) != kernels[0].shape[0]:
            raise ValueError(
                f"A tied decoder needs an encoder that reads its output of {self.event_shape}; "
                f"received a first kernel of {tuple(kernels[0].shape)}."
            )
        self._encoder = Untracked(tuple(layers))
        self.biases = [
            self.add_weight(name=f"bias_{i}", shape=kernel.shape[:1], initializer="zeros")
            for i, kernel in enumerate(kernels)
        ]
        self.built = True

    def call(self, code: tf.Tensor) -> tf.Tensor:
        """(batch, units) -> (batch, *output_shape)."""
        encoder: Any = self._encoder
        pairs = list(zip(encoder.value, self.biases, strict=True))
        for index in range(len(pairs) - 1, -1, -1):
            layer, bias = pairs[index]
            kernel = tf.cast(layer.kernel, code.dtype)
            code = tf.matmul(code, kernel, transpose_b=True) + tf.cast(bias, code.dtype)
            if index:
                code = self.activation(code)
        return tf.reshape(code, (-1, *self.event_shape))

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """(batch, *output_shape)."""
        return (input_shape[0], *self.event_shape)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "output_shape": self.event_shape,
            "activation": keras.activations.serialize(self.activation),
        }
