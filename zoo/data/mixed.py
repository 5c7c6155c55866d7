"""Files of tables whose columns are of several kinds: encoded by `zoo.data.columns`, split and labelled."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data import columns as encodings
from zoo.data.arrays import encode_labels
from zoo.data.columns import Columns
from zoo.data.dataset import Data
from zoo.data.splitting import split_rows
from zoo.data.table_layout import is_number

# What a cell of a file holds where nothing is known.
UNKNOWN = ("", "na", "n/a", "nan", "null", "?")


def from_columns(
    name: str,
    table: Any,
    labels: Any = None,
    *,
    split: str = "train",
    seed: int = 0,
    test_fraction: float = 0.2,
    kinds: Mapping[str, Any] | None = None,
    missing: str = "refuse",
    columns: Columns | str | os.PathLike | None = None,
    description: str = "",
) -> Data:
    """A table as a `Data` of encoded columns.

    Args:
        name: what `Data` and errors call it.
        table: a DataFrame, or a mapping from names to the cells of a column.
        labels: (n,) whole numbers or text, or None.
        split: "train", "test" or "all". Means and deviations are those of the rows that train, whichever
            split is read, and levels those of all rows.
        seed: of the split.
        test_fraction: share of the test split.
        kinds: as in `zoo.data.columns.fit`.
        missing: likewise.
        columns: a transformation that was fitted before, or the file of one; None to fit one.
        description: one line, to which the share of the split is added.

    Returns:
        A `Data` with `columns`.

    Raises:
        ValueError: as `zoo.data.columns.fit` and `Columns.transform`.
    """
    names = list(table.columns if hasattr(table, "columns") else table)
    n = len(table[names[0]]) if names else 0
    train = split_rows(n, "train", test_fraction, seed, name)
    if columns is None:
        columns = encodings.fit(table, kinds, missing, train, name)
    elif kinds is not None or missing != "refuse":
        which = "kinds belong" if kinds is not None else "missing belongs"
        raise ValueError(
            f"{which} to columns that are fitted. Leave out {which.split()[0]} or columns."
        )
    elif not isinstance(columns, Columns):
        columns = encodings.load(Path(columns))
    inputs = columns.transform(table, name)
    codes, classes = encode_labels(None if labels is None else np.asarray(labels), n, name)
    rows = split_rows(n, split, test_fraction, seed, name)
    of = f", {len(rows):,} of {n:,} examples" + f" by seed {seed}" * (split != "all")
    return Data(
        name=name,
        split=split,
        inputs=inputs[rows],
        labels=None if codes is None else codes[rows],
        classes=classes,
        description=description + of,
        columns=columns,
    )


def typed(cells: list[str]) -> list[Any] | np.ndarray | None:
    """The cells of a column of a text file as what they are.

    Args:
        cells: as they stand in the file; those of `UNKNOWN`, in any case, hold nothing.

    Returns:
        Numbers (float64, NaN where nothing is known), True and False, or texts, with None where nothing is
        known; None for a column of numbers and texts, in which one of them is a mistake.

    Example:
        >>> from zoo.data.mixed import typed
        >>> typed(["1", "", "2.5"]).tolist(), typed(["red", "?"]), typed(["TRUE", "false"])
        ([1.0, nan, 2.5], ['red', None], [True, False])
        >>> typed(["1", "two"]) is None
        True
    """
    stripped = [cell.strip() for cell in cells]
    known = [cell.lower() not in UNKNOWN for cell in stripped]
    numbers = [number(cell) if there else None for cell, there in zip(stripped, known, strict=True)]
    numeric = [value is not None for value in numbers]
    if numeric == known:
        return np.array([np.nan if value is None else value for value in numbers], np.float64)
    if any(numeric):
        return None
    words: list[Any] = [
        cell if there else None for cell, there in zip(stripped, known, strict=True)
    ]
    truths = {"true": True, "false": False}
    if all(word is None or word.lower() in truths for word in words):
        return [None if word is None else truths[word.lower()] for word in words]
    return words


def number(cell: str) -> float | None:
    """A finite number of a text, or None."""
    if not is_number(cell):
        return None
    value = float(cell)
    return value if np.isfinite(value) else None
