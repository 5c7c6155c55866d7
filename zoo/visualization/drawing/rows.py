"""Walks through a code space: one walk a row, one step a column."""

from __future__ import annotations

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from zoo.visualization.drawing.mosaics import (
    Limits,
    is_picture,
    mosaic_size,
    show_mosaic,
    to_pictures,
    value_range,
)
from zoo.visualization.drawing.style import SEQUENTIAL, WIDTH, panels, share_scales, whole_ticks
from zoo.visualization.drawing.vectors import (
    as_windows,
    coordinate,
    draw_vector,
    is_plane,
    is_window,
    leading_channels,
    name_channels,
)

_CHANNELS = 3  # panels of a walk


def draw_walks(
    decoded: np.ndarray,
    names: list[str],
    steps: list[str] | None,
    xlabel: str,
    limits: Limits = None,
) -> Figure:
    """Decoded walks.

    Args:
        decoded: (walks, steps, *event).
        names: one for each walk.
        steps: one for each step, shown below columns of pictures; or None.
        xlabel: what the steps are, below pictures.
        limits: values of black and white; by default those of `value_range` of what is decoded.

    Returns:
        A figure with 1 axes for pictures, a row for each walk. Else one axes for each walk: a path for
        points of a plane, values for single numbers, points for other vectors, and for windows a row of
        axes, one a channel; dark for the first step.
    """
    event = decoded.shape[2:]
    if is_picture(event):
        limits = value_range(decoded) if limits is None else limits
        return _pictures(decoded, names, steps, xlabel, limits)
    if is_window(event):
        return _windows(as_windows(decoded, event), names)
    plane = is_plane(event)
    columns = 4 if len(decoded) % 4 == 0 else 3
    figure, axes = panels(len(decoded), columns, 2.3 if plane else 1.5)
    for place, name, path in zip(axes, names, decoded, strict=True):
        _path(place, path)
        place.set_title(name.replace("\n", ": "))
    share_scales(axes)
    across = "first coordinate" if plane else coordinate() if event[0] > 1 else "step"
    figure.supxlabel(f"{across} (dark: first step)")
    figure.supylabel("second coordinate" if plane else "value")
    return figure


def shades(count: int) -> np.ndarray:
    """Colours (count, 4) from dark to light, all visible on white."""
    return colormaps[SEQUENTIAL](np.linspace(0, 0.9, count))


def tick_places(count: int, size: int, total: int) -> np.ndarray:
    """Pixels of the middles of `count` pictures of one size in a mosaic of `total` pixels."""
    return np.arange(count) * (total - size) / max(count - 1, 1) + (size - 1) / 2


def _pictures(
    decoded: np.ndarray,
    names: list[str],
    steps: list[str] | None,
    xlabel: str,
    limits: tuple[float, float],
) -> Figure:
    columns = decoded.shape[1]
    pictures = to_pictures(decoded.reshape(-1, *decoded.shape[2:]))
    h, w = pictures.shape[1:3]
    height, width = mosaic_size(len(pictures), columns, (h, w))
    margin = 0.5 + 0.07 * max(len(line) for name in names for line in name.split("\n"))
    figure = Figure(figsize=(WIDTH, min((WIDTH - margin) * height / width, 8.0) + 0.75))
    axes = figure.subplots()
    show_mosaic(axes, pictures, columns, limits)
    axes.set_yticks(tick_places(len(names), h, height), names)
    if steps is not None:
        axes.set_xticks(tick_places(columns, w, width), steps)
    axes.tick_params(length=0)
    axes.set_xlabel(xlabel)
    return figure


def _windows(decoded: np.ndarray, names: list[str]) -> Figure:
    channels = leading_channels(decoded, _CHANNELS)
    columns = len(channels) if len(channels) > 1 else 3
    count = decoded.shape[-1]
    figure, axes = panels(len(names) * len(channels), columns, 1.3)
    for row, (name, path) in enumerate(zip(names, decoded, strict=True)):
        first = row * len(channels)
        for place, channel in zip(axes[first:], channels, strict=False):
            for series, color in zip(path[..., channel], shades(len(path)), strict=True):
                place.plot(series, color=color, linewidth=1)
        axes[first].set_title(name.replace("\n", ": "), fontsize=8)
    share_scales(axes)
    name_channels(axes, channels, count)
    note = f"; {len(channels)} of {count} channels" if len(channels) < count else ""
    figure.supxlabel(f"time step (dark: first step of the walk{note})")
    figure.supylabel("value")
    return figure


def _path(axes: Axes, path: np.ndarray) -> None:
    colors = shades(len(path))
    if is_plane(path.shape[1:]):
        axes.plot(*path.T, color="#999999", linewidth=1, zorder=1)
        axes.scatter(*path.T, c=colors, s=18, zorder=2)
        axes.set_aspect("equal")
        return
    if path.shape[1] == 1:
        axes.plot(path, color="#999999", linewidth=1, zorder=1)
        axes.scatter(range(len(path)), path, c=colors, s=18, zorder=2)
        whole_ticks(axes)
        return
    for vector, color in zip(path, colors, strict=True):
        draw_vector(axes, vector, color)
