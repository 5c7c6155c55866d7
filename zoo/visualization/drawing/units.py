"""Which units of a code to show where there are too many for all."""

from __future__ import annotations

import numpy as np


def leading_units(codes: np.ndarray, limit: int) -> np.ndarray:
    """The units that vary most over the examples.

    Variation is the mean absolute deviation from the median: a few far codes, as a Cauchy posterior
    has, move it less than they move the variance, and it does not vanish for a sparse unit.

    Args:
        codes: (n, units).
        limit: the number of units wanted at most.

    Returns:
        (min(limit, units),) indices, the most varied first; all units in their own order where they
        fit.

    Example:
        >>> from zoo.visualization.drawing.units import leading_units
        >>> codes = np.random.default_rng(0).normal(size=(50, 3)) * [1.0, 9.0, 3.0]
        >>> leading_units(codes, limit=2).tolist()
        [1, 2]
    """
    units = codes.shape[1]
    if units <= limit:
        return np.arange(units)
    variation = np.abs(codes - np.median(codes, axis=0)).mean(axis=0)
    return np.argsort(-variation, kind="stable")[:limit]


def choose_units(
    units: list[int] | np.ndarray | None, count: int, limit: int, codes: np.ndarray | None
) -> np.ndarray:
    """The units asked for, or the leading ones.

    Args:
        units: indices, or None for the leading units of `codes`, or the first where there are none.
        count: number of units of the model.
        limit: the number of units wanted at most where none are named.
        codes: (n, count), or None.

    Returns:
        (k,) indices.

    Raises:
        ValueError: for an index that the code does not have.
    """
    if units is None:
        return np.arange(min(count, limit)) if codes is None else leading_units(codes, limit)
    chosen = np.atleast_1d(np.asarray(units))
    if (
        chosen.size == 0
        or chosen.dtype.kind not in "iu"
        or not np.all((chosen >= 0) & (chosen < count))
    ):
        raise ValueError(
            f"units must be indices from 0 to {count - 1}; received {np.asarray(units).tolist()!r}."
        )
    return chosen


def robust_limits(values: np.ndarray, share: float = 0.99) -> tuple[float, float]:
    """Limits that hold the central share of the values, so that outliers hide nothing.

    Args:
        values: any shape.
        share: part of the values to hold; where the rest adds less than half of the width, all are
            held.

    Returns:
        (low, high), with low < high.
    """
    low, high = np.quantile(values, [(1 - share) / 2, (1 + share) / 2])
    first, last = float(values.min()), float(values.max())
    if last - first <= 1.5 * (high - low):
        low, high = first, last
    if high <= low:  # nearly all values are equal: show every value
        low, high = first, last
    margin = 0.05 * (high - low) or 0.5
    return float(low - margin), float(high + margin)
