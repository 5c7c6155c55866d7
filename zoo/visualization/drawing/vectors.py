"""Drawing of examples that are no pictures: points of a plane, and vectors as lines."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

_POINTS = 4000  # more points cover each other


def is_plane(event_shape: tuple[int, ...]) -> bool:
    """True for points of a plane, (2,)."""
    return tuple(event_shape) == (2,)


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


def draw_lines(
    axes: Axes, vectors: np.ndarray, color: str, dash: str = "-", label: str | None = None
) -> None:
    """Vectors as lines over the index of the coordinate, with dots where these are few.

    Args:
        axes: where to draw.
        vectors: (n, d).
        color: of the lines.
        dash: line style.
        label: the name in a legend, given once.
    """
    marker = "o" if vectors.shape[1] <= 20 else None
    for index, vector in enumerate(vectors):
        axes.plot(
            vector,
            color=color,
            linestyle=dash,
            linewidth=1.2,
            marker=marker,
            markersize=3,
            label=label if index == 0 else None,
        )
