"""Convolutional networks: stride 2 downwards, transposed convolutions upwards."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras

from zoo.networks.few_channels import Conv2D, Conv2DTranspose, Cropping2D

# Pixels along the longer side of the last feature map.
_SMALLEST = 4
# Pixels up to which a picture is small.
_SMALL = 32
# Of a transposed convolution of stride 2 a pixel sees a quarter of the kernel, and Keras calls what comes in
# its fan_out.
_KEEPS_SCALE = {
    "class_name": "VarianceScaling",
    "config": {"scale": 8.0, "mode": "fan_out", "distribution": "truncated_normal"},
}
# Whatever Keras's default is: pictures of the zoo are (h, w, channels).
LAST: Any = {"data_format": "channels_last"}


def check_picture_shape(shape: Sequence[int], networks: str) -> None:
    """Raise ValueError for examples that are not pictures (h, w, channels)."""
    if len(shape) != 3:
        raise ValueError(
            f"networks={networks!r} needs pictures of shape (height, width, channels); received "
            f"input_shape={tuple(shape)}. Use networks='mlp' for vectors."
        )


def default_filters(shape: Sequence[int]) -> tuple[int, ...]:
    """Filters of the convolutions where a user names none: 64, then 128, and 64 in the last.

    Each halves the picture; there are as many as bring its longer side to 4 pixels, two at least. The last
    one has few filters, since nearly all weights would be those between it and the dense layer.

    Args:
        shape: (h, w, channels).

    Returns:
        The filters of each convolution.

    Example:
        >>> from zoo.networks.conv import default_filters
        >>> default_filters((28, 28, 1)), default_filters((64, 64, 3))
        ((64, 128, 64), (64, 128, 128, 64))
    """
    layers = max(2, math.ceil(math.log2(max(shape[:2]) / _SMALLEST)))
    return (64, *(128,) * (layers - 2), 64)


def default_dense(shape: Sequence[int]) -> tuple[int, ...]:
    """Units of the dense layer between convolutions and code where a user names none.

    256 for pictures of up to 32 pixels, 768 for larger ones, which learn more slowly with fewer.

    Args:
        shape: (h, w, channels).

    Returns:
        The units of each dense layer.

    Example:
        >>> from zoo.networks.conv import default_dense
        >>> default_dense((28, 28, 1)), default_dense((64, 64, 3))
        ((256,), (768,))
    """
    return (256,) if max(shape[:2]) <= _SMALL else (768,)


def conv_encoder(
    filters: Sequence[int],
    dense: Sequence[int] = (),
    kernel_size: int = 4,
    activation: str = "relu",
    keep_scale: bool = False,
) -> keras.Sequential:
    """Convolutions of stride 2, then fully connected layers.

    Args:
        filters: filters of each convolution.
        dense: units of the fully connected layers that follow; may be empty.
        kernel_size: width and height of the kernels, in pixels.
        activation: of every layer.
        keep_scale: whether the weights begin as He et al. have them ("Delving Deep into Rectifiers", 2015,
            equation 10), so that the signal is as large in the last layer as in the first; Keras's default
            otherwise.

    Returns:
        (batch, h, w, c) -> (batch, features).

    Example:
        >>> encoder = zoo.networks.conv_encoder(filters=(4, 8), dense=(16,))
        >>> encoder(np.zeros((3, 8, 8, 1), "float32")).shape
        TensorShape([3, 16])
    """
    shared: dict[str, Any] = {"activation": activation}
    if keep_scale:
        shared["kernel_initializer"] = "he_normal"
    layers: list[keras.Layer] = [
        Conv2D(count, kernel_size, 2, "same", **shared, **LAST) for count in filters
    ]
    layers.append(keras.layers.Flatten(**LAST))
    layers += [keras.layers.Dense(units, **shared) for units in dense]
    return keras.Sequential(layers)


def conv_decoder(
    filters: Sequence[int],
    output_shape: Sequence[int],
    dense: Sequence[int] = (),
    kernel_size: int = 4,
    activation: str = "relu",
    output_activation: str | None = None,
    keep_scale: bool = False,
) -> keras.Sequential:
    """The mirror of `conv_encoder`; a picture whose sides are not a multiple is cropped to its size.

    Args:
        filters: the encoder's filters, in the encoder's order.
        output_shape: (h, w, c).
        dense: the encoder's fully connected units, in the encoder's order.
        kernel_size: width and height of the kernels, in pixels.
        activation: of every layer but the last.
        output_activation: of the last layer. Keep None for logits.
        keep_scale: as in `conv_encoder`.

    Returns:
        (batch, units) -> (batch, h, w, c).

    Example:
        >>> decoder = zoo.networks.conv_decoder((4, 8), output_shape=(9, 9, 1), dense=(16,))
        >>> decoder(np.zeros((3, 2), "float32")).shape
        TensorShape([3, 9, 9, 1])
    """
    height, width, channels = output_shape
    for _ in filters:
        height, width = -(-height // 2), -(-width // 2)
    flat: dict[str, Any] = {"activation": activation}
    wide = dict(flat)
    if keep_scale:
        flat["kernel_initializer"] = "he_normal"
        wide["kernel_initializer"] = _KEEPS_SCALE
    layers: list[keras.Layer] = [keras.layers.Dense(units, **flat) for units in reversed(dense)]
    layers.append(keras.layers.Dense(height * width * filters[-1], **flat))
    layers.append(keras.layers.Reshape((height, width, filters[-1])))
    layers += [
        Conv2DTranspose(count, kernel_size, 2, "same", **wide, **LAST)
        for count in reversed(filters[:-1])
    ]
    layers.append(
        Conv2DTranspose(channels, kernel_size, 2, "same", activation=output_activation, **LAST)
    )
    layers += cropping((height << len(filters), width << len(filters)), output_shape)
    return keras.Sequential(layers)


def cropping(have: Sequence[int], want: Sequence[int]) -> list[keras.Layer]:
    """A layer that cuts pictures of height and width `have` down to `want`; none where they are equal."""
    spare = [large - small for large, small in zip(have, want, strict=False)]
    if not any(spare):
        return []
    return [Cropping2D([(side // 2, -(-side // 2)) for side in spare], **LAST)]
