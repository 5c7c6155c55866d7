"""The cells of a table's column: numbers or levels, and which of them hold nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from zoo.data.arrays import composed
from zoo.registry import suggest
from zoo.values import is_missing


def column_names(table: Any) -> Iterable[Any]:
    """Names of the columns of a DataFrame, or of a mapping to their cells.

    Example:
        >>> from zoo.data.cells import column_names
        >>> list(column_names({"age": [20.0], "sex": ["f"]}))
        ['age', 'sex']
    """
    return table.columns if hasattr(table, "columns") else table.keys()


def column_cells(table: Any, column: str, name: str) -> tuple[np.ndarray, np.ndarray]:
    """The cells of a column, and which hold nothing: NaN, None, or a text of blanks.

    Args:
        table: a DataFrame, or a mapping from names to the cells of a column.
        column: the name as text.
        name: what an error calls the table.

    Returns:
        (rows,) float64 numbers, or objects that JSON keeps, and (rows,) bool.

    Raises:
        ValueError: for a column that is not there or there twice, more than one value a row, dates, and
            objects that are no number, text, True or False.

    Example:
        >>> from zoo.data.cells import column_cells
        >>> cells, missing = column_cells({"sex": ["f", " ", "m"]}, "sex", "The table")
        >>> cells[~missing].tolist(), missing.tolist()
        (['f', 'm'], [False, True, False])
    """
    found = {str(each): each for each in column_names(table)}
    if column not in found:
        raise ValueError(f"{name} has no column {column!r}.{suggest(column, list(found))}")
    values = table[found[column]]
    if getattr(values, "ndim", 1) != 1:
        raise ValueError(f"{name} has several columns called {column!r}. Rename them.")
    try:
        cells = np.asarray(values)
    except ValueError:  # lists of unequal lengths
        cells = np.fromiter(values, object)
    if cells.ndim != 1:
        raise ValueError(
            f"The column {column!r} of {name} must hold one value a row; received shape {cells.shape}."
        )
    if cells.dtype.kind in "iuf":
        numbers = cells.astype(np.float64)
        return numbers, np.isnan(numbers)
    if cells.dtype.kind == "M":
        raise ValueError(
            f"The column {column!r} of {name} holds dates. Turn them into numbers, such as days since the "
            "first, or leave the column out."
        )
    cells = cells.astype(object)
    missing = np.fromiter(map(_is_missing, cells), bool, len(cells))
    present = cells[~missing]
    if all(isinstance(cell, int | float | np.number) and not is_bool(cell) for cell in present):
        numbers = np.full(len(cells), np.nan)
        numbers[~missing] = present.astype(np.float64)
        return numbers, missing
    cells[~missing] = [_plain(cell, column, name) for cell in present]
    return cells, missing


def missing_line(name: str, column: str, missing: np.ndarray) -> str:
    """What is said of cells that hold nothing.

    Args:
        name: what the table is called.
        column: where they are.
        missing: (rows,) bool.

    Returns:
        One line.

    Example:
        >>> from zoo.data.cells import missing_line
        >>> missing_line("The table", "age", np.array([False, True])).split(",")[0]
        "The table misses 1 of 2 values in the column 'age'"
    """
    count = int(missing.sum())
    return (
        f"{name} misses {count} of {len(missing)} values in the column {column!r}, the first in row "
        f"{int(missing.argmax())}. Fill or leave out such rows, or take missing='nan' and a model with "
        "mask='nan'."
    )


def is_bool(cell: Any) -> bool:
    """Whether a cell is True or False, Python's or NumPy's.

    Example:
        >>> from zoo.data.cells import is_bool
        >>> is_bool(np.True_), is_bool(1)
        (True, False)
    """
    return isinstance(cell, bool | np.bool_)


def _is_missing(cell: Any) -> bool:
    """What `is_missing` names, or a text of nothing but blanks."""
    if isinstance(cell, str):
        return not cell.strip()
    # The others `_plain` refuses.
    return not isinstance(cell, np.ndarray | list | tuple | dict) and is_missing(cell)


def _plain(cell: Any, column: str, name: str) -> Any:
    """A level as JSON keeps it."""
    if isinstance(cell, str):
        return composed(str(cell))
    if is_bool(cell):
        return bool(cell)
    if isinstance(cell, int | float | np.number):
        return int(cell) if float(cell).is_integer() else float(cell)
    raise ValueError(
        f"The column {column!r} of {name} holds {type(cell).__name__}; expected numbers, texts, or True and "
        "False. Turn it into one of these, or leave it out."
    )
