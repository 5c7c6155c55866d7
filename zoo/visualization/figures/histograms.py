"""How the units of a code are distributed over data."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from zoo.values import counted, positive_int
from zoo.visualization.drawing.inputs import as_codes
from zoo.visualization.drawing.quantiles import quantiles
from zoo.visualization.drawing.style import PALETTE, panels, styled
from zoo.visualization.drawing.units import choose_units, robust_limits


@styled
def activation_histograms(
    codes: Any, prior: Any = None, units: Any = None, limit: int = 12, bins: int = 40
) -> Figure:
    """A histogram of each unit's values, with the prior's density over it.

    The bars set the height: the peak of a prior that rises far above them is cut off. Without a
    prior, the zeros of a unit that is mostly zero are counted in its title, not drawn.
    The prior's density is read off the prior's quantiles: between neighbours it is the probability
    between them divided by their distance, so that any source that `quantiles` reads will do.

    Args:
        codes: (n, units).
        prior: anything that `quantiles` reads. Optional.
        units: indices of those to show; by default the ones that vary most.
        limit: units to show at most where none are named.
        bins: bars of each histogram at most, over the central 99 % where outliers are far.

    Returns:
        A figure with one axes for each unit shown.

    Raises:
        ValueError: for units that are not there, or a prior of another length.

    Example:
        >>> from scipy.stats import norm
        >>> codes = np.random.default_rng(0).normal(size=(200, 3))
        >>> figure = zoo.visualization.activation_histograms(codes, prior=norm(), units=[0, 2])
        >>> len(figure.axes)
        2
    """
    z = as_codes(codes)
    count = z.shape[1]
    chosen = choose_units(units, count, positive_int(limit, "limit"), z)
    figure, axes = panels(len(chosen), min(4, len(chosen)), 1.5)
    curve = None
    if prior is not None:
        probabilities = (np.arange(200) + 0.5) / 200
        curve = probabilities, quantiles(prior, probabilities, count)[:, chosen]
    for index, (place, unit) in enumerate(zip(axes, chosen, strict=True)):
        _histogram(place, z[:, unit], positive_int(bins, "bins"), f"unit {unit}", curve is None)
        if curve is not None:
            bars = place.get_ylim()[1]
            _density(place, curve[0], curve[1][:, index])
            # A prior with a peak, as the Laplace, would press the codes flat.
            place.set_ylim(0, min(place.get_ylim()[1], 1.5 * bars))
    figure.supxlabel("value of the unit")
    figure.supylabel("density")
    line = ", the prior as a line" if prior is not None else ""
    note = f"; the {len(chosen)} of {count} units that vary most" if len(chosen) < count else ""
    note = note if units is None else ""
    figure.suptitle(f"Codes of {counted(len(z), 'example')}{line}{note}", x=0.01, ha="left")
    return figure


def _histogram(axes: Axes, values: np.ndarray, bins: int, name: str, sparse: bool) -> None:
    zeros = np.mean(values == 0)
    axes.set_title(f"{name}: {zeros:.0%} zero" if zeros > 0.005 else name)
    if sparse and 0.5 < zeros < 1:  # one bar of zeros would press all others flat
        values = values[values != 0]
    low, high = robust_limits(values)
    bins = min(bins, max(10, round(2 * len(values) ** 0.5)))
    # Weights rather than `density`, which would leave the outliers out of the total.
    weights = np.full(len(values), bins / (high - low) / len(values))
    axes.hist(values, bins, range=(low, high), weights=weights, color=PALETTE[5])
    axes.set_xlim(low, high)
    axes.margins(y=0.1)


def _density(axes: Axes, probabilities: np.ndarray, values: np.ndarray) -> None:
    widths = np.diff(values)
    apart = widths > 0  # a prior with an atom has equal quantiles, and no density there
    middles = (values[1:] + values[:-1])[apart] / 2
    axes.plot(
        middles, np.diff(probabilities)[apart] / widths[apart], color=PALETTE[1], linewidth=1.3
    )
