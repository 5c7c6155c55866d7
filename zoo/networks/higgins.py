"""The architectures of the beta-VAE's table (Higgins et al., "beta-VAE", 2017, appendix A.1)."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from zoo.networks.conv import LAST, check_picture_shape, conv_decoder, conv_encoder, cropping
from zoo.networks.critic import SHARED, critic_network
from zoo.networks.mlp import mlp
from zoo.registry import register

_POOLED = (96, 48, 48)


@register("shapes", kind="network")
def shapes(input_shape: Sequence[int]) -> tuple[keras.Layer, keras.Layer]:
    """2D shapes: FC 1200, 1200 with ReLU, and back through FC 1200, 1200, 1200 with tanh.

    Args:
        input_shape: shape of one example.

    Returns:
        Encoder, (batch, *input_shape) -> (batch, 1200), and decoder, (batch, units) ->
        (batch, *input_shape) logits.

    Example:
        >>> from zoo.networks.higgins import shapes
        >>> encoder, decoder = shapes((8, 8, 1))
        >>> encoder(np.zeros((3, 8, 8, 1), "float32")).shape
        TensorShape([3, 1200])
    """
    return mlp((1200, 1200)), mlp((1200, 1200, 1200), input_shape, "tanh")


@register("chairs", kind="network")
def chairs(input_shape: Sequence[int]) -> tuple[keras.Layer, keras.Layer]:
    """Chairs: convolutions 32, 32, 64, 64 (4x4, stride 2), FC 256, and the reverse, with ReLU.

    Args:
        input_shape: (h, w, channels), 64x64x1 in the paper.

    Returns:
        Encoder, (batch, h, w, c) -> (batch, 256), and decoder, (batch, units) -> (batch, h, w, c) logits.

    Example:
        >>> from zoo.networks.higgins import chairs
        >>> encoder, decoder = chairs((64, 64, 1))
        >>> encoder(np.zeros((3, 64, 64, 1), "float32")).shape
        TensorShape([3, 256])
    """
    check_picture_shape(input_shape, "chairs")
    filters = (32, 32, 64, 64)
    return conv_encoder(filters, (256,)), conv_decoder(filters, input_shape, (256,))


@register("dc_ign", kind="network")
def dc_ign(input_shape: Sequence[int]) -> tuple[keras.Layer, keras.Layer]:
    """DC-IGN: convolutions 96, 48, 48 (3x3, padded) with 2x2 max pooling; unpooling, 48, 96, 1.

    Unpooling repeats every pixel (Kulkarni et al., "Deep Convolutional Inverse Graphics Network", 2015).

    Args:
        input_shape: (h, w, channels), 64x64x1 in the paper.

    Returns:
        Encoder, (batch, h, w, c) -> (batch, features), and decoder, (batch, units) -> (batch, h, w, c)
        logits.

    Example:
        >>> from zoo.networks.higgins import dc_ign
        >>> encoder, decoder = dc_ign((64, 64, 1))
        >>> decoder(np.zeros((3, 10), "float32")).shape
        TensorShape([3, 64, 64, 1])
    """
    check_picture_shape(input_shape, "dc_ign")
    height, width, channels = input_shape
    down: list[keras.Layer] = []
    for filters in _POOLED:
        down += [
            keras.layers.Conv2D(filters, 3, padding="same", activation="relu", **LAST),
            keras.layers.MaxPooling2D(2, padding="same", **LAST),
        ]
        height, width = -(-height // 2), -(-width // 2)
    up: list[keras.Layer] = [
        keras.layers.Dense(height * width * _POOLED[-1], activation="relu"),
        keras.layers.Reshape((height, width, _POOLED[-1])),
    ]
    for filters, activation in zip((48, 96, channels), ("relu", "relu", None), strict=True):
        up += [
            keras.layers.UpSampling2D(2, **LAST),
            keras.layers.Conv2D(filters, 3, padding="same", activation=activation, **LAST),
        ]
    up += cropping((height << len(_POOLED), width << len(_POOLED)), input_shape)
    return keras.Sequential([*down, keras.layers.Flatten(**LAST)]), keras.Sequential(up)


@register("info_gan", kind="network")
def info_gan(input_shape: Sequence[int]) -> tuple[keras.Layer, keras.Layer]:
    """InfoGAN on 2D shapes: recognition FC 128 on the discriminator's layers; generator of deconvolutions.

    The discriminator has convolutions 64, 128 (4x4, stride 2) and FC 256, 256 with leaky ReLU, in layers
    named "shared", as ``zoo.create("info_gan", ..., shared=True)`` needs them. The generator is their
    reverse, as the table says, with tanh: FC 256, 256, a layer that makes the first map of 128 channels,
    and two deconvolutions. Neither has batch normalisation, of which the table does not speak.

    Args:
        input_shape: (h, w, channels), 64x64x1 in the paper.

    Returns:
        Recognition network, (batch, h, w, c) -> (batch, 128), and generator, (batch, units) ->
        (batch, h, w, c) logits.

    Example:
        >>> from zoo.networks.higgins import info_gan
        >>> recognition, generator = info_gan((8, 8, 1))
        >>> recognition(np.zeros((3, 8, 8, 1), "float32")).shape
        TensorShape([3, 128])
        >>> generator(np.zeros((3, 11), "float32")).shape
        TensorShape([3, 8, 8, 1])
    """
    check_picture_shape(input_shape, "info_gan")
    filters, dense = (64, 128), (256, 256)
    shared = critic_network(input_shape, filters, "none", None, dense=dense, name=SHARED)
    recognition = critic_network(dense[-1:], (128,), "none", None)
    generator = conv_decoder(filters, input_shape, dense, activation="tanh")
    return keras.Sequential([shared, recognition]), generator
