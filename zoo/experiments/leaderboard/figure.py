"""The picture of the leaderboard: error against what a code is good for, by the kind of code."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

import zoo
from zoo.visualization.drawing.style import panels, styled

FAMILIES = ("one point", "random", "sparse", "indices", "held by a critic")


def is_sparse(name: str) -> bool:
    """Whether a model has many units, of which an example uses few."""
    return name.endswith("_sae") or name == "k_sparse_autoencoder"


def family(name: str) -> str:
    """The kind of a model's code.

    Example:
        >>> from zoo.experiments.leaderboard.figure import family
        >>> [family(name) for name in ("iwae", "vq_vae", "top_k_sae", "rae_l2", "info_ae")]
        ['random', 'indices', 'sparse', 'one point', 'held by a critic']
    """
    known = zoo.models.options(name)
    if is_sparse(name):
        return "sparse"
    if "places" in known:
        return "indices"
    if "critic" in known or "critic_hidden" in known:
        return "held by a critic"
    if "code_activation" in known or "heads" in known:
        return "one point"
    return "random"


@styled
def draw(arrays: Mapping[str, Any]) -> dict[str, Figure]:
    """The error against what the code is good for, a panel a set; a model that none passes has its name."""
    kinds = list(dict.fromkeys(name.split("/")[0] for name in arrays))
    figure, axes = panels(len(kinds), min(2, len(kinds)), 2.4)
    for place, kind in zip(axes, kinds, strict=True):
        rows = {n.split("/")[1]: v for n, v in arrays.items() if n.split("/")[0] == kind}
        against = next(n for n in arrays if n.split("/")[0] == kind).split("/")[2]
        for name, (error, value) in rows.items():
            place.plot(error, value, "o", ms=4, color=f"C{FAMILIES.index(family(name))}", alpha=0.8)
        place.set(xscale="log", xlabel="squared error a value", ylabel=against, title=kind)
        place.xaxis.set_minor_formatter(NullFormatter())
        _name(place, {name: spot for name, spot in rows.items() if not _passed(spot, rows)})
    for index, name in enumerate(FAMILIES):
        axes[0].plot([], [], "o", color=f"C{index}", label=name)
    figure.legend(loc="outside lower center", ncols=len(FAMILIES))
    return {"board": figure}


def _passed(spot: np.ndarray, rows: Mapping[str, np.ndarray]) -> bool:
    """Whether another model has no larger error and no lower score, and one of them better."""
    error, value = spot
    return any(e <= error and v >= value and (e, v) != (error, value) for e, v in rows.values())


def _name(place: Axes, spots: Mapping[str, np.ndarray]) -> None:
    """Names to the right of their points, one below the other."""
    low, high = place.get_ylim()
    last = math.inf
    for name, (error, value) in sorted(spots.items(), key=lambda item: (-item[1][1], item[1][0])):
        last = min(value, last - (high - low) / 15)
        place.annotate(
            name,
            (error, value),
            (1.02, last),
            xycoords="data",
            textcoords=place.get_yaxis_transform(),
            fontsize=6,
            va="center",
            arrowprops={"arrowstyle": "-", "lw": 0.4, "color": "0.6"},
        )
