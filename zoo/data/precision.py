"""Whether float32 holds what a table says: columns far from 0 beside their spread lose it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

# Rows that are looked at, and the rounding that is told, in deviations of the column.
ROWS = 2000
MOST = 0.01


def lost_columns(table: np.ndarray) -> np.ndarray:
    """The columns whose numbers change by more than a hundredth of their deviation as float32.

    Args:
        table: (n, columns) of numbers, of which the first 2,000 rows are looked at.

    Returns:
        Their places.

    Example:
        >>> from zoo.data.precision import lost_columns
        >>> days = np.array([20240101.0, 20240102.0, 20240103.0])
        >>> lost_columns(np.stack([days, days - 20240000], axis=1)).tolist()
        [0]
    """
    exact = np.asarray(table[:ROWS], np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        rounding = np.abs(exact - exact.astype(np.float32)).max(axis=0)
        deviation = exact.std(axis=0)
        return np.flatnonzero((deviation > 0) & (rounding > MOST * deviation))


def say_lost(name: str, columns: Sequence[object], stacklevel: int = 2) -> None:
    """Warn of columns that float32 does not hold.

    Args:
        name: what is said calls the table.
        columns: their names or places.
        stacklevel: of the warning.
    """
    if len(columns):
        told = ", ".join(map(str, columns[:5])) + ", ..." * (len(columns) > 5)
        warnings.warn(
            f"{name}: the columns {told} lie far from 0 beside their spread, so that float32 rounds away "
            "more than a hundredth of it. Subtract a date's or a counter's start before.",
            stacklevel=stacklevel + 1,
        )
