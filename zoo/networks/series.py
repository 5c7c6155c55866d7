"""Networks of windows of time series, and of tokens: recurrent, and convolutions along time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras

from zoo.networks.build import Networks
from zoo.networks.conv import LAST, halving_filters
from zoo.registry import register

# As that of `zoo.networks.conv`: a step of a transposed convolution of stride 2 sees half of the kernel.
_KEEPS_SCALE = {
    "class_name": "VarianceScaling",
    "config": {"scale": 4.0, "mode": "fan_out", "distribution": "truncated_normal"},
}
_KERNEL = 5


@register("gru", kind="network")
def gru_networks(input_shape: Sequence[int], hidden: Sequence[int] | None = None) -> Networks:
    """Gated recurrent units; the code is what is left at the end, and the decoder hears it at every step.

    Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder", 2014, section 2.2.

    Args:
        input_shape: (time, channels).
        hidden: units of each layer, first to last in the encoder; None for one of 128.

    Returns:
        The encoder and the decoder.

    Example:
        >>> model = zoo.create("vae", (12, 3), latents=2, networks="gru", hidden=(8,), likelihood="normal")
        >>> windows = np.random.default_rng(0).normal(size=(20, 12, 3)).astype("float32")
        >>> model.encode(windows).shape, model.reconstruct(windows).shape
        ((20, 2), (20, 12, 3))
    """
    time, channels = _window(input_shape, "gru")
    gru, sizes = keras.layers.GRU, (128,) if hidden is None else tuple(hidden)
    there = [gru(units, return_sequences=True) for units in sizes[:-1]]
    there += [gru(units) for units in sizes[-1:]]
    back = [gru(units, return_sequences=True) for units in reversed(sizes)]
    decoder = [keras.layers.RepeatVector(time), *back, keras.layers.Dense(channels)]
    return Networks(keras.Sequential(there), keras.Sequential(decoder))


@register("conv1d", kind="network")
def conv1d_networks(
    input_shape: Sequence[int],
    hidden: Sequence[int] | None = None,
    activation: str = "relu",
    dense: Sequence[int] | None = None,
) -> Networks:
    """Convolutions along time of stride 2, and transposed ones in reverse order.

    Args:
        input_shape: (time, channels).
        hidden: filters of the convolutions; None for as many as `zoo.networks.conv.halving_filters` says.
        activation: of every hidden layer.
        dense: units of the layers between the convolutions and the code; None for one of 256 where `hidden`
            is None too, and for none otherwise.

    Returns:
        The encoder and the decoder.

    Example:
        >>> encoder, decoder = zoo.networks.build_networks("conv1d", (13, 3), hidden=(4, 6))
        >>> encoder(np.zeros((2, 13, 3), "float32")).shape  # 4 steps of 6 filters
        TensorShape([2, 24])
        >>> decoder(np.zeros((2, 5), "float32")).shape
        TensorShape([2, 13, 3])
    """
    time, channels = _window(input_shape, "conv1d")
    if dense is None:
        dense = (256,) if hidden is None else ()
    filters = halving_filters(time) if hidden is None else tuple(hidden)
    options: dict[str, Any] = {"padding": "same", **LAST}
    flat: dict[str, Any] = {"activation": activation, "kernel_initializer": "he_normal"}
    wide: dict[str, Any] = {"activation": activation, "kernel_initializer": _KEEPS_SCALE}
    conv, up = keras.layers.Conv1D, keras.layers.Conv1DTranspose
    there = [conv(count, _KERNEL, 2, **flat, **options) for count in filters]
    there += [keras.layers.Flatten(**LAST)]
    there += [keras.layers.Dense(units, **flat) for units in dense]
    steps = math.ceil(time / (1 << len(filters)))
    back = [keras.layers.Dense(units, **flat) for units in reversed(dense)]
    back += [keras.layers.Dense(steps * filters[-1], **flat)]
    back += [keras.layers.Reshape((steps, filters[-1]))]
    back += [up(count, _KERNEL, 2, **wide, **options) for count in reversed(filters[:-1])]
    back += [up(channels, _KERNEL, 2, **options)]
    spare = (steps << len(filters)) - time
    if spare:
        back.append(keras.layers.Cropping1D((spare // 2, -(-spare // 2))))
    return Networks(keras.Sequential(there), keras.Sequential(back))


def _window(shape: Sequence[int], networks: str) -> tuple[int, int]:
    if len(shape) != 2:
        hint = "Use networks='conv'. (Windows in a file: load it with series=True.)"
        if len(shape) == 1:
            hint = "Add the channel axis: x[..., None]."
        raise ValueError(
            f"networks={networks!r} needs windows of shape (time, channels), or tokens with the likelihood "
            f"'categorical'; received input_shape={tuple(shape)}. {hint}"
        )
    time, channels = shape
    return time, channels
