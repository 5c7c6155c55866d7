"""Samples of a model."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from zoo.values import positive_int
from zoo.visualization.drawing.inputs import as_examples
from zoo.visualization.drawing.mosaics import (
    fit_columns,
    is_picture,
    mosaic_size,
    show_mosaic,
    to_pictures,
    value_range,
)
from zoo.visualization.drawing.style import PALETTE, WIDTH, panels, share_scales, styled
from zoo.visualization.drawing.vectors import (
    as_windows,
    channel_legend,
    coordinate,
    coordinate_name,
    draw_plane,
    draw_vector,
    draw_window,
    is_plane,
    is_window,
    leading_channels,
)

_BINS = 30


@styled
def samples(generated: Any, data: Any = None, columns: int | None = None) -> Figure:
    """Samples x ~ p(x|z), z ~ p(z), or their means.

    Pictures: one grid. Points of a plane: a scatter over the data. Single numbers: a histogram over that
    of the data. Windows: a panel each, a line for each channel. Other vectors: a panel each.

    Args:
        generated: (n, *event), as ``model.generate`` returns.
        data: (m, *event), real examples; sets the grey scale, and lies behind points. Optional.
        columns: pictures in a row; by default what makes the grid twice as wide as high.

    Returns:
        A figure with 1 axes, or one a sample for windows and vectors.

    Raises:
        ValueError: for values that are not finite, or data of another shape.

    Example:
        >>> model = zoo.create("vae", (8, 8, 1), latents=2, hidden=(4,))
        >>> figure = zoo.visualization.samples(model.generate(8, seed=0))
        >>> len(figure.axes)
        1
    """
    x = as_examples(generated, "generated")
    real = None if data is None else as_examples(data, "data")
    if real is not None and real.shape[1:] != x.shape[1:]:
        raise ValueError(
            f"data must have the shape of the samples, {x.shape[1:]}; received {real.shape[1:]}."
        )
    if is_picture(x.shape[1:]):
        figure = _pictures(x, value_range(x if real is None else real), columns)
    elif is_plane(x.shape[1:]):
        figure = _plane(x, real)
    elif x.shape[1:] == (1,):
        figure = _numbers(x, real)
    elif is_window(x.shape[1:]):
        figure = _windows(as_windows(x, x.shape[1:]))
    else:
        figure, axes = panels(len(x), 4, 1.1)
        for place, vector in zip(axes, x, strict=True):
            draw_vector(place, vector, PALETTE[0])
        share_scales(axes)
        figure.supxlabel(coordinate())
        figure.supylabel("value")
    figure.suptitle(f"{len(x)} codes from the prior, decoded", x=0.01, ha="left")
    return figure


def _pictures(x: np.ndarray, limits: tuple[float, float], columns: int | None) -> Figure:
    pictures = to_pictures(x)
    shape = pictures.shape[1:]
    columns = fit_columns(len(x), shape) if columns is None else positive_int(columns, "columns")
    columns = min(columns, len(x))
    h, w = mosaic_size(len(x), columns, shape)
    figure = Figure(figsize=(WIDTH, min((WIDTH - 0.2) * h / w, 6) + 0.45))
    show_mosaic(figure.subplots(), pictures, columns, limits)
    return figure


def _windows(x: np.ndarray) -> Figure:
    channels = leading_channels(x)
    figure, axes = panels(len(x), 3, 1.1)
    for place, window in zip(axes, x, strict=True):
        draw_window(place, window, channels)
    share_scales(axes)
    for place in axes[-3:]:
        place.set_xlabel("time step")
    figure.supylabel("value")
    channel_legend(figure, channels, x.shape[-1])
    return figure


def _numbers(x: np.ndarray, real: np.ndarray | None) -> Figure:
    figure, (axes,) = panels(1, 1, 2.6)
    both = x if real is None else np.concatenate([x, real])
    bins = np.histogram_bin_edges(both, _BINS).tolist()
    if real is not None:
        axes.hist(real[:, 0], bins, density=True, color=PALETTE[5], label="data")
    axes.hist(
        x[:, 0], bins, density=True, histtype="step", color=PALETTE[1], lw=1.6, label="sample"
    )
    axes.set(xlabel=coordinate_name(0), ylabel="density")
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1))
    return figure


def _plane(x: np.ndarray, real: np.ndarray | None) -> Figure:
    figure = Figure(figsize=(WIDTH, 4.4))
    axes = figure.subplots()
    if real is not None:
        draw_plane(axes, real, "data", PALETTE[5], "o")
    draw_plane(axes, x, "sample", PALETTE[1], "x")
    axes.set(xlabel="first coordinate", ylabel="second coordinate", aspect="equal")
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1))
    return figure
