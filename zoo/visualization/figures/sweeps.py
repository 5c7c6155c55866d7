"""A sweep in two pictures: every point as a line over its options, and a metric against each option."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from zoo.values import number_text
from zoo.visualization.drawing.style import PALETTE, SEQUENTIAL, literal, panels, styled

_WIDE = 50  # values that are this many times apart are placed by their logarithm
_TICKS = 8


@styled
def parallel_coordinates(
    points: Sequence[Mapping[str, Any]], values: Sequence[float], label: str, best: int = 0
) -> Figure:
    """Each point a line from option to option, and to its metric; the colour is the metric.

    Args:
        points: option -> value, the same options in each.
        values: the metric of each point; a point without one (NaN) is left out.
        label: of the metric.
        best: the point whose line is drawn thick.

    Returns:
        A figure of one axes, an upright line for every option and for the metric.

    Raises:
        ValueError: for no point with a value.

    Example:
        >>> from zoo.visualization.figures.sweeps import parallel_coordinates
        >>> points = [{"beta": 1, "prior": "normal"}, {"beta": 4, "prior": "laplace"}]
        >>> figure = parallel_coordinates(points, [0.2, 0.5], "MIG", best=1)
        >>> [text.get_text() for text in figure.axes[0].get_xticklabels()]
        ['beta', 'prior', 'MIG']
    """
    kept = [index for index, value in enumerate(values) if math.isfinite(value)]
    if not kept:
        raise ValueError("A picture of a sweep needs at least one point with a value.")
    names = _varied(points, kept)
    columns = [[points[index][name] for index in kept] for name in names]
    shown = np.array([values[index] for index in kept])
    heights = [_heights(column) for column in [*columns, list(shown)]]
    figure = Figure(figsize=(max(4.0, 1.5 * (len(names) + 1)), 3.6), layout="constrained")
    axes = figure.subplots()
    colours = colormaps[SEQUENTIAL](Normalize(shown.min(), shown.max() or 1)(shown))
    places = list(range(len(names) + 1))
    for row in np.argsort(shown):
        line = [height[row] for height in heights]
        thick = kept[row] == best
        axes.plot(
            places, line, color=colours[row], lw=3 if thick else 1.2, zorder=3 if thick else 2
        )
    for place, column, height in zip(places, [*columns, list(shown)], heights, strict=True):
        axes.axvline(place, color="#444444", lw=0.8, zorder=1)
        for value, at in _ticks(column, height):
            axes.annotate(
                literal(value),
                (place, at),
                (3, 0),
                textcoords="offset points",
                va="center",
                fontsize=7.5,
            )
    axes.set_xticks(places, [literal(name) for name in [*names, label]])
    axes.set_xlim(-0.1, len(names) + 0.4)
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return figure


@styled
def metric_by_option(
    points: Sequence[Mapping[str, Any]], values: Sequence[Sequence[float]], label: str
) -> Figure:
    """One panel for each option: the mean of every point and its seeds, and the mean over the points.

    Args:
        points: option -> value, the same options in each.
        values: the metric of every seed of each point.
        label: of the metric.

    Returns:
        A figure with one axes for each option that has two values or more, or for the first.

    Raises:
        ValueError: for no point with a value.

    Example:
        >>> from zoo.visualization.figures.sweeps import metric_by_option
        >>> figure = metric_by_option([{"beta": 1}, {"beta": 4}], [[0.1, 0.2], [0.4, 0.5]], "MIG")
        >>> figure.axes[0].get_xlabel()
        'beta'
    """
    kept = [index for index, seeds in enumerate(values) if len(seeds)]
    if not kept:
        raise ValueError("A picture of a sweep needs at least one point with a value.")
    varied = _varied(points, kept)
    figure, places = panels(len(varied), min(len(varied), 3), 2.4)
    for axes, name in zip(places, varied, strict=True):
        column = [points[index][name] for index in kept]
        at = np.asarray(_positions(column))
        means = np.array([np.mean(values[index]) for index in kept])
        spreads = np.array([np.std(values[i], ddof=len(values[i]) > 1) for i in kept])
        axes.errorbar(
            at, means, spreads, fmt="o", ms=4, color=PALETTE[5], ecolor=PALETTE[5], capsize=2
        )
        steps = np.unique(at)
        # Names have no order that a line could follow.
        how = {} if _numbers(column) else {"linestyle": "none", "marker": "_", "ms": 24, "mew": 1.6}
        heights = [means[at == step].mean() for step in steps]
        axes.plot(steps, heights, color=PALETTE[0], lw=1.6, **how)
        ticks = dict(zip(at, map(_text, column), strict=True))
        some = sorted(ticks)[:: max(1, math.ceil(len(ticks) / _TICKS))]
        axes.set_xticks(some, [literal(ticks[step]) for step in some])
        axes.set_xlabel(literal(name))
        axes.set_ylabel(literal(label))
        axes.grid(axis="y")
    figure.suptitle(
        "Points with the spread of their seeds; the line is the mean over all points",
        x=0.01,
        ha="left",
    )
    return figure


def _varied(points: Sequence[Mapping[str, Any]], kept: Sequence[int]) -> list[str]:
    """The options with several values among the points that are kept, or the first."""
    names = list(points[0])
    return [name for name in names if len({_text(points[i][name]) for i in kept}) > 1] or names[:1]


def _heights(column: Sequence[Any]) -> np.ndarray:
    """Where the values of an upright line stand, from 0 to 1."""
    at = np.asarray(_positions(column), np.float64)
    width = np.ptp(at)
    return (at - at.min()) / width if width else np.full(len(at), 0.5)


def _numbers(column: Sequence[Any]) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in column)


def _positions(column: Sequence[Any]) -> list[float]:
    """Numbers stand where they are, or by their logarithm; anything else evenly, in order."""
    if _numbers(column):
        low, high = min(column), max(column)
        return [math.log10(v) for v in column] if low > 0 and high > _WIDE * low else list(column)
    order = list(dict.fromkeys(map(_text, column)))
    return [float(order.index(_text(value))) for value in column]


def _ticks(column: Sequence[Any], heights: np.ndarray) -> list[tuple[str, float]]:
    """The values to write along an upright line, and where: no two too close to read."""
    found: list[tuple[str, float]] = []
    for index in np.argsort(heights, kind="stable"):
        if not found or heights[index] - found[-1][1] > 0.05:
            found.append((_text(column[index]), float(heights[index])))
    return found


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        options = (f"{key}={_text(item)}" for key, item in value.items() if key != "name")
        return " ".join([str(value.get("name", "")), *options]).strip()
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value)) or "none"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return number_text(value)
