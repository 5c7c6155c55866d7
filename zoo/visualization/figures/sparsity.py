"""How few units carry a code."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from zoo.evaluation.sparsity import DEAD, THRESHOLD, activity, hoyer
from zoo.visualization.drawing.inputs import as_codes
from zoo.visualization.drawing.style import PALETTE, WIDTH, styled, whole_ticks


@styled
def sparsity(codes: Any, threshold: float = THRESHOLD) -> Figure:
    """Three views of sparsity: by unit, by example, and by Hoyer's measure.

    Left, the share of examples in which each unit is active, sorted: dead units lie at 0, dense
    ones at 1; what is active and what is dead is what `zoo.evaluation.sparsity` counts. Middle, the
    number of active units of an example. Right, Hoyer's sparsity of an example; a code of 1 unit has
    none, and the panel is left out.

    Args:
        codes: (n, units).
        threshold: a unit is active where |z| exceeds this part of the root mean square of all codes.

    Returns:
        A figure with 3 axes, or 2 for codes of 1 unit.

    Raises:
        ValueError: for codes that are not finite, or a negative threshold.

    Example:
        >>> codes = np.random.default_rng(0).laplace(size=(100, 4))
        >>> figure = zoo.visualization.sparsity(codes)
        >>> len(figure.axes)
        3
    """
    z = as_codes(codes)
    if not threshold >= 0:
        raise ValueError(f"threshold must not be negative; received {threshold!r}.")
    units = z.shape[1]
    on = activity(z, threshold)
    figure = Figure(figsize=(WIDTH, 2.5))
    axes = figure.subplots(1, 3 if units > 1 else 2)
    share = np.sort(on.mean(axis=0))[::-1]
    axes[0].step(np.arange(units + 1) + 0.5, [*share, share[-1]], where="post", color=PALETTE[0])
    axes[0].fill_between(
        np.arange(units + 1) + 0.5, [*share, share[-1]], step="post", color=PALETTE[0], alpha=0.25
    )
    dead = int(np.sum(share <= DEAD))
    axes[0].set(
        xlabel="unit, most active first",
        ylabel="share of examples",
        ylim=(0, min(1.05, 1.2 * share[0] or 1.05)),
        title=f"active ({dead} of {units} dead)",
    )
    counts = on.sum(axis=1)
    edges = np.linspace(-0.5, units + 0.5, min(units + 2, 41))
    low, high = counts.min(), counts.max()
    if high - low < 40:
        edges = np.arange(low - 1, high + 3) - 0.5
    axes[1].hist(counts, edges, color=PALETTE[0], edgecolor="white", linewidth=0.4)
    for counted in axes[:2]:
        whole_ticks(counted)
    axes[1].set(
        xlabel="active units", ylabel="examples", title=f"of an example, mean {counts.mean():.3g}"
    )
    if units > 1:
        values = hoyer(z)
        values = values[np.isfinite(values)]
        mean = f"mean {values.mean():.2f}" if len(values) else "all codes are 0"
        axes[2].hist(values, 30, range=(0, 1), color=PALETTE[0], edgecolor="white", linewidth=0.4)
        axes[2].set(xlabel="Hoyer's sparsity", ylabel="examples", xlim=(0, 1), title=mean)
    figure.suptitle(
        f"Sparsity of {len(z)} codes: active is above {threshold:g} of the root mean square",
        x=0.01,
        ha="left",
    )
    return figure
