"""Numbers as the zoo takes them and shows them: checked at the door, and short enough to read."""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from typing import Any, NamedTuple


def whole_number(value: Any, name: str, minimum: int | None = None) -> int:
    """`value` as a Python integer of at least `minimum`, or a ValueError that names it.

    Example:
        >>> from zoo.values import whole_number
        >>> whole_number(np.int64(3), "limit", 2)
        3
    """
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not whole or (minimum is not None and value < minimum):
        bound = "" if minimum is None else f" of at least {minimum}"
        raise ValueError(f"{name} must be a whole number{bound}; received {value!r}.")
    return int(value)


def truth(value: Any, name: str) -> bool:
    """`value` as True or False, or a ValueError that names it: the text "no" would count as True.

    Example:
        >>> from zoo.values import truth
        >>> truth(False, "grayscale"), truth(1, "grayscale")
        (False, True)
        >>> truth("no", "grayscale")
        Traceback (most recent call last):
            ...
        ValueError: grayscale must be True or False; received 'no'.
    """
    if value not in (0, 1):
        raise ValueError(f"{name} must be True or False; received {value!r}.")
    return bool(value)


def positive_int(value: Any, name: str) -> int:
    """`value` as an integer of at least 1, or a ValueError that names it.

    Example:
        >>> zoo.positive_int(3, "k")
        3
        >>> zoo.positive_int(0, "k")
        Traceback (most recent call last):
            ...
        ValueError: k must be a whole number of at least 1; received 0.
    """
    return whole_number(value, name, 1)


def vector_axes(event: Sequence[int | None]) -> tuple[int, ...]:
    """The axes, from the end, over which an event of a dictionary is one vector.

    Args:
        event: (d,), (places, d) as of several layers, or a picture (height, width, channels) and longer.

    Returns:
        The last axis of (d,) and (places, d), every axis of a picture.

    Example:
        >>> from zoo.values import vector_axes
        >>> vector_axes((6,)), vector_axes((2, 6)), vector_axes((8, 8, 1))
        ((-1,), (-1,), (-3, -2, -1))
    """
    return (-1,) if len(event) <= 2 else tuple(range(-len(event), 0))


def counted(number: int, what: str) -> str:
    """How many there are of what, such as "1 seed" and "3 seeds".

    Example:
        >>> from zoo.values import counted
        >>> counted(1, "seed"), counted(0, "seed")
        ('1 seed', '0 seeds')
    """
    return f"{number} {what}{'s' * (number != 1)}"


def number_text(value: float, digits: int = 4, padded: bool = False) -> str:
    """A number for a reader.

    Args:
        value: anything that `float` takes.
        digits: how many significant ones are shown.
        padded: whether zeros at the end stay, as in a column of a table.

    Returns:
        Whole numbers below a million as they are, others rounded to `digits`, though never before the
        decimal point; powers of ten below 1e-4 and from a million on.

    Example:
        >>> from zoo.values import number_text
        >>> number_text(12345.6), number_text(0.1), number_text(0.1, padded=True), number_text(2e-6)
        ('12346', '0.1', '0.1000', '2.000e-06')
    """
    value = float(value)
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else str(value)
    size = abs(value)
    if value.is_integer() and size < 1e6:
        return str(int(value))
    if not 1e-4 <= size < 1e6:
        return f"{value:.{digits - 1}e}"
    if size >= 10**digits:
        return f"{value:.0f}"
    return f"{value:#.{digits}g}".rstrip(".") if padded else f"{value:.{digits}g}"


class ColumnRule(NamedTuple):
    """What numbers some neighbouring columns of a table may hold; a missing one, NaN, may stand anywhere.

    Attributes:
        columns: which.
        likelihood: its name, which an error gives as the reason.
        low: the smallest that is allowed.
        high: the largest.
        whole: whether fractions are refused.

    Example:
        >>> from zoo.values import ColumnRule
        >>> rule = ColumnRule(slice(1, 2), "poisson", low=0, whole=True)
        >>> rule.wrong(np.array([[0.5, 3.0], [0.5, 2.5]])).tolist()
        [[False], [True]]
    """

    columns: slice
    likelihood: str
    low: float = -math.inf
    high: float = math.inf
    whole: bool = False

    def wrong(self, x: Any) -> Any:
        """Which numbers of the columns are refused.

        Args:
            x: (rows, columns) floats, an array or a tensor of all columns.

        Returns:
            (rows, columns of the rule) bool.
        """
        own = x[:, self.columns]
        outside = (own < self.low) | (own > self.high)
        return outside | (own % 1 > 0) if self.whole else outside

    def line(self, name: str, column: str, number: str, row: str, part: str = "") -> str:
        """What is said of a wrong number in a row.

        Args:
            name: of the data.
            column: its index.
            number: the number.
            row: the row's index.
            part: " of a batch", where the row is one of a batch of a stream.

        Returns:
            One line.
        """
        wanted = f"numbers from {self.low:g} to {self.high:g}"
        if self.whole:
            wanted = "counts" if self.high == math.inf else f"whole {wanted}"
        return (
            f"Column {column} of {name} has the likelihood '{self.likelihood}', which takes {wanted}; "
            f"received {number} in row {row}{part}. Encode the table by zoo.data.columns, or give the column "
            "another likelihood."
        )


def is_missing(value: Any) -> bool:
    """Whether a cell or a label is None, NaN, or pandas' NA or NaT.

    Example:
        >>> from zoo.values import is_missing
        >>> [is_missing(value) for value in (None, float("nan"), "nan", 0.0)]
        [True, True, False, False]
    """
    if value is None:
        return True
    try:
        return bool(value != value)
    except TypeError:  # pandas' NA is neither equal nor unequal
        return True
