"""Inputs beside their reconstructions."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from zoo.values import positive_int
from zoo.visualization.drawing.inputs import as_examples
from zoo.visualization.drawing.mosaics import (
    is_picture,
    mosaic_size,
    show_mosaic,
    to_pictures,
    value_range,
)
from zoo.visualization.drawing.style import PALETTE, WIDTH, panels, share_scales, styled
from zoo.visualization.drawing.vectors import (
    as_windows,
    coordinate,
    draw_plane,
    draw_vector,
    is_plane,
    is_window,
    leading_channels,
    name_channels,
)

_CHANNELS = 3  # panels of a window


@styled
def reconstructions(inputs: Any, outputs: Any, limit: int = 12) -> Figure:
    """Inputs x, reconstructions x_hat, and where they differ.

    Pictures: three rows, x, x_hat and |x_hat - x|, the first two on one grey scale. Points of a
    plane: x and x_hat as scatter, joined for some. One number: x_hat against x. Windows: a panel
    for each channel, of the three that vary most. Other vectors: a panel each.

    Args:
        inputs: (n, *event), floats, or bytes: pictures (n, h, w, c) are divided by 255, others are not; or a
            record of `zoo.data.load`.
        outputs: (n, *event), of the scale that the inputs then have.
        limit: examples to show, of windows a `limit` of panels; points are all shown.

    Returns:
        A figure with 3 axes for pictures, 1 for points and single numbers, one an example for vectors, one
        for each channel of an example for windows.

    Raises:
        ValueError: for values that are not finite, or arrays of unequal shape.

    Example:
        >>> x = zoo.data.load("digits", "test", limit=10).inputs
        >>> model = zoo.create("vae", (8, 8, 1), latents=2, hidden=(4,))
        >>> figure = zoo.visualization.reconstructions(x, model.reconstruct(x))
        >>> len(figure.axes)
        3
    """
    x, x_hat = as_examples(inputs, "inputs"), as_examples(outputs, "outputs")
    if x.shape != x_hat.shape:
        raise ValueError(
            f"inputs and outputs must have one shape; received {x.shape} and {x_hat.shape}."
        )
    limit = positive_int(limit, "limit")
    error = float(((x_hat - x).astype(np.float64) ** 2).reshape(len(x), -1).sum(axis=1).mean())
    if is_picture(x.shape[1:]):
        figure = _pictures(x[:limit], x_hat[:limit])
    elif is_plane(x.shape[1:]):
        figure = _plane(x, x_hat)
    elif is_window(x.shape[1:]):
        figure = _windows(*(as_windows(a[:limit], x.shape[1:]) for a in (x, x_hat)))
    elif x.shape[1] == 1:
        figure = _numbers(x, x_hat)
    else:
        figure = _vectors(x[:limit], x_hat[:limit])
    figure.suptitle(
        f"Squared error {error:.4g} per example, mean of {len(x)}",
        x=0.01,
        ha="left",
    )
    return figure


def _pictures(x: np.ndarray, x_hat: np.ndarray) -> Figure:
    limits = value_range(x)
    first, second = to_pictures(x), to_pictures(x_hat)
    difference = np.abs(second - first)
    if difference.ndim == 4:  # colour
        difference = difference.mean(axis=-1)
    top = float(difference.max()) or 1.0
    rows = [
        ("input", first, limits, "gray"),
        ("output", second, limits, "gray"),
        (f"|error|\n0 to {top:.2g}", difference, (0.0, top), "gray_r"),
    ]
    h, w = mosaic_size(len(x), len(x), rows[0][1].shape[1:])
    height = min((WIDTH - 0.8) * h / w, 1.6)
    figure, axes = panels(3, 1, height + 0.08)
    for place, (name, pictures, scale, cmap) in zip(axes, rows, strict=True):
        show_mosaic(place, pictures, len(pictures), scale, cmap)
        place.set_ylabel(name, rotation=0, ha="right", va="center")
    return figure


def _plane(x: np.ndarray, x_hat: np.ndarray) -> Figure:
    figure = Figure(figsize=(WIDTH, 4.4))
    axes = figure.subplots()
    draw_plane(axes, x, "input x", PALETTE[0], "o")
    draw_plane(axes, x_hat, "reconstruction", PALETTE[1], "x")
    for first, second in zip(x[:100], x_hat[:100], strict=True):
        axes.plot(*np.stack([first, second]).T, color="#999999", linewidth=0.6, zorder=1)
    axes.set(xlabel="first coordinate", ylabel="second coordinate", aspect="equal")
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1))
    return figure


def _numbers(x: np.ndarray, x_hat: np.ndarray) -> Figure:
    figure = Figure(figsize=(WIDTH, 4.0))
    axes = figure.subplots()
    axes.axline((float(x.mean()), float(x.mean())), slope=1, color="#999999", linewidth=1)
    axes.scatter(x, x_hat, s=9, color=PALETTE[0], alpha=0.6, linewidths=0)
    axes.set(xlabel="input x", ylabel="reconstruction", title="on the grey line they are equal")
    return figure


def _windows(x: np.ndarray, x_hat: np.ndarray) -> Figure:
    """A row for each example, a panel for each of its channels; of one channel three examples a row."""
    channels = leading_channels(x, _CHANNELS)
    columns = len(channels) if len(channels) > 1 else 3
    shown = max(1, len(x) // len(channels))
    figure, axes = panels(shown * len(channels), columns, 1.3)
    pairs = [(x[i, :, c], x_hat[i, :, c]) for i in range(shown) for c in channels]
    for place, (first, second) in zip(axes, pairs, strict=True):
        place.plot(first, color=PALETTE[0], linewidth=1.2, label="input x")
        place.plot(second, color=PALETTE[1], linewidth=1.2, linestyle="--", label="reconstruction")
    share_scales(axes)
    name_channels(axes, channels, x.shape[-1])
    for place in axes[-columns:]:
        place.set_xlabel("time step")
    figure.supylabel("value")
    handles, names = axes[0].get_legend_handles_labels()
    left_out = f"{len(channels)} of {x.shape[-1]} channels, those that vary most"
    title = left_out if len(channels) < x.shape[-1] else None
    figure.legend(handles, names, loc="outside lower center", ncols=2, title=title)
    return figure


def _vectors(x: np.ndarray, x_hat: np.ndarray) -> Figure:
    figure, axes = panels(len(x), 3, 1.3)
    for place, first, second in zip(axes, x, x_hat, strict=True):
        draw_vector(place, first, PALETTE[0], "o", "input x")
        draw_vector(place, second, PALETTE[1], "x", "reconstruction")
    share_scales(axes)
    for place in axes[-3:]:
        place.set_xlabel(coordinate())
    figure.supylabel("value")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure
