"""Which line of a .csv file is the header, and which of its columns are labels or an index."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "space"}
_WORDS = {"\\t": "\t", **{name: mark for mark, name in DELIMITERS.items()}}
# What pandas calls an index column that it has read.
_UNNAMED = re.compile(r"(Unnamed: \d+([._]\w+)*)?")
_COMMA_NUMBER = re.compile(r"[+-]?\d*(,\d+)+(\.\d*)?([eE][+-]?\d+)?")
_LABELS = ("label", "labels")
_SUSPECTS = ("class", "classes", "target", "targets", "y", "species", "category")


class TableLayout(NamedTuple):
    """How a table is read.

    Attributes:
        header: the names of the columns, empty where the file has none.
        width: the number of columns.
        skipped: the number of lines, blank ones included, before the first example.
        label: the column of labels, or None.
        index: the columns that are neither features nor labels.
    """

    header: list[str]
    width: int
    skipped: int
    label: int | None
    index: tuple[int, ...]


def as_delimiter(text: str) -> str:
    r"""The character that a text stands for: itself, or ``\t``, tab, comma, semicolon, bar, space.

    Raises:
        ValueError: for what is not a single character, or a quote, digit, point, sign or line break.
    """
    mark = _WORDS.get(text.lower(), text) if isinstance(text, str) else ""
    if len(mark) != 1 or mark.isalnum() or mark in "\"'.+-\r\n":
        raise ValueError(
            f"delimiter must be one character, or one of {', '.join(_WORDS)}; received {text!r}."
        )
    return mark


def layout_of(
    path: Path,
    delimiter: str,
    label_column: str | int | None,
    index_column: str | int | Sequence[str | int] | None,
    header: bool | None,
) -> TableLayout:
    """Read the first line that holds something, and find out what it is.

    Arguments as in `zoo.data.table.read_csv`.

    Raises:
        ValueError: for an empty file, a first line that may be header or example, and unknown columns.
    """
    before, skipped, cells = _first_line(path, delimiter)
    if not cells:
        raise ValueError(f"{path} is empty; expected one example a line, one number a column.")
    if header not in (None, True, False):
        raise ValueError(f"header must be true, false or None; received {header!r}.")
    if header is None:
        header = _is_header(path, cells, label_column)
    names = cells if header else []
    label = _label(path, names, len(cells), label_column)
    if index_column is None:
        index = tuple(place for place in range(_unnamed(names)) if place != label)
    else:
        given = [index_column] if isinstance(index_column, str | int) else index_column
        index = tuple(_column(path, names, len(cells), column, "index_column") for column in given)
    if label in index:
        raise ValueError(
            f"index_column and label_column are one column of {path}: {index_column!r}."
        )
    return TableLayout(names, len(cells), skipped if header else before, label, index)


def suspected_labels(layout: TableLayout) -> str | None:
    """The name of a feature that is called as labels are, where the table has no labels."""
    names = {name.lower(): name for name in layout.header}
    if layout.label is not None or {"x", "y"} <= {*names}:  # x and y are the places of points
        return None
    return next((names[name] for name in _SUSPECTS if name in names), None)


def advice(cells: list[str], delimiter: str) -> str:
    """What to do about a line that looks as if other marks stood between its cells or in its numbers.

    Args:
        cells: of the line.
        delimiter: the mark it was split by.

    Returns:
        A sentence, or nothing.
    """
    line = delimiter.join(cells)
    if has_truths(cells):
        return "Write 0 and 1 for false and true."
    wide = [mark for mark in DELIMITERS if mark != "," and mark in line]
    pieces = [*cells, *(piece for mark in wide for piece in line.split(mark))]
    if any(_COMMA_NUMBER.fullmatch(piece.strip(' "')) for piece in pieces):
        return (
            "Its numbers hold commas; write a point for a decimal comma and nothing for thousands, as by "
            f"pandas.read_csv(path, sep={(*wide, ',')[0]!r}, decimal=',').to_csv(path, index=False)."
        )
    for mark in DELIMITERS if len(cells) == 1 else ():
        # Words between blanks or commas may be a sentence; numbers are none.
        if mark in line and (mark in ";\t|" or any(map(is_number, line.split(mark)))):
            return f"Its cells look separated by a {DELIMITERS[mark]}: give delimiter={mark!r}."
    return ""


def has_truths(cells: list[str]) -> bool:
    """Whether a cell says true or false."""
    return any(cell.strip().lower() in ("true", "false") for cell in cells)


def has_commas(cell: str) -> bool:
    """Whether a text is a number with decimal commas or commas between thousands."""
    return bool(_COMMA_NUMBER.fullmatch(cell.strip()))


def is_number(cell: str) -> bool:
    """Whether a text is a number in plain digits; Python's 1_000 and digits of other scripts are not."""
    try:
        float(cell)
    except ValueError:
        return False
    return cell.strip().isascii() and "_" not in cell


def _first_line(path: Path, delimiter: str) -> tuple[int, int, list[str]]:
    """The number of lines before and after the first row that holds something, and its cells."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, delimiter=delimiter)
            before = 0
            for row in reader:
                cells = [cell.strip() for cell in row]
                if any(cells) and not cells[0].lower().startswith("sep="):  # a line for Excel
                    cells[0] = cells[0].removeprefix("#").lstrip()  # numpy.savetxt marks headers so
                    return before, reader.line_num, cells
                before = reader.line_num
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(
            f"{path} cannot be read as a table of text in UTF-8: {error}. Save it so."
        ) from error
    return 0, 0, []


def _is_header(path: Path, cells: list[str], label_column: str | int | None) -> bool:
    """Whether the first line names columns.

    Raises:
        ValueError: where its numbers follow each other as the names do that pandas gives (0, 1, 2), or years
            and wavelengths.
    """
    if isinstance(label_column, str) and label_column in cells:
        return True
    begin = _unnamed(cells)
    label = None
    if re.fullmatch(r"-?\d+", str(label_column)):
        label = int(str(label_column)) % len(cells)
    features = [cell for place, cell in enumerate(cells) if place >= begin and place != label]
    if any(cell.lower() in _LABELS for cell in cells) or not any(map(is_number, features)):
        return True
    counted = features == [str(number) for number in range(len(features))]
    if counted and begin:
        return True
    if counted or _in_steps(features):
        raise ValueError(
            f"The first line of {path}, {_short(cells)}, may be the names of columns, or an example. Say "
            "header=True or header=False."
        )
    return False


def _in_steps(cells: list[str]) -> bool:
    """Whether cells are numbers in an order that names have and examples hardly ever.

    Three or more in equal steps, as far as decimals allow for eight and more, or sixteen that only go up or
    only down: years, wavelengths that a device has measured, wavenumbers.
    """
    if len(cells) < 3 or not all(map(is_number, cells)):
        return False
    steps = np.diff([float(cell) for cell in cells])
    one_way = bool((steps > 0).all() or (steps < 0).all())
    tolerance = 1e-6 if len(cells) < 8 else 1e-2
    return one_way and (len(cells) >= 16 or np.allclose(steps, steps[0], rtol=tolerance, atol=0))


def _unnamed(names: list[str]) -> int:
    """How many columns at the beginning have no name of their own; never all."""
    run = itertools.takewhile(_UNNAMED.fullmatch, names[:-1])
    return len(list(run))


def _label(path: Path, names: list[str], width: int, column: str | int | None) -> int | None:
    if column is not None:
        return _column(path, names, width, column, "label_column")
    found = [place for place, name in enumerate(names) if name.lower() in _LABELS]
    if len(found) > 1:
        raise ValueError(
            f"{path} has the columns {', '.join(names[place] for place in found)}; say which one holds the "
            "labels by label_column."
        )
    return found[0] if found else None


def _column(path: Path, names: list[str], width: int, column: str | int, option: str) -> int:
    """The place of a column that is given by its name or its index."""
    if isinstance(column, str) and column in names:
        if names.count(column) > 1:
            raise ValueError(
                f"{path} has {names.count(column)} columns called {column!r}; give {option} as an index."
            )
        return names.index(column)
    try:
        place = int(column)
    except (TypeError, ValueError):
        place = width
    if not -width <= place < width or isinstance(column, bool):
        known = ", ".join(names) if names else "no header"
        raise ValueError(
            f"{option} must be a column of {path} ({known}) or an index from {-width} to {width - 1}; "
            f"received {column!r}."
        )
    place %= width
    if str(column) in names and names[place] != str(column):
        raise ValueError(
            f"{option}={column!r} may be the column called {str(column)!r} or the one at index {place} of "
            f"{path}, {names[place]!r}. Give the name as text, or another index: {names.index(str(column))}."
        )
    return place


def _short(cells: list[str]) -> str:
    return ",".join(cells if len(cells) < 6 else [*cells[:3], "...", cells[-1]])
