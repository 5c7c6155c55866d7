"""Tables of mixed columns as numbers and back: numbers standardized, categories one-hot, by their names."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data.cells import column_cells, column_names, missing_line
from zoo.data.column import COUNTS, KINDS, SCALED, Column, decoded, encoded, found_column
from zoo.files import read_json, write_json
from zoo.registry import one_of, suggest

MISSING = ("refuse", "nan")


class Columns:
    """The transformation of a table to numbers, (rows, width) float32, and back.

    Numbers become (x - mean) / deviation (of a column that never moves, x - mean), the two values of a yes
    and no 0 and 1, and a category as many columns as it has levels, one of which is 1. Counts stay as they
    are: their likelihoods take them so.

    Args:
        columns: how each column is encoded, as `fit` finds it.
        missing: "refuse" to raise for a cell that holds nothing, "nan" to encode it as NaN, for a model with
            ``mask="nan"``.

    Attributes:
        columns: the same.
        names: of the encoded columns.
        width: how many they are.

    Example:
        >>> from zoo.data.columns import Column, Columns
        >>> size = Column("size", "normal", mean=3, deviation=2)
        >>> columns = Columns([size, Column("red", "bernoulli", (0, 1))])
        >>> columns.transform({"size": [1, 5], "red": [0, 1]}).tolist()
        [[-1.0, 0.0], [1.0, 1.0]]
    """

    def __init__(self, columns: Sequence[Column], missing: str = "refuse"):
        self.columns = tuple(columns)
        self.missing = one_of(missing, "missing", MISSING)
        self.names = tuple(name for column in self.columns for name in column.names)
        self.width = len(self.names)

    def __repr__(self) -> str:
        kinds = ", ".join(f"{column.name}: {column.kind}" for column in self.columns)
        return f"Columns({kinds})"

    def __eq__(self, other: object) -> bool:
        mine = (self.columns, self.missing)
        return isinstance(other, Columns) and mine == (other.columns, other.missing)

    def __hash__(self) -> int:
        return hash((self.columns, self.missing))

    def transform(self, table: Any, name: str = "The table") -> np.ndarray:
        """Encode rows.

        Args:
            table: a DataFrame, or a mapping from names to the cells of a column; further columns are left
                alone.
            name: what an error calls it.

        Returns:
            (rows, width) float32.

        Raises:
            ValueError: for a column that is not there, a cell that is missing (see `missing`), is no number
                where one is wanted, no count, or a level that was not there when the columns were fitted.
        """
        found: list[np.ndarray] = []
        for column in self.columns:
            cells, missing = column_cells(table, column.name, name)
            if found and len(cells) != len(found[0]):
                raise ValueError(
                    f"The column {column.name!r} of {name} has {len(cells)} rows, and "
                    f"{self.columns[0].name!r} has {len(found[0])}. Give every column as many."
                )
            if missing.any() and self.missing == "refuse":
                raise ValueError(missing_line(name, column.name, missing))
            found.append(encoded(column, cells, missing, name))
        return np.concatenate(found, axis=1, dtype=np.float32, casting="same_kind")

    def values(self, x: Any) -> dict[str, np.ndarray]:
        """The cells that encoded rows stand for, such as a model's reconstructions or samples.

        Args:
            x: (rows, width): of a category the likeliest level counts, of a yes and no whether it is above
                1/2. NaN is a missing cell: NaN, or None in a category.

        Returns:
            Name of the column -> (rows,): float64 numbers and counts (the expected ones, with fractions),
            and levels.

        Raises:
            ValueError: for another width.
        """
        x = np.asarray(x, np.float64)
        if x.ndim != 2 or x.shape[1] != self.width:
            raise ValueError(
                f"Expected encoded rows of shape (rows, {self.width}); received {x.shape}."
            )
        places = np.cumsum([len(column.names) for column in self.columns])[:-1]
        parts = np.split(x, places, axis=1)
        return {
            column.name: decoded(column, own)
            for column, own in zip(self.columns, parts, strict=True)
        }

    def inverse_transform(self, x: Any) -> Any:
        """A pandas DataFrame of `values`, under the table's names.

        Args:
            x: (rows, width).

        Returns:
            A DataFrame of (rows, columns).

        Raises:
            ImportError: where pandas is not installed; `values` needs none.
        """
        return _pandas("inverse_transform").DataFrame(self.values(x))

    @property
    def encoding(self) -> tuple[str, ...]:
        """What each encoded column means, in words that differ where the encoding does."""

        def words(column: Column) -> list[str]:
            if column.levels:
                named = [str(level) for level in column.levels]
                return column.names if column.kind == "categorical" else [f"{column.name}: {named}"]
            if column.kind in COUNTS:
                return column.names
            return [f"{column.name}: mean {column.mean:.9g}, deviation {column.deviation:.9g}"]

        return tuple(each for column in self.columns for each in words(column))

    def likelihood(self) -> dict[str, Any]:
        """The likelihood "columns" of the encoded rows, as an option of a model.

        Each number has a scale of its own, which is learned. Neighbours of one kind are a group.
        """
        groups: list[dict[str, Any]] = []
        for column in self.columns:
            name = "one_hot" if column.kind == "categorical" else column.kind
            joins = groups and groups[-1]["name"] == name != "one_hot"
            if joins:
                groups[-1]["columns"] += 1
                continue
            scale = {"scale": "each"} if name in SCALED else {}
            groups.append({"name": name, **scale, "columns": len(column.names)})
        return {"name": "columns", "groups": groups}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the transformation as JSON, to lie beside a model.

        Args:
            path: of the file.
        """
        kept = [column._asdict() for column in self.columns]
        write_json(Path(path), {"columns": kept, "missing": self.missing})


def fit(
    table: Any,
    kinds: Mapping[str, Any] | None = None,
    missing: str = "refuse",
    rows: np.ndarray | None = None,
    name: str = "The table",
) -> Columns:
    """Find out how the columns of a table are encoded.

    Texts are categories, False and True and numbers that are only 0 and 1 a yes and no ("bernoulli"), other
    numbers real ones ("normal"). Counts are named by `kinds`.

    Args:
        table: a DataFrame, or a mapping from names to the cells of a column.
        kinds: name of a column -> its likelihood, where it is another: "normal", "laplace", "bernoulli",
            "categorical", "poisson" or "negative_binomial"; "leave out" for a column that is none.
        missing: as in `Columns`.
        rows: indices of the rows whose mean and deviation are taken, those that train; None for all. Levels
            are those of all rows.
        name: what an error calls the table.

    Returns:
        A `Columns`.

    Raises:
        ValueError: for a table without rows, unknown names in `kinds`, dates and other objects, a column
            without a value, and one of texts that are hardly a category since most are different.

    Example:
        >>> table = {"age": [20.0, 40.0], "colour": ["red", "blue"], "visits": [3, 0]}
        >>> columns = zoo.data.columns.fit(table, kinds={"visits": "poisson"})
        >>> columns.names
        ('age', 'colour=blue', 'colour=red', 'visits')
        >>> columns.transform(table).tolist()
        [[-1.0, 0.0, 1.0, 3.0], [1.0, 1.0, 0.0, 0.0]]
        >>> columns.inverse_transform(columns.transform(table))["colour"].tolist()
        ['red', 'blue']
        >>> model = zoo.create("vae", (columns.width,), latents=2, likelihood=columns.likelihood())
    """
    one_of(missing, "missing", MISSING)
    given = named_kinds(kinds)
    known = [str(each) for each in column_names(table)]
    for each in given:
        if each not in known:
            raise ValueError(f"{name} has no column {each!r}.{suggest(str(each), known)}")
        one_of(given[each], f"kind of column {each!r}", (*KINDS, "leave out"))
    chosen = [each for each in known if given.get(each) != "leave out"]
    if not chosen:
        raise ValueError(f"{name} has no columns.")
    return Columns(
        [found_column(table, each, given.get(each), rows, name) for each in chosen], missing
    )


def named_kinds(kinds: Any) -> dict[str, Any]:
    """Name of a column -> its likelihood, as `fit` takes them; empty for None.

    Raises:
        ValueError: for anything else.

    Example:
        >>> from zoo.data.columns import named_kinds
        >>> named_kinds({"visits": "poisson"}), named_kinds(None)
        ({'visits': 'poisson'}, {})
    """
    if kinds is not None and not isinstance(kinds, Mapping):
        raise ValueError(
            f"kinds must name columns, as in {{'visits': 'poisson'}}; received {kinds!r}."
        )
    return dict(kinds or {})


def load(path: str | os.PathLike[str]) -> Columns:
    """Read a transformation that `Columns.save` wrote.

    Args:
        path: of the file.

    Returns:
        The `Columns`.

    Raises:
        ValueError: for a file that is not there or none of these.

    Example:
        >>> columns = zoo.data.columns.fit({"age": [20.0, 40.0], "sex": ["f", "m"]})
        >>> columns.save("columns.json")
        >>> zoo.data.columns.load("columns.json") == columns
        True
    """
    found = read_json(path, "The columns of a table")
    try:
        made = [Column(**{**c, "levels": tuple(c["levels"])}) for c in found["columns"]]
        return Columns(made, found["missing"])
    except (KeyError, TypeError) as error:
        raise ValueError(
            f"{path} holds no columns of a table: expected what zoo.data.columns writes."
        ) from error


def _pandas(what: str) -> Any:
    try:
        import pandas
    except ImportError as error:
        raise ImportError(
            f"{what} needs pandas, which cannot be imported ({error}). Install it with: python -m pip "
            "install pandas"
        ) from error
    return pandas
