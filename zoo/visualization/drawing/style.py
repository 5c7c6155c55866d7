"""One look for every figure: colours, sizes, and the layout of panels.

The first eight colours are those of Okabe and Ito (Color Universal Design, 2008), which the
colour-blind tell apart; twelve more follow, each as far as can be from all before it in CIELAB. Lines
differ by dash or marker and points by marker as well, so that a grey print can be read.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

import matplotlib
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

PALETTE = (
    "#0072B2",  # blue
    "#D55E00",  # vermilion
    "#009E73",  # bluish green
    "#E69F00",  # orange
    "#CC79A7",  # reddish purple
    "#56B4E9",  # sky blue
    "#000000",  # black
    "#B8A800",  # Okabe and Ito's yellow, darkened to be seen on white
    "#440077",  # violet
    "#660011",  # wine
    "#CCBB99",  # sand
    "#334400",  # dark olive
    "#AA88FF",  # lavender
    "#FF5566",  # coral
    "#77CC55",  # light green
    "#556666",  # slate
    "#551144",  # plum
    "#BB0077",  # magenta
    "#996633",  # brown
    "#007711",  # green
)
DASHES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
SEQUENTIAL = "cividis"  # rises evenly in lightness, in colour and in grey
WIDTH = 7.2  # inches, the text width of a printed page

RC: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.titlepad": 5,
    "axes.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#444444",
    "axes.linewidth": 0.8,
    "axes.grid": False,
    "axes.prop_cycle": cycler(color=PALETTE),
    "figure.titlesize": 11,
    "figure.labelsize": 9,
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "image.cmap": "gray",
    "legend.fontsize": 8,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.color": "#444444",
    "ytick.color": "#444444",
}

P = ParamSpec("P")
R = TypeVar("R")


def styled(function: Callable[P, R]) -> Callable[P, R]:
    """Decorator: the function draws in the common style and leaves matplotlib's settings alone.

    Example:
        >>> from matplotlib.figure import Figure
        >>> from zoo.visualization.drawing.style import styled
        >>> @styled
        ... def spread(codes):
        ...     figure = Figure()
        ...     figure.subplots().boxplot(codes)
        ...     return figure
        >>> spread(np.random.default_rng(0).normal(size=(50, 3))).savefig("spread.png")
    """

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        with matplotlib.rc_context(RC):
            return function(*args, **kwargs)

    return wrapper


def class_style(index: int) -> dict[str, Any]:
    """Colour and marker of the index-th class; the colours of the first 20 differ, all pairs of 160 do."""
    turn, place = divmod(index, len(PALETTE))
    return {"color": PALETTE[place], "marker": MARKERS[(index + turn) % len(MARKERS)]}


def line_style(index: int) -> dict[str, Any]:
    """Colour and dash of the index-th line; the colours of the first 20 differ, all pairs of 80 do."""
    turn, place = divmod(index, len(PALETTE))
    return {"color": PALETTE[place], "linestyle": DASHES[turn % len(DASHES)]}


def literal(name: str) -> str:
    r"""A user's name for matplotlib, which takes $...$ for mathematics and keeps "_name" out of legends.

    Example:
        >>> from zoo.visualization.drawing.style import literal
        >>> literal("US$ to EUR$"), literal("_background")
        ('US\\$ to EUR\\$', ' _background')
    """
    shown = name.replace("$", r"\$")
    return f" {shown}" if shown.startswith("_") else shown


def panels(
    count: int, columns: int, height: float = 1.8, **options: Any
) -> tuple[Figure, list[Axes]]:
    """A figure of the common width with equal panels, filled row by row.

    Args:
        count: the number of panels.
        columns: panels in a full row.
        height: of one row, in inches.
        **options: passed to `matplotlib.figure.Figure.subplots`, for example ``sharex=True``.

    Returns:
        The figure, and its `count` axes.

    Example:
        >>> from zoo.visualization.drawing.style import panels
        >>> figure, axes = panels(count=5, columns=3, sharex=True)
        >>> len(axes)
        5
    """
    columns = min(columns, count)
    rows = -(-count // columns)
    figure = Figure(figsize=(WIDTH, rows * height + 0.35))
    axes = figure.subplots(rows, columns, squeeze=False, **options).ravel().tolist()
    for spare in axes[count:]:
        spare.remove()
    return figure, axes[:count]


def whole_ticks(axes: Axes) -> None:
    """Let the numbers below a panel be whole ones, also where only one is to be seen.

    Example:
        >>> from zoo.visualization.drawing.style import panels, whole_ticks
        >>> _, (place,) = panels(count=1, columns=1)
        >>> _ = place.plot([1], [0.5], "o")  # one epoch
        >>> whole_ticks(place)
        >>> [float(tick) for tick in place.get_xticks() if tick % 1]
        []
    """
    locator: Any = axes.xaxis.get_major_locator()
    locator.set_params(integer=True, min_n_ticks=1)  # with fewer matplotlib takes fractions


def share_scales(axes: Sequence[Axes]) -> None:
    """Give panels that are drawn one scale in x and in y, with numbers at the outer panels alone.

    As matplotlib's ``sharex=True, sharey=True``, which places the ticks of every panel several times over:
    drawing 30 panels so took three times as long.

    Args:
        axes: of `panels`, with what they show.

    Example:
        >>> from zoo.visualization.drawing.style import panels, share_scales
        >>> figure, axes = panels(count=2, columns=2)
        >>> for place, height in zip(axes, (1, 5)):
        ...     _ = place.plot([0, height])
        >>> share_scales(axes)
        >>> axes[0].get_ylim() == axes[1].get_ylim()
        True
    """
    across, up = (np.array([getattr(place, f"get_{k}lim")() for place in axes]) for k in "xy")
    low, high = np.min([across, up], axis=1), np.max([across, up], axis=1)
    (left, bottom), (right, top) = low[:, 0], high[:, 1]
    places: list[Any] = [place.get_subplotspec() for place in axes]
    columns = {spec.colspan.start for spec in places}
    lowest = {c: max(s.rowspan.start for s in places if s.colspan.start == c) for c in columns}
    for place, spec in zip(axes, places, strict=True):
        place.set(xlim=(left, right), ylim=(bottom, top))
        if spec.rowspan.start < lowest[spec.colspan.start]:
            place.xaxis.set_major_locator(NullLocator())
        if spec.colspan.start:
            place.yaxis.set_major_locator(NullLocator())
