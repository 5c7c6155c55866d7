"""Drawing of examples that are not pictures: points of a plane, vectors, and windows of a series."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from zoo.visualization.drawing.style import PALETTE, literal, whole_ticks

_POINTS = 4000  # more points cover each other
_CHANNELS = 6  # more lines of a panel cover each other
_NAMED = 24  # more names below a panel cannot be read
_NAMES: ContextVar[tuple[str, ...]] = ContextVar("names of the coordinates of vectors", default=())


@contextmanager
def columns_called(names: Sequence[str] | None) -> Iterator[None]:
    """Write these names below the vectors that are drawn within: those of a table's columns.

    Args:
        names: one for each coordinate; None, or more than can be read, for numbers.
    """
    known = tuple(names or ())
    token = _NAMES.set(known if len(known) <= _NAMED else ())
    try:
        yield
    finally:
        _NAMES.reset(token)


def coordinate() -> str:
    """What the places of a vector are called in a figure."""
    return "column" if _NAMES.get() else "coordinate"


def coordinate_name(index: int) -> str:
    """The name of a coordinate of a table with names, "value" of one without."""
    names = _NAMES.get()
    return literal(names[index]) if index < len(names) else "value"


def is_plane(event_shape: tuple[int, ...]) -> bool:
    """True for points of a plane, (2,)."""
    return tuple(event_shape) == (2,)


def is_window(event_shape: tuple[int, ...]) -> bool:
    """True for windows of a series, (time, channels) or (time, channels, 1).

    Nothing but the shape tells them from grey pictures: a window has more than twice as many times as
    channels, and at most 32 of these.
    """
    event = tuple(event_shape)
    if len(event) == 3 and event[-1] == 1:
        event = event[:2]
    return len(event) == 2 and event[0] > 2 * event[1] and event[1] <= 32


def as_windows(examples: np.ndarray, event_shape: tuple[int, ...]) -> np.ndarray:
    """Windows of a shape for which `is_window` holds, with any axes in front: (..., time, channels)."""
    return examples[..., 0] if len(event_shape) == 3 else examples


def leading_channels(windows: np.ndarray, limit: int = _CHANNELS) -> np.ndarray:
    """The channels of (..., time, channels) that vary most, at most `limit`, in their order."""
    variance = windows.var(axis=tuple(range(windows.ndim - 1)))
    return np.sort(np.argsort(-variance, kind="stable")[:limit])


def draw_plane(axes: Axes, points: np.ndarray, label: str, color: str, marker: str) -> None:
    """Points of a plane as a scatter.

    Args:
        axes: where to draw.
        points: (n, 2); every k-th where there are more than 4000.
        label: the name in a legend.
        color: the colour of the points.
        marker: the shape of the points.
    """
    shown = points[:: -(-len(points) // _POINTS)]
    size = float(np.clip(4000 / len(shown), 3, 30))
    width = 0.8 if marker == "x" else 0
    axes.scatter(
        *shown.T, s=size, color=color, marker=marker, alpha=0.6, linewidths=width, label=label
    )


def draw_vector(
    axes: Axes, vector: np.ndarray, color: object, marker: str = "o", label: str | None = None
) -> None:
    """The values of a vector as points over the index of the coordinate.

    They are not joined: the order of a table's columns means nothing.

    Args:
        axes: where to draw.
        vector: (d,).
        color: of the points.
        marker: the shape of the points; a small dot in place of "o" where there are many.
        label: the name in a legend.
    """
    many = len(vector) > 40
    axes.plot(
        vector,
        color=color,
        linestyle="none",
        marker="." if many and marker == "o" else marker,
        markersize=2.5 if many else 3.5,
        label=label,
    )
    names = _NAMES.get()
    if len(names) == len(vector):
        axes.set_xticks(range(len(names)), names, rotation=90, fontsize=6)
        return
    whole_ticks(axes)


def draw_window(axes: Axes, window: np.ndarray, channels: np.ndarray, dash: str = "-") -> None:
    """The channels of a window as lines over time, a colour each.

    Args:
        axes: where to draw.
        window: (time, channels).
        channels: indices of those to draw.
        dash: line style.
    """
    for place, channel in enumerate(channels):
        axes.plot(window[:, channel], color=PALETTE[place], linestyle=dash, linewidth=1.2)
    whole_ticks(axes)


def name_channels(axes: Sequence[Axes], channels: np.ndarray, count: int) -> None:
    """Write the channel of each column above the first panel of it, at its right.

    Args:
        axes: row by row, a column for each channel.
        channels: indices of those that are drawn; of a single one nothing is written.
        count: the number of channels there are.
    """
    if count == 1:
        return
    for place, channel in zip(axes, channels, strict=False):
        place.set_title(f"channel {channel}", loc="right", fontsize=8)


def channel_legend(
    figure: Figure, channels: np.ndarray, count: int, dashes: dict[str, Any] | None = None
) -> None:
    """A legend below the figure: what the colours and the dashes of its windows are.

    Args:
        figure: holds panels of `draw_window`.
        channels: indices of those drawn.
        count: the number of channels there are; where not all are drawn, the legend says so.
        dashes: name -> line style. Optional.
    """
    handles = [
        Line2D([], [], color="#555555", linestyle=dash, label=name)
        for name, dash in (dashes or {}).items()
    ]
    if count > 1:
        handles += [
            Line2D([], [], color=PALETTE[place], label=f"channel {channel}")
            for place, channel in enumerate(channels)
        ]
    if handles:
        rows = -(-len(handles) // 5)
        title = f"{len(channels)} of {count} channels, those that vary most"
        figure.legend(
            handles=handles,
            loc="outside lower center",
            ncols=-(-len(handles) // rows),  # filled column by column
            title=title if len(channels) < count else None,
        )
