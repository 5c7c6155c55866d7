"""LP-F1: the contours of the L_P norms (Callahan, "The L_P Autoencoder", figure 1)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from zoo.experiments.experiment import Claim, Experiment, Measures, Outcome, Sources
from zoo.visualization.drawing.style import panels, styled

POWERS = (0.0, 0.04, 0.5, 1.0, 1.5, 2.0, 7.0, math.inf)


def gauge(points: np.ndarray, p: float) -> np.ndarray:
    """sum_i |x_i|^p, the number of coordinates that are not 0 for p = 0, max |x_i| for infinity.

    Args:
        points: (..., d).
        p: at least 0.

    Returns:
        (...) float.
    """
    size = np.abs(points)
    if p == 0:
        return (size > 1e-9).sum(axis=-1).astype(float)
    return size.max(axis=-1) if math.isinf(p) else (size**p).sum(axis=-1)


def run(seed: int, sources: Sources, *, angles: int) -> Outcome:
    """Look for the smallest and the largest value on the unit circle.

    Args:
        seed: unused: nothing is drawn at random.
        sources: unused.
        angles: points of the circle, a multiple of 8, so that axes and diagonals are among them.

    Returns:
        ``<p>/degrees``: how far from the nearest axis the smallest value lies.
    """
    del seed, sources
    angle = np.arange(angles) * 2 * np.pi / angles
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    measures = {}
    for p in POWERS:
        values = gauge(circle, p)
        degrees = np.degrees(angle[values.argmin()]) % 90
        measures[f"{p:g}/degrees"] = float(min(degrees, 90 - degrees))
        measures[f"{p:g}/range"] = float(np.ptp(values))
    return Outcome(measures, {})


@styled
def draw(arrays: Mapping[str, Any]) -> dict[str, Figure]:
    """The contours, one panel for each power."""
    del arrays
    line = np.linspace(-1.2, 1.2, 401)
    grid = np.stack(np.meshgrid(line, line), axis=-1)
    figure, axes = panels(len(POWERS), 4, 1.9)
    for place, p in zip(axes, POWERS, strict=True):
        values = gauge(grid, p)
        if p == 0:  # constant off the axes: the set of one-sparse points is all there is to draw
            place.plot([-1.2, 1.2], [0, 0], [0, 0], [-1.2, 1.2], color="#0072B2")
        else:
            levels = np.quantile(values, np.linspace(0.05, 0.95, 9))
            place.contour(line, line, values, levels=np.unique(levels), cmap="cividis")
        place.set(aspect="equal", xticks=[-1, 0, 1], yticks=[-1, 0, 1])
        place.set_title("p = ∞" if math.isinf(p) else f"p = {p:g}")
    return {"contours": figure}


def _one_sparse_below_two(m: Measures) -> bool:
    return all(m[f"{p:g}/degrees"] < 0.01 for p in POWERS if p < 2)


def _diagonal_above_two(m: Measures) -> bool:
    return all(abs(m[f"{p:g}/degrees"] - 45) < 0.01 for p in POWERS if p > 2)


EXPERIMENTS = (
    Experiment(
        id="LP-F1",
        paper="lp_autoencoder",
        title="Contours of the L_P norms",
        run=run,
        draw=draw,
        claims=(
            Claim(
                "On the unit circle the one-sparse points are the smallest for p < 2",
                _one_sparse_below_two,
                tuple(f"{p:g}/degrees" for p in POWERS if p < 2),
            ),
            Claim(
                "For p > 2 the smallest lie on the diagonals instead, and p = 2 tells no point apart",
                lambda m: _diagonal_above_two(m) and m["2/range"] < 1e-9,
                ("7/degrees", "inf/degrees", "2/range"),
            ),
        ),
        quick={"angles": 720},
        full={"angles": 7200},
    ),
)
