"""Fully connected networks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from zoo.serialization import serializable

GATED = "gated"


@serializable
class Gated(keras.layers.Layer):
    """h = (V x + b) * sigmoid(W x + c), elementwise: a linear layer that another one lets through.

    Dauphin et al., "Language Modeling with Gated Convolutional Networks", 2017, equation 1; the layers of
    the autoencoders of Tomczak & Welling, "VAE with a VampPrior", 2018, section 5.

    Args:
        units: dimensions of h.

    Example:
        >>> layer = zoo.networks.Gated(4)
        >>> layer(np.zeros((3, 6), "float32")).shape
        TensorShape([3, 4])
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,), activation="gated")
    """

    def __init__(self, units: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.units = units
        self.linear = keras.layers.Dense(2 * units, dtype=self.dtype_policy)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Create V, b, W and c, one kernel and one bias."""
        self.linear.build(input_shape)
        self.built = True

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """(batch, features) -> (batch, units)."""
        value, gate = tf.split(self.linear(inputs), 2, axis=-1)
        return value * tf.sigmoid(gate)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """(batch, units)."""
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "units": self.units}


def mlp(
    hidden: Sequence[int],
    output_shape: Sequence[int] | None = None,
    activation: str = "relu",
    output_activation: str | None = None,
) -> keras.Sequential:
    """A fully connected network, as an encoder or a decoder.

    Args:
        hidden: units of each hidden layer; may be empty.
        output_shape: shape of one output without the batch axis, for a decoder; None for an encoder,
            whose last hidden layer is the output.
        activation: of the hidden layers; "gated" for `Gated` ones.
        output_activation: of the last layer of a decoder. Keep None for logits.

    Returns:
        (batch, *any) -> (batch, hidden[-1]), or -> (batch, *output_shape).

    Example:
        >>> encoder = zoo.networks.mlp([16, 4])
        >>> encoder(np.zeros((3, 8, 8, 1), "float32")).shape
        TensorShape([3, 4])
        >>> decoder = zoo.networks.mlp([16], output_shape=(8, 8, 1))
        >>> decoder(np.zeros((3, 2), "float32")).shape
        TensorShape([3, 8, 8, 1])
    """
    layers: list[keras.Layer] = [keras.layers.Flatten(data_format="channels_last")]
    if activation == GATED:
        layers += [Gated(units) for units in hidden]
    else:
        layers += [keras.layers.Dense(units, activation=activation) for units in hidden]
    if output_shape is not None:
        layers.append(keras.layers.Dense(math.prod(output_shape), activation=output_activation))
        layers.append(keras.layers.Reshape(tuple(output_shape)))
    return keras.Sequential(layers)
