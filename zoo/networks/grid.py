"""Convolutions that keep their places: for a grid of codes."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from zoo.networks.build import Networks
from zoo.networks.conv import check_picture_shape, cropping
from zoo.networks.few_channels import Conv2D, Conv2DTranspose
from zoo.registry import register


@register("grid", kind="network")
def grid_networks(
    input_shape: Sequence[int], hidden: Sequence[int] | None = None, activation: str = "relu"
) -> Networks:
    """Convolutions of stride 2, and transposed ones in reverse order, for a code at every place.

    Args:
        input_shape: (h, w, channels).
        hidden: filters of the convolutions; each halves height and width. None for 64 and 128.
        activation: of every hidden layer.

    Returns:
        Networks of (batch, h, w, channels) -> (batch, h / 4, w / 4, features) and back, for two filters.

    Example:
        >>> encoder, decoder = zoo.networks.build_networks("grid", (9, 9, 1), hidden=(4, 6))
        >>> encoder(np.zeros((3, 9, 9, 1), "float32")).shape
        TensorShape([3, 3, 3, 6])
        >>> decoder(np.zeros((3, 3, 3, 2), "float32")).shape
        TensorShape([3, 9, 9, 1])
    """
    check_picture_shape(input_shape, "grid")
    conv, up = Conv2D, Conv2DTranspose
    filters = (64, 128) if hidden is None else tuple(hidden)
    height, width = input_shape[:2]
    for _ in filters:
        height, width = -(-height // 2), -(-width // 2)
    there = [conv(count, 4, 2, "same", activation=activation) for count in filters]
    back = [conv(filters[-1], 3, 1, "same", activation=activation)]
    back += [up(count, 4, 2, "same", activation=activation) for count in reversed(filters[:-1])]
    back.append(up(input_shape[-1], 4, 2, "same"))
    back += cropping((height << len(filters), width << len(filters)), input_shape)
    return Networks(keras.Sequential(there), keras.Sequential(back))
