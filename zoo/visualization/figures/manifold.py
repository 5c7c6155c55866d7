"""The manifold that a decoder draws: codes on a grid of the prior's quantiles, decoded."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from zoo.values import positive_int
from zoo.visualization.drawing.inputs import decoder_of
from zoo.visualization.drawing.mosaics import (
    Limits,
    fit_columns,
    is_picture,
    mosaic_size,
    show_mosaic,
    to_pictures,
    value_range,
)
from zoo.visualization.drawing.quantiles import midpoints, quantiles
from zoo.visualization.drawing.rows import shades, tick_places
from zoo.visualization.drawing.style import (
    PALETTE,
    SEQUENTIAL,
    WIDTH,
    panels,
    share_scales,
    styled,
    whole_ticks,
)
from zoo.visualization.drawing.vectors import (
    as_windows,
    draw_vector,
    is_plane,
    is_window,
    leading_channels,
)


def inverse_cdf_grid(prior: Any, steps: int = 20) -> np.ndarray:
    """Two-dimensional codes in equal steps of the prior's probability.

    z_ij = (F_1^{-1}((i + 1/2) / steps), F_2^{-1}((j + 1/2) / steps)) (Kingma and Welling 2014,
    figure 4), F_1 and F_2 the marginal distribution functions.

    Args:
        prior: anything that `quantiles` reads, with 2 units: a TFP or SciPy distribution, or codes
            (n, 2), which give the grid of the aggregate posterior.
        steps: codes along each side.

    Returns:
        (steps, steps, 2); [i, j] holds the i-th value of unit 0 and the j-th of unit 1.

    Raises:
        ValueError: for a prior of another length.

    Example:
        >>> from scipy.stats import uniform
        >>> grid = zoo.visualization.inverse_cdf_grid(uniform(), steps=2)
        >>> grid.tolist()
        [[[0.25, 0.25], [0.25, 0.75]], [[0.75, 0.25], [0.75, 0.75]]]
    """
    values = quantiles(prior, midpoints(positive_int(steps, "steps")), 2)
    return np.stack(np.meshgrid(values[:, 0], values[:, 1], indexing="ij"), axis=-1)


@styled
def manifold(
    model: Any, prior: Any, length: int | None = None, steps: int = 20, limits: Limits = None
) -> Figure:
    """Decoded codes on the inverse-CDF grid of a prior of 1 or 2 units.

    Pictures: unit 0 grows to the right, unit 1 upwards; one unit is read line by line. Points of a
    plane: the curve or the net that the decoder lays into it. Single numbers: the value against
    unit 0. Windows: the channel that varies most, as lines. Other vectors: points.

    Args:
        model: a model with `decode`, or a function from codes to examples.
        prior: anything that `quantiles` reads.
        length: number of units, 1 or 2; by default those of the model, 2 for a function.
        steps: codes along each side; for 1 unit their square in all.
        limits: values of black and white; by default those of `value_range` of what is decoded.

    Returns:
        A figure with 1 axes; for 2 units and longer vectors one for each of up to 9 values of unit 1.

    Raises:
        ValueError: for another number of units.

    Example:
        >>> model = zoo.create("vae", (8, 8, 1), latents=2, hidden=(4,))
        >>> figure = zoo.visualization.manifold(model, model.prior_distribution(), steps=5)
        >>> len(figure.axes)
        1
    """
    if length is None:
        length = getattr(model, "units", 2)
    if length not in (1, 2):
        raise ValueError(
            f"A manifold is drawn for codes of 1 or 2 units; received {length}. "
            "Use traversals for longer codes."
        )
    decode = decoder_of(model)
    if length == 1:
        codes = quantiles(prior, midpoints(positive_int(steps, "steps") ** 2), 1)
        grid = codes.reshape(steps, steps, 1)
    else:
        grid = inverse_cdf_grid(prior, steps)
    decoded = decode(grid.reshape(-1, length))
    event = decoded.shape[1:]
    if is_picture(event):
        figure = _pictures(decoded, grid, value_range(decoded) if limits is None else limits)
    elif is_plane(event):
        figure = _net(decoded.reshape(steps, steps, 2), length)
    elif event == (1,):
        figure = _numbers(decoded.reshape(steps, steps, 1), grid)
    elif is_window(event):
        windows = as_windows(decoded, event)
        (channel,) = leading_channels(windows, 1)
        figure = _vectors(windows[..., channel].reshape(steps, steps, -1), grid, channel)
    else:
        figure = _vectors(decoded.reshape(steps, steps, -1), grid)
    figure.suptitle("Codes in equal steps of probability, decoded", x=0.01, ha="left")
    return figure


def _pictures(decoded: np.ndarray, grid: np.ndarray, limits: tuple[float, float]) -> Figure:
    pictures = to_pictures(decoded)
    steps, length = grid.shape[0], grid.shape[-1]
    if length == 2:  # rows from the top: the greatest value of unit 1 first
        pictures = pictures.reshape(steps, steps, *pictures.shape[1:])
        pictures = pictures[:, ::-1].swapaxes(0, 1).reshape(-1, *pictures.shape[2:])
    columns = steps if length == 2 else fit_columns(len(pictures), pictures.shape[1:])
    height, width = mosaic_size(len(pictures), columns, pictures.shape[1:])
    inches = min((WIDTH - 0.6) * height / width, 6.4)
    figure = Figure(figsize=(WIDTH, inches + 0.8))
    axes = figure.subplots()
    show_mosaic(axes, pictures, columns, limits)
    if length == 1:
        ends = grid.ravel()[[0, -1]]
        axes.set_xlabel(f"unit 0, line by line from {ends[0]:.3g} to {ends[1]:.3g}")
        return figure
    h, w = pictures.shape[1:3]
    marked = np.unique(np.round(np.linspace(0, steps - 1, min(steps, 5))).astype(int))
    axes.set_xticks(tick_places(steps, w, width)[marked], [f"{z:.2g}" for z in grid[marked, 0, 0]])
    upwards = tick_places(steps, h, height)[::-1]
    axes.set_yticks(upwards[marked], [f"{z:.2g}" for z in grid[0, marked, 1]])
    axes.set(xlabel="unit 0", ylabel="unit 1")
    return figure


def _net(points: np.ndarray, length: int) -> Figure:
    figure = Figure(figsize=(WIDTH, 4.4))
    axes = figure.subplots()
    if length == 1:
        path = points.reshape(-1, 2)
        axes.plot(*path.T, color="#999999", linewidth=1, zorder=1)
        drawn = axes.scatter(*path.T, c=midpoints(len(path)), cmap=SEQUENTIAL, s=10, zorder=2)
        figure.colorbar(drawn, ax=axes, label="probability of the prior below the code")
    else:
        for index, shade in enumerate(shades(len(points))):
            axes.plot(*points[index].T, color=shade, linewidth=1, label="unit 0 fixed")
            axes.plot(
                *points[:, index].T, color=shade, linewidth=1, dashes=(3, 2), label="unit 1 fixed"
            )
        axes.legend(
            *[part[:2] for part in axes.get_legend_handles_labels()],
            loc="upper left",
            bbox_to_anchor=(1.01, 1),
            title="dark: lowest value",
        )
    axes.set(xlabel="first coordinate", ylabel="second coordinate", aspect="equal")
    return figure


def _numbers(values: np.ndarray, grid: np.ndarray) -> Figure:
    """Single numbers against unit 0, one line for each of some values of unit 1."""
    figure = Figure(figsize=(WIDTH, 3.6))
    axes = figure.subplots()
    if grid.shape[-1] == 1:
        axes.plot(grid.ravel(), values.ravel(), color=PALETTE[0], marker="o", markersize=3)
    else:
        shown = np.unique(np.round(np.linspace(0, len(grid) - 1, min(len(grid), 9))).astype(int))
        for index, color in zip(shown, shades(len(shown)), strict=True):
            label = f"{grid[0, index, 1]:.2g}"
            axes.plot(grid[:, index, 0], values[:, index, 0], color=color, label=label)
        axes.legend(title="unit 1", loc="upper left", bbox_to_anchor=(1.01, 1))
    axes.set(xlabel="unit 0", ylabel="decoded value")
    return figure


def _vectors(vectors: np.ndarray, grid: np.ndarray, channel: int | None = None) -> Figure:
    """Vectors (steps, steps, d) as points; one channel of windows as lines."""
    steps, length = grid.shape[0], grid.shape[-1]
    if length == 1:
        rows, names = vectors.reshape(1, steps * steps, -1)[:, :: max(1, steps)], ["unit 0"]
    else:
        shown = np.unique(np.round(np.linspace(0, steps - 1, min(steps, 9))).astype(int))
        rows = vectors[:, shown].swapaxes(0, 1)
        names = [f"unit 1 = {grid[0, index, 1]:.2g}" for index in shown]
    figure, axes = panels(len(rows), 3, 1.6)
    colors = shades(rows.shape[1])
    for place, lines, name in zip(axes, rows, names, strict=True):
        for vector, color in zip(lines, colors, strict=True):
            if channel is None:
                draw_vector(place, vector, color)
            else:
                place.plot(vector, color=color, linewidth=1)
                whole_ticks(place)
        place.set_title(name)
    share_scales(axes)
    across = "coordinate" if channel is None else "time step"
    figure.supxlabel(f"{across} (dark: lowest value of unit 0)")
    figure.supylabel("value" if channel is None else f"channel {channel}, the one that varies most")
    return figure
