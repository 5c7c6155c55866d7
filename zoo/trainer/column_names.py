"""The names of a table's columns: what a model learned of one column it must not be told of another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class ColumnNames:
    """The names of the columns of the first table that a model was given; a table of others is refused.

    Arrays, and tables whose columns are numbered and not named, have no names and are taken as they come.

    Args:
        names: of the columns, or None while no table was met.

    Example:
        >>> import pandas
        >>> from zoo.trainer.column_names import ColumnNames
        >>> known = ColumnNames()
        >>> known.meet(pandas.DataFrame({"age": [1.0], "size": [2.0]}), "x", width=2)
        >>> known.meet(pandas.DataFrame({"size": [2.0], "age": [1.0]}), "x", width=2)
        Traceback (most recent call last):
            ...
        ValueError: x has its columns in another order than the first table that the model was given: ...
    """

    def __init__(self, names: Sequence[str] | None = None):
        self.names = None if names is None else tuple(names)

    def meet(self, x: Any, name: str, width: int) -> None:
        """Note the names of a table's columns, or compare them with those that are known.

        Args:
            x: what a model was given.
            name: what an error calls it.
            width: columns that the model takes; a table of another width is refused elsewhere.

        Raises:
            ValueError: for other names, or the same in another order.
        """
        named = _names_of(x)
        if named is None or len(named) != width or named == self.names:
            return
        if self.names is None:
            self.names = named
            return
        first = "the first table that the model was given"
        encoded = getattr(getattr(x, "columns", None), "encoding", None) is not None
        place = next(
            i for i, pair in enumerate(zip(named, self.names, strict=True)) if len({*pair}) > 1
        )
        if encoded:
            raise ValueError(
                f"{name} is encoded otherwise than {first}: column {place} is {named[place]!r} and was "
                f"{self.names[place]!r}. Read it by the first one's transformation: load(path, "
                "columns=first.columns), or the columns.json of its run."
            )
        if sorted(named) == sorted(self.names):
            raise ValueError(
                f"{name} has its columns in another order than {first}: column {place} is {named[place]!r} "
                f"and was {self.names[place]!r}. Put them in that order, {name}[columns], or give an array."
            )
        raise ValueError(
            f"{name} has other columns than {first}: column {place} is {named[place]!r} and was "
            f"{self.names[place]!r}. Name them alike, or give an array ({name}.to_numpy())."
        )


def _names_of(x: Any) -> tuple[str, ...] | None:
    """The names of a table's columns; None for what is no table, and for columns that are numbered only."""
    if not (hasattr(x, "columns") and hasattr(x, "to_numpy")):
        encoded = getattr(x, "columns", None)  # of a `zoo.data.Data` record of mixed columns
        return getattr(encoded, "encoding", None) or getattr(x, "column_names", None) or None
    columns = list(x.columns)
    return None if columns == list(range(len(columns))) else tuple(map(str, columns))
