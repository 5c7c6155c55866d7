"""Convolutional networks: stride 2 downwards, transposed convolutions upwards."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras

from zoo.networks.few_channels import Conv2D, Conv2DTranspose, Cropping2D

Activation = str | keras.layers.Layer
# Pixels along the longer side of the last feature map.
_SMALLEST = 4
# Pixels up to which a picture is small, and along the last feature map of larger ones.
_SMALL = 32
_LARGE_MAP = 8
# Units of the dense layer between convolutions and code where a user names no filters.
DENSE = (256,)
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


def halving_filters(side: int) -> tuple[int, ...]:
    """Filters of convolutions of stride 2 that bring a side to 4 places: 64, then 128, and 64 in the last.

    There are two at least. The last one has few filters, since nearly all weights would be those between it
    and the dense layer.

    Args:
        side: places along the longer side.

    Returns:
        The filters of each convolution.

    Example:
        >>> from zoo.networks.conv import halving_filters
        >>> halving_filters(28), halving_filters(64)
        ((64, 128, 64), (64, 128, 128, 64))
    """
    layers = max(2, math.ceil(math.log2(side / _SMALLEST)))
    return (64, *(128,) * (layers - 2), 64)


def default_filters(shape: Sequence[int]) -> tuple[int, ...]:
    """Filters of the convolutions where a user names none.

    Those of `halving_filters` for pictures of up to 32 pixels. Larger ones go through 64 filters of stride 4,
    and as many times 64 of stride 2 as bring the longer side to 8 pixels: with a larger last map and fewer
    layers a VAE on sprites of 64 x 64 learns faster per step, and a step takes a sixth of the time.

    Args:
        shape: (h, w, channels).

    Returns:
        The filters of each convolution.

    Example:
        >>> from zoo.networks.conv import default_filters
        >>> default_filters((28, 28, 1)), default_filters((64, 64, 3)), default_filters((128, 128, 3))
        ((64, 128, 64), (64, 64), (64, 64, 64))
    """
    side = max(shape[:2])
    if side <= _SMALL:
        return halving_filters(side)
    return (64,) * (1 + math.ceil(math.log2(side / (4 * _LARGE_MAP))))


def default_stride(shape: Sequence[int]) -> int:
    """Stride of the first convolution where a user names no filters: 2 up to 32 pixels, 4 above.

    Args:
        shape: (h, w, channels).

    Returns:
        The stride.

    Example:
        >>> from zoo.networks.conv import default_stride
        >>> default_stride((28, 28, 1)), default_stride((64, 64, 3))
        (2, 4)
    """
    return 2 if max(shape[:2]) <= _SMALL else 4


def conv_encoder(
    filters: Sequence[int],
    dense: Sequence[int] = (),
    kernel_size: int = 4,
    activation: Activation = "relu",
    keep_scale: bool = False,
    first_stride: int = 2,
) -> keras.Sequential:
    """Convolutions of stride 2, then fully connected layers.

    Args:
        filters: filters of each convolution.
        dense: units of the fully connected layers that follow; may be empty.
        kernel_size: width and height of the kernels, in pixels.
        activation: of every layer: a name, or a layer such as ``keras.layers.LeakyReLU(negative_slope=0.1)``.
        keep_scale: whether the weights begin as He et al. have them ("Delving Deep into Rectifiers", 2015,
            equation 10), so that the signal is as large in the last layer as in the first; Keras's default
            otherwise.
        first_stride: of the first convolution, whose kernel grows with it.

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
        Conv2D(count, kernel_size * stride // 2, stride, "same", **shared, **LAST)
        for count, stride in zip(filters, _strides(filters, first_stride), strict=True)
    ]
    layers.append(keras.layers.Flatten(**LAST))
    layers += [keras.layers.Dense(units, **shared) for units in dense]
    return keras.Sequential(layers)


def conv_decoder(
    filters: Sequence[int],
    output_shape: Sequence[int],
    dense: Sequence[int] = (),
    kernel_size: int = 4,
    activation: Activation = "relu",
    output_activation: str | None = None,
    keep_scale: bool = False,
    first_stride: int = 2,
    linear_map: bool = False,
) -> keras.Sequential:
    """The mirror of `conv_encoder`; a picture whose sides are not a multiple is cropped to its size.

    Args:
        filters: the encoder's filters, in the encoder's order.
        output_shape: (h, w, c).
        dense: the encoder's fully connected units, in the encoder's order.
        kernel_size: width and height of the kernels, in pixels.
        activation: of every layer but the last, as in `conv_encoder`.
        output_activation: of the last layer. Keep None for logits.
        keep_scale: as in `conv_encoder`.
        first_stride: of the encoder's first convolution, and so of the last one here.
        linear_map: whether the dense layer that gives the first feature map has no activation. A VAE then
            leaves the mean picture behind sooner: on sprites after 150 steps about 165 nats for 300, see
            docs/results/benchmarks.

    Returns:
        (batch, units) -> (batch, h, w, c).

    Example:
        >>> decoder = zoo.networks.conv_decoder((4, 8), output_shape=(9, 9, 1), dense=(16,))
        >>> decoder(np.zeros((3, 2), "float32")).shape
        TensorShape([3, 9, 9, 1])
    """
    height, width, channels = output_shape
    for stride in _strides(filters, first_stride):
        height, width = -(-height // stride), -(-width // stride)
    flat: dict[str, Any] = {"activation": activation}
    wide = dict(flat)
    if keep_scale:
        flat["kernel_initializer"] = "he_normal"
        wide["kernel_initializer"] = _KEEPS_SCALE
    layers: list[keras.Layer] = [keras.layers.Dense(units, **flat) for units in reversed(dense)]
    if linear_map:
        flat["activation"] = None
    layers.append(keras.layers.Dense(height * width * filters[-1], **flat))
    layers.append(keras.layers.Reshape((height, width, filters[-1])))
    layers += [
        Conv2DTranspose(count, kernel_size, 2, "same", **wide, **LAST)
        for count in reversed(filters[:-1])
    ]
    kernel = kernel_size * first_stride // 2
    layers.append(
        Conv2DTranspose(
            channels, kernel, first_stride, "same", activation=output_activation, **LAST
        )
    )
    factor = math.prod(_strides(filters, first_stride))
    layers += cropping((height * factor, width * factor), output_shape)
    return keras.Sequential(layers)


def _strides(filters: Sequence[int], first: int) -> list[int]:
    """The stride of each of the encoder's convolutions."""
    return [first, *[2] * (len(filters) - 1)]


def cropping(have: Sequence[int], want: Sequence[int]) -> list[keras.Layer]:
    """A layer that cuts pictures of height and width `have` down to `want`; none where they are equal."""
    spare = [large - small for large, small in zip(have, want, strict=False)]
    if not any(spare):
        return []
    return [Cropping2D([(side // 2, -(-side // 2)) for side in spare], **LAST)]
