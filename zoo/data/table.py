"""Tables of numbers in .csv files."""

from __future__ import annotations

import csv
import itertools
import os
import re
import warnings
from pathlib import Path

import numpy as np

from zoo.data.arrays import from_arrays
from zoo.data.dataset import Data

_LARGEST = float(np.finfo(np.float32).max)


def read_csv(
    path: str | os.PathLike,
    split: str = "train",
    *,
    seed: int = 0,
    label_column: str | int | None = None,
    delimiter: str = ",",
    test_fraction: float = 0.2,
) -> Data:
    """Read a .csv file: one example a line, one number a column.

    The first line is a header where none of its cells is a number, or one of them names the label column.

    Args:
        path: the file, in UTF-8.
        split: "train", "test" or "all".
        seed: of the split.
        label_column: the column of labels (whole numbers or text), by its name or its index from 0, negative
            ones from the end. None for the one called "label", if there is one.
        delimiter: what stands between the cells.
        test_fraction: share of the test split.

    Returns:
        `Data` with inputs (n, columns) float32.

    Raises:
        ValueError: for an empty file, a cell that is no finite number (with its line and column), a line
            with too many or too few cells, and an unknown label column.

    Example:
        >>> with open("mine.csv", "w") as file:
        ...     for row in ("width,height,kind", "1.5,2.5,cat", "3.5,4.5,dog"):
        ...         print(row, file=file)
        >>> data = zoo.data.load("mine.csv", "all", label_column="kind")
        >>> data.inputs.shape, data.classes
        ((2, 2), ('cat', 'dog'))
    """
    path = Path(path)
    header, width = _first_line(path, delimiter, label_column)
    if width == 0:
        raise ValueError(f"{path} is empty; expected one example a line, one number a column.")
    label = _label_index(path, header, width, label_column)
    numbers: dict[str, int] = {}  # each label's text, numbered as it occurs
    converters = (
        {} if label is None else {label: lambda x: numbers.setdefault(x.strip(), len(numbers))}
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # about empty lines
            table = np.loadtxt(
                path,
                np.float32,
                comments=None,
                delimiter=delimiter,
                converters=converters,
                skiprows=1 if header else 0,
                ndmin=2,
                encoding="utf-8-sig",
                quotechar='"',
            )
    except ValueError as error:
        raise ValueError(_fault(path, header, label, delimiter) or f"{path}: {error}") from error
    if len(table) and not (np.isfinite([table.min(), table.max()]).all() and "" not in numbers):
        raise ValueError(_fault(path, header, label, delimiter))
    inputs, labels = table, None
    if label is not None and len(table):
        inputs = np.delete(table, label, 1)
        text = np.array([*numbers])
        whole = all(re.fullmatch(r"[+-]?[0-9]{1,18}", cell) for cell in text)
        labels = (text.astype(np.int64) if whole else text)[table[:, label].astype(np.int64)]
    named = (
        f", labels from column {header[label] if header else label}" if label is not None else ""
    )
    return from_arrays(
        path.name,
        inputs,
        labels,
        split=split,
        seed=seed,
        test_fraction=test_fraction,
        description=f"The table {path}{named}",
    )


def _first_line(
    path: Path, delimiter: str, label_column: str | int | None
) -> tuple[list[str], int]:
    """The header, empty where there is none, and the number of columns."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            cells = next((row for row in csv.reader(file, delimiter=delimiter) if row), [])
    except (OSError, UnicodeDecodeError, csv.Error, TypeError) as error:
        raise ValueError(f"{path} cannot be read as a table of text: {error}") from error
    cells = [cell.strip() for cell in cells]
    # Columns may be called 0, 1, 2, ...: then the label's name tells a header from an example.
    named = ("label" if label_column is None else label_column) in cells
    return (cells if named or all(_number(cell) is None for cell in cells) else []), len(cells)


def _label_index(path: Path, header: list[str], width: int, column: str | int | None) -> int | None:
    if column is None:
        return header.index("label") if "label" in header else None
    if isinstance(column, str) and column in header:
        return header.index(column)
    try:
        index = int(column)
    except (TypeError, ValueError):
        index = width
    if not -width <= index < width:
        known = ", ".join(header) if header else "no header"
        raise ValueError(
            f"label_column must be a column of {path} ({known}) or an index from {-width} to {width - 1}; "
            f"received {column!r}."
        )
    return index % width


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _fault(path: Path, header: list[str], label: int | None, delimiter: str) -> str | None:
    """Where the first cell stands that is no finite number, or the first label that is missing."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file, delimiter=delimiter)
        width = len(header)
        for row in itertools.islice(reader, 1 if header else 0, None):
            if not row:
                continue
            width = width or len(row)
            if len(row) != width:
                return (
                    f"{path}, line {reader.line_num}: expected {width} cells, received {len(row)}."
                )
            for column, cell in enumerate(row):
                number = _number(cell)
                finite = number is not None and abs(number) <= _LARGEST
                if not (cell.strip() if column == label else finite):
                    wanted = "label" if column == label else "finite number"
                    name = f" ({header[column]})" if header else ""
                    return (
                        f"{path}, line {reader.line_num}, column {column + 1}{name}: expected a "
                        f"{wanted}, received {cell!r}. Say which column holds labels by label_column, "
                        "and remove or fill what is missing."
                    )
    return None
