"""The measures of an experiment as a table: "factor_vae/mig" stands in the row factor_vae, column mig."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from zoo.values import number_text

LONG = 40  # rows of a table that is read as one


def grid(measures: Mapping[str, Any], seeds: int) -> list[list[str]]:
    """The table's rows of text, the head first; nothing where no name has a row and a column.

    Args:
        measures: name -> {"mean", "sd"}.
        seeds: how many there are; the spread is left out for one.

    Returns:
        The rows, all of one length.
    """
    named = {tuple(name.rsplit("/", 1)): value for name, value in measures.items() if "/" in name}
    rows = list(dict.fromkeys(row for row, _ in named))
    columns = list(dict.fromkeys(column for _, column in named))
    if not rows:
        return []
    cells = [
        [_cell(named[row, column], seeds) if (row, column) in named else "" for column in columns]
        for row in rows
    ]
    return [["", *columns], *([row, *line] for row, line in zip(rows, cells, strict=True))]


def parted(table: Sequence[Sequence[str]]) -> dict[str, list[list[str]]]:
    """A long table in parts: the row "mnist/vae" stands as "vae" in the part "mnist".

    Args:
        table: as `grid` gives it.

    Returns:
        Title -> table, each with the columns that it fills; one part without a title where the table has
        at most 40 rows, or rows of another form.

    Example:
        >>> from zoo.experiments.grid import parted
        >>> list(parted([["", "mse"], ["mnist/vae", "1"]]))
        ['']
        >>> rows = [[f"{part}/{i}", str(i)] for part in ("a", "b") for i in range(30)]
        >>> parts = parted([["", "mse"], *rows])
        >>> parts["b"][:2]
        [['', 'mse'], ['0', '0']]
    """
    rows = table[1:]
    if len(rows) <= LONG or not all("/" in row[0] for row in rows):
        return {"": [list(row) for row in table]}
    parts: dict[str, list[list[str]]] = {}
    for row in rows:
        title, _, name = row[0].partition("/")
        parts.setdefault(title, [list(table[0])]).append([name, *row[1:]])
    return {title: _filled(part) for title, part in parts.items()}


def _filled(table: Sequence[Sequence[str]]) -> list[list[str]]:
    """The table without the columns that no row fills."""
    kept = [0, *(i for i in range(1, len(table[0])) if any(row[i] for row in table[1:]))]
    return [[row[i] for i in kept] for row in table]


def aligned(table: Sequence[Sequence[str]]) -> list[str]:
    """The table in columns of equal width, for a terminal."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ["  ".join(map(str.rjust, row, widths)).rstrip() for row in table]


def markdown(table: Sequence[Sequence[str]]) -> list[str]:
    """The table in Markdown."""
    lines = ["| " + " | ".join(row) + " |" for row in table]
    return [lines[0], "|---" * len(table[0]) + "|", *lines[1:]] if lines else []


def _cell(found: Mapping[str, float], seeds: int) -> str:
    spread = f" ± {found['sd']:.2g}" if seeds > 1 else ""
    return f"{number_text(found['mean'], digits=3)}{spread}"
