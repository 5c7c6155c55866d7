"""How each unit of a code correlates with each known factor of the data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from zoo.values import positive_int
from zoo.visualization.drawing.inputs import as_codes, as_labels, class_name
from zoo.visualization.drawing.style import SEQUENTIAL, WIDTH, literal, styled


def rank_correlation(codes: Any, factors: Any) -> np.ndarray:
    """Spearman's correlation of every unit with every factor.

    Args:
        codes: (n, units).
        factors: (n, k).

    Returns:
        (units, k) in [-1, 1]; NaN for a unit or factor that is constant, which correlates with
        nothing.

    Raises:
        ValueError: for fewer than 2 examples, or arrays of unequal length.

    Example:
        >>> factors = np.arange(20)[:, None]
        >>> codes = np.concatenate([factors**3, -factors], axis=1)  # only the order counts
        >>> zoo.visualization.rank_correlation(codes, factors).round(6).tolist()
        [[1.0], [-1.0]]
    """
    from scipy.stats import rankdata

    z, f = as_codes(codes), as_codes(factors, "factors")
    if len(z) != len(f):
        raise ValueError(
            f"factors must be one row for each of the {len(z)} codes; received {len(f)} rows."
        )
    if len(z) < 2:
        raise ValueError("A correlation needs at least 2 examples; received 1.")
    a, b = rankdata(z, axis=0), rankdata(f, axis=0)
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    norms = np.sqrt((a**2).sum(axis=0))[:, None] * np.sqrt((b**2).sum(axis=0))[None]
    return np.divide(a.T @ b, norms, out=np.full(norms.shape, np.nan), where=norms > 0)


@styled
def factor_correlation(
    codes: Any,
    factors: Any,
    names: list[str] | None = None,
    limit: int = 20,
    what: str = "factors",
) -> Figure:
    """Spearman's correlation of units and factors as a table: light is strong, the sign is written.

    Args:
        codes: (n, units).
        factors: (n, k) values of the known factors, or (n,) for one.
        names: (k,) names of the factors. Optional.
        limit: units to show; where there are more, those with the strongest correlations.
        what: the factors are, in the title, for example "classes".

    Returns:
        A figure whose first axes holds the image |correlation|, (k, units shown); a dash stands
        where the unit or the factor is constant.

    Raises:
        ValueError: for arrays of unequal length, or names that do not match.

    Example:
        >>> random = np.random.default_rng(0)
        >>> factors = random.integers(0, 3, size=(50, 2))
        >>> codes = factors + random.normal(size=(50, 2))
        >>> figure = zoo.visualization.factor_correlation(codes, factors, names=["shape", "scale"])
        >>> figure.savefig("correlation.png")
    """
    table = rank_correlation(codes, factors).T
    k, count = table.shape
    names = [f"factor {index}" for index in range(k)] if names is None else list(names)
    if len(names) != k:
        raise ValueError(f"names must be one for each of the {k} factors; received {len(names)}.")
    strength = np.nan_to_num(np.abs(table)).max(axis=0)
    units = np.sort(np.argsort(-strength, kind="stable")[: positive_int(limit, "limit")])
    table = table[:, units]
    figure = Figure(figsize=(WIDTH, 0.9 + max(1.2, min(0.3 * k, 6))))
    axes = figure.subplots()
    image = axes.imshow(np.abs(table), cmap=SEQUENTIAL, vmin=0, vmax=1, aspect="auto")
    axes.set_yticks(range(k), [literal(str(name)) for name in names])
    axes.set_xticks(range(len(units)), units)
    axes.set_xlabel("unit")
    axes.spines[:].set_visible(False)
    for (row, column), value in np.ndenumerate(table):
        text = "-" if np.isnan(value) else f"{value:+.2f}".replace("0.", ".")
        color = "white" if abs(value) < 0.55 else "black"  # NaN compares False: black on white
        axes.text(column, row, text, ha="center", va="center", fontsize=7, color=color)
    figure.colorbar(image, ax=axes, label="|rank correlation|")
    note = f": the {len(units)} of {count} units that go furthest" if len(units) < count else ""
    figure.suptitle(f"Correlation of units with {what}{note}", x=0.01, ha="left")
    return figure


def one_hot(labels: Any, names: Sequence[str] | None = None) -> tuple[np.ndarray, list[str]]:
    """Classes as factors: one column for each, 1 where the example is of that class.

    Args:
        labels: (n,).
        names: the name of each label, where labels are 0, 1, ... Optional.

    Returns:
        (n, classes) float, and a name for each column.

    Example:
        >>> columns, names = zoo.visualization.one_hot(np.array([3, 7, 3]))
        >>> columns.tolist(), len(names)
        ([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]], 2)
    """
    labels = as_labels(labels, len(labels))
    known = np.unique(labels)
    return (labels[:, None] == known).astype(float), [
        class_name(value, names) if names is not None else f"class {value}" for value in known
    ]
