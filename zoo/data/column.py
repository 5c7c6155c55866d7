"""One column of a table: what it is, found from its cells, and its cells as numbers and back."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from zoo.data.arrays import ordered
from zoo.data.cells import column_cells, is_bool

COUNTS = ("poisson", "negative_binomial")
SCALED = ("normal", "laplace")
KINDS = (*SCALED, "bernoulli", "categorical", *COUNTS)
_ROUNDING = 1e-14  # of the mean: what rounding leaves of the deviation of equal numbers
_FEW_LEVELS = 20  # texts that are fewer are a category, whatever the number of rows


class Column(NamedTuple):
    """How one column of a table is encoded.

    Attributes:
        name: the table's name of it.
        kind: its likelihood: one of `KINDS`.
        levels: the values of a category in the order of its columns, or those that 0 and 1 stand for.
        mean: what is taken from a number.
        deviation: what it is then divided by.

    Example:
        >>> from zoo.data.column import Column
        >>> Column("colour", "categorical", ("blue", "red")).names
        ['colour=blue', 'colour=red']
    """

    name: str
    kind: str
    levels: tuple[Any, ...] = ()
    mean: float = 0.0
    deviation: float = 1.0

    @property
    def names(self) -> list[str]:
        """The names of the encoded columns: "colour=red" for each level of a category."""
        if self.kind != "categorical":
            return [self.name]
        return [f"{self.name}={level}" for level in self.levels]


def found_column(
    table: Any, column: str, kind: str | None, rows: np.ndarray | None, name: str
) -> Column:
    """Find out how a column of a table is encoded; see `zoo.data.columns.fit`.

    Args:
        table: a DataFrame, or a mapping from names to the cells of a column.
        column: the name as text.
        kind: one of `KINDS`; None to find it.
        rows: indices of the rows whose mean and deviation are taken; None for all.
        name: what an error calls the table.

    Returns:
        A `Column`.

    Raises:
        ValueError: as `zoo.data.columns.fit`.

    Example:
        >>> from zoo.data.column import found_column
        >>> found_column({"sex": ["f", "m", "f"]}, "sex", None, None, "The table").levels
        ('f', 'm')
    """
    cells, missing = column_cells(table, column, name)
    present = cells[~missing]
    if not len(present):
        raise ValueError(f"The column {column!r} of {name} holds no value at all. Leave it out.")
    numbers = cells.dtype != object
    wanted = kind or _kind(present, numbers)
    if wanted in ("categorical", "bernoulli"):
        levels = tuple(_levels(present))
        if wanted == "bernoulli" and len(levels) == 1 and levels[0] in (0, 1):
            levels = (False, True) if is_bool(levels[0]) else (0, 1)
        if wanted == "bernoulli" and len(levels) != 2:
            raise ValueError(
                f"The column {column!r} of {name} has {len(levels)} different values; a 'bernoulli' has two. "
                "Take 'categorical'."
            )
        if kind is None and len(levels) > max(_FEW_LEVELS, len(present) / 2):
            raise ValueError(
                f"The column {column!r} of {name} holds {len(levels)} texts in {len(present)} rows, and is "
                f"hardly a category. Say kinds={{{column!r}: 'leave out'}}, or 'categorical'."
            )
        return Column(column, wanted, levels)
    if not numbers:
        raise ValueError(
            f"The column {column!r} of {name} holds {present[0]!r}; the kind {wanted!r} is one of numbers."
        )
    if wanted in COUNTS:
        return Column(column, wanted)
    of_rows = cells if rows is None else cells[rows]
    of_rows = of_rows[~np.isnan(of_rows)]
    if not np.isfinite(of_rows).all():
        raise ValueError(f"The column {column!r} of {name} holds an infinite number. Remove it.")
    mean, deviation = (float(f(of_rows)) if len(of_rows) else 0.0 for f in (np.mean, np.std))
    # The mean of equal numbers is rounded, so that their deviation from it need not be 0.
    constant = deviation <= _ROUNDING * abs(mean) or not deviation
    return Column(column, wanted, (), mean, 1.0 if constant else deviation)


def _kind(present: np.ndarray, numbers: bool) -> str:
    if numbers:
        return "bernoulli" if ((present == 0) | (present == 1)).all() else "normal"
    return "bernoulli" if all(map(is_bool, present)) else "categorical"


def _levels(present: np.ndarray) -> list[Any]:
    """The different values, in order; whole numbers as int."""
    if present.dtype != object:
        return [int(v) if float(v).is_integer() else float(v) for v in np.unique(present)]
    different = set(present.tolist())
    if all(isinstance(each, str) for each in different):
        return list(ordered(different))
    return sorted(different, key=lambda each: (isinstance(each, str), each))


def encoded(column: Column, cells: np.ndarray, missing: np.ndarray, name: str) -> np.ndarray:
    """The cells of a column as numbers.

    Args:
        column: how it is encoded.
        cells: (rows,), as `zoo.data.cells.column_cells` gives them.
        missing: (rows,) bool, which hold nothing.
        name: what an error calls the table.

    Returns:
        (rows, columns) float64; NaN where nothing is known.

    Raises:
        ValueError: for a level that is not known, and what is no number or no count where one is wanted.

    Example:
        >>> from zoo.data.column import Column, encoded
        >>> size = Column("size", "normal", mean=3, deviation=2)
        >>> encoded(size, np.array([1.0, 5.0]), np.array([False, False]), "The table").tolist()
        [[-1.0], [1.0]]
    """
    if not column.levels:
        return _numbers(column, cells, missing, name)[:, None]
    place = {level: index for index, level in enumerate(column.levels)}
    found = np.fromiter((place.get(cell, -1) for cell in cells.tolist()), np.int64, len(cells))
    unknown = (found < 0) & ~missing
    if unknown.any():
        row = int(unknown.argmax())
        shown = ", ".join(map(repr, column.levels[:10])) + ", ..." * (len(column.levels) > 10)
        raise ValueError(
            f"The column {column.name!r} of {name} holds {cells[row]!r} in row {row}; expected one of "
            f"{shown}."
        )
    if column.kind == "bernoulli":
        numbers = found.astype(np.float64)[:, None]
    else:
        numbers = np.eye(len(column.levels))[found]
    numbers[missing] = np.nan
    return numbers


def _numbers(column: Column, cells: np.ndarray, missing: np.ndarray, name: str) -> np.ndarray:
    if cells.dtype == object:
        row = int(np.argmax(~missing & [isinstance(cell, str) for cell in cells]))
        raise ValueError(
            f"The column {column.name!r} of {name} holds {cells[row]!r} in row {row}; expected a number."
        )
    with np.errstate(over="ignore"):
        numbers = (cells - column.mean) / column.deviation
        wrong = ~missing & ~np.isfinite(numbers.astype(np.float32))
    wanted = "finite number"
    if column.kind in COUNTS:
        wrong |= ~missing & ((cells < 0) | (cells != np.rint(cells)))
        wanted = "count, a whole number of at least 0"
    if wrong.any():
        row = int(wrong.argmax())
        raise ValueError(
            f"The column {column.name!r} of {name} holds {cells[row]:g} in row {row}; expected a {wanted}."
        )
    return numbers


def decoded(column: Column, x: np.ndarray) -> np.ndarray:
    """The cells that numbers stand for, see `zoo.data.columns.Columns.values`.

    Args:
        column: how it is encoded.
        x: (rows, columns).

    Returns:
        (rows,) numbers or levels.

    Example:
        >>> from zoo.data.column import Column, decoded
        >>> decoded(Column("red", "bernoulli", (0, 1)), np.array([[0.2], [0.7]])).tolist()
        [0, 1]
    """
    if not column.levels:
        return x[:, 0] * column.deviation + column.mean
    missing: Any = np.isnan(x).any(axis=1)
    known = np.where(missing[:, None], 0.0, x)
    index = (known[:, 0] > 0.5).astype(int) if column.kind == "bernoulli" else known.argmax(axis=1)
    levels = np.empty(len(column.levels), object)
    levels[:] = column.levels
    found = levels[index]
    if missing.any():
        found[missing] = None
        return found
    kinds = {type(level) for level in column.levels}
    return found.astype(kinds.pop()) if kinds in ({int}, {float}, {bool}) else found
