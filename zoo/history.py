"""The history of a training as a CSV file: one line an epoch, a column for each term."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.files import write_text


def write_history(path: str | os.PathLike[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Replace the file by these rows: "epoch", from 1, and the terms by name.

    Example:
        >>> from zoo.history import read_history, write_history
        >>> write_history("history.csv", [{"epoch": 1, "loss": 9.0}, {"epoch": 2, "loss": 8.5}])
        >>> read_history("history.csv")
        {'loss': [9.0, 8.5]}
    """
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, names or ["epoch"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def read_history(path: str | os.PathLike[str]) -> dict[str, list[float]]:
    """A history from its file: term -> values by epoch, NaN where there is none.

    Raises:
        ValueError: where the file is missing or damaged.

    Example:
        >>> from zoo.history import read_history
        >>> with open("history.csv", "w") as file:
        ...     for line in ("epoch,loss", "1,9.0", "2,8.5"):
        ...         print(line, file=file)
        >>> read_history("history.csv")
        {'loss': [9.0, 8.5]}
    """
    try:
        with Path(path).open(newline="", encoding="utf-8") as file:
            names, *rows = list(csv.reader(file)) or [[]]
        if any(len(row) != len(names) for row in rows):
            raise ValueError(f"expected {len(names)} values a line")
        columns = zip(*rows, strict=True) if rows else [()] * len(names)
        history = {
            name: [float(value or "nan") for value in column]
            for name, column in zip(names, columns, strict=True)
        }
        history.pop("epoch", None)
        return history
    except OSError as error:
        raise ValueError(f"Cannot read the history {str(path)!r}: {error.strerror}.") from error
    except (ValueError, csv.Error) as error:
        raise ValueError(f"The history {str(path)!r} is damaged: {error}.") from error
