"""Strided convolutions with batch normalisation, as generative adversarial networks have them."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from zoo.networks.conv import LAST, cropping
from zoo.networks.few_channels import Conv2D, Conv2DTranspose

# Of the moving statistics: those of the last ten batches or so, so that short runs have them too.
MOMENTUM = 0.9


def dcgan_encoder(
    filters: Sequence[int] = (32, 64, 64), dense: Sequence[int] = (256,), dropout: float = 0.0
) -> keras.Sequential:
    """Convolutions 5x5 of stride 2 and 3x3 of stride 2, further ones of stride 1, then dense layers.

    Batch normalisation in all layers (the code's own linear layer follows in the bottleneck) and ReLU; no
    pooling (Radford et al., "Unsupervised Representation Learning with DCGAN", 2016, section 3).

    Args:
        filters: of the convolutions.
        dense: units of the fully connected layers.
        dropout: share of the flattened features left out in training.

    Returns:
        (batch, h, w, c) -> (batch, features).

    Example:
        >>> from zoo.networks.dcgan import dcgan_encoder
        >>> encoder = dcgan_encoder(filters=(4, 8), dense=(16,))
        >>> encoder(np.zeros((3, 8, 8, 1), "float32")).shape
        TensorShape([3, 16])
    """
    layers: list[keras.Layer] = []
    for index, count in enumerate(filters):
        kernel, stride = (5 if index == 0 else 3), (2 if index < 2 else 1)
        layers += _normalised(Conv2D(count, kernel, stride, "same", use_bias=False, **LAST))
    layers.append(keras.layers.Flatten(**LAST))
    if dropout:
        layers.append(keras.layers.Dropout(dropout))
    for units in dense:
        layers += _normalised(keras.layers.Dense(units, use_bias=False))
    return keras.Sequential(layers)


def dcgan_decoder(
    output_shape: Sequence[int], filters: Sequence[int] = (64, 32), dense: Sequence[int] = (256,)
) -> keras.Sequential:
    """Dense layers, then transposed convolutions of stride 2; batch normalisation in all but the last.

    Args:
        output_shape: (h, w, channels); sides that are not a multiple of 2^len(filters) are cropped to.
        filters: of the first map and of each transposed convolution but the last.
        dense: units of the fully connected layers before.

    Returns:
        (batch, units) -> (batch, h, w, channels), logits.

    Example:
        >>> from zoo.networks.dcgan import dcgan_decoder
        >>> decoder = dcgan_decoder((8, 8, 1), filters=(8, 4), dense=(16,))
        >>> decoder(np.zeros((3, 2), "float32")).shape
        TensorShape([3, 8, 8, 1])
    """
    height, width, channels = output_shape
    small = [-(-side // 2 ** len(filters)) for side in (height, width)]
    layers: list[keras.Layer] = []
    for units in dense:
        layers += _normalised(keras.layers.Dense(units, use_bias=False))
    layers += _normalised(keras.layers.Dense(small[0] * small[1] * filters[0], use_bias=False))
    layers.append(keras.layers.Reshape((*small, filters[0])))
    for count in filters[1:]:
        layers += _normalised(Conv2DTranspose(count, 4, 2, "same", use_bias=False, **LAST))
    layers.append(Conv2DTranspose(channels, 4, 2, "same", **LAST))
    have = [side << len(filters) for side in small]
    layers += cropping(have, (height, width))
    return keras.Sequential(layers)


def _normalised(layer: keras.Layer) -> list[keras.Layer]:
    return [
        layer,
        keras.layers.BatchNormalization(momentum=MOMENTUM, synchronized=True),
        keras.layers.ReLU(),
    ]
