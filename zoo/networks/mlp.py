"""Fully connected networks."""

from __future__ import annotations

import math
from collections.abc import Sequence

import keras


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
        activation: of the hidden layers.
        output_activation: of the last layer of a decoder. Keep None for logits.

    Returns:
        (batch, *any) -> (batch, hidden[-1]), or -> (batch, *output_shape).
    """
    layers: list[keras.Layer] = [keras.layers.Flatten()]
    layers += [keras.layers.Dense(units, activation=activation) for units in hidden]
    if output_shape is not None:
        layers.append(keras.layers.Dense(math.prod(output_shape), activation=output_activation))
        layers.append(keras.layers.Reshape(tuple(output_shape)))
    return keras.Sequential(layers)
