"""Networks that tell real from fake: strided convolutions of pictures, dense layers of vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from zoo.networks.conv import LAST
from zoo.networks.few_channels import Conv2D
from zoo.trainer.replicas import gather

# Name of the layers that a discriminator and the encoder share, see the plugin "shared_discriminator".
SHARED = "shared"

SLOPE = 0.2


def critic_network(
    event_shape: Sequence[int],
    hidden: Sequence[int],
    norm: str = "batch",
    outputs: int | None = 1,
    spread: bool = False,
    dense: Sequence[int] = (),
    **options: Any,
) -> keras.Sequential:
    """A network of examples: strided convolutions of pictures, fully connected layers of vectors.

    Leaky ReLU, no pooling, batch normalisation in all layers but the first and the last (Haque et al.,
    section 3; Radford et al., "DCGAN", 2016, section 3).

    Args:
        event_shape: (h, w, channels) or (d,).
        hidden: filters or units of every hidden layer.
        norm: "batch" (all but the first), "spectral" or "none".
        outputs: units of the last layer, which is linear; None to end with the features.
        spread: whether to append the batch's mean standard deviation to the features (Karras et al.,
            "Progressive Growing of GANs", 2018, section 3), so that a collapse shows.
        dense: units of fully connected layers behind the hidden ones.
        **options: of `keras.Sequential`, such as its name.

    Returns:
        (batch, *event) -> (batch, outputs) or (batch, features).

    Example:
        >>> from zoo.networks.critic import critic_network
        >>> network = critic_network((8, 8, 1), hidden=(4, 8), outputs=1)
        >>> network(np.zeros((3, 8, 8, 1), "float32")).shape
        TensorShape([3, 1])
    """
    picture = len(event_shape) == 3
    layers: list[keras.Layer] = [] if picture else [keras.layers.Flatten(**LAST)]
    for index, units in enumerate(hidden):
        layer = Conv2D(units, 4, 2, "same", **LAST) if picture else keras.layers.Dense(units)
        layers += _hidden(layer, norm, first=not index)
    if picture:
        layers.append(keras.layers.Flatten(**LAST))
    for units in dense:
        layers += _hidden(keras.layers.Dense(units), norm)
    if spread:
        layers.append(BatchSpread())
    if outputs is not None:
        layers.append(_spectral(keras.layers.Dense(outputs), norm))
    layers.append(keras.layers.Activation("linear", dtype="float32"))
    return keras.Sequential(layers, **options)


def encoder_on_critic(
    event_shape: Sequence[int],
    hidden: Sequence[int],
    norm: str = "batch",
    dense: Sequence[int] = (),
    own: Sequence[int] = (),
) -> keras.Sequential:
    """An encoder that goes on from the layers of a critic, for the plugin "shared_discriminator".

    Args:
        event_shape: (h, w, channels) or (d,).
        hidden: filters or units of the shared layers.
        norm: see `critic_network`; of the encoder's own layers too.
        dense: units of fully connected layers behind `hidden`, shared as well.
        own: units of the encoder's own layers, none of which is the network's first.

    Returns:
        (batch, *event) -> (batch, features), whose first layer is a network named "shared".

    Example:
        >>> from zoo.networks.critic import encoder_on_critic
        >>> encoder = encoder_on_critic((8, 8, 1), hidden=(4, 8), own=(16,))
        >>> encoder.layers[0].name, encoder(np.zeros((3, 8, 8, 1), "float32")).shape
        ('shared', TensorShape([3, 16]))
    """
    trunk = critic_network(event_shape, hidden, norm, outputs=None, dense=dense, name=SHARED)
    features: Any = trunk.compute_output_shape((None, *event_shape))
    return keras.Sequential([trunk, critic_network(features[1:], (), norm, None, dense=own)])


@keras.saving.register_keras_serializable("zoo")
class BatchSpread(keras.layers.Layer):
    """Appends the features' standard deviation over the global batch, averaged over the features.

    Example:
        >>> from zoo.networks.critic import BatchSpread
        >>> BatchSpread()(np.float32([[1.0, 5.0], [3.0, 5.0]])).numpy().round(2).tolist()
        [[1.0, 5.0, 0.5], [3.0, 5.0, 0.5]]
    """

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """(batch, features) -> (batch, features + 1)."""
        rows = gather(tf.cast(inputs, tf.float32))
        variance = tf.math.reduce_variance(rows, axis=0)
        spread = tf.cast(tf.reduce_mean(tf.sqrt(variance + 1e-8)), inputs.dtype)
        return tf.concat([inputs, tf.fill([tf.shape(inputs)[0], 1], spread)], axis=-1)

    def compute_output_shape(self, input_shape: Sequence[Any]) -> tuple[int | None, ...]:
        """(batch, features + 1)."""
        return (*input_shape[:-1], input_shape[-1] + 1)


def _spectral(layer: keras.Layer, norm: str) -> keras.Layer:
    """With its kernel divided by the largest singular value (Miyato et al. 2018, section 2.1)."""
    return keras.layers.SpectralNormalization(layer) if norm == "spectral" else layer


def _hidden(layer: keras.Layer, norm: str, first: bool = False) -> list[keras.Layer]:
    normalise = [keras.layers.BatchNormalization(synchronized=True)]
    return [
        _spectral(layer, norm),
        *(normalise if norm == "batch" and not first else []),
        keras.layers.LeakyReLU(SLOPE),
    ]
