"""Tables in .csv files: of numbers, or of columns of several kinds."""

from __future__ import annotations

import csv
import dataclasses
import os
import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data import precision, table_layout
from zoo.data.arrays import from_arrays
from zoo.data.columns import Columns, named_kinds
from zoo.data.columns import load as load_columns
from zoo.data.dataset import Data
from zoo.data.mixed import UNKNOWN, from_columns, number, typed
from zoo.data.table_layout import TableLayout, is_number

_REMEDY = (
    "Say which column holds labels by label_column, leave one out by index_column, and remove or fill what "
    "is missing, or take missing='nan' and a model with mask='nan'."
)
_REMEDY_OF_WIDTH = (
    "Every line needs as many cells as the first; a cell that holds the delimiter stands in quotes."
)
_DATE = re.compile(r"(\d{4}([-/.])\d\d?\2\d\d?|\d\d?([-/.])\d\d?\3\d{4})([T ][\d:.,]+.*)?")
_NO_CATEGORIES = (
    (
        table_layout.has_commas,
        "numbers with commas",
        "Write a point for a decimal comma and nothing for thousands, as by "
        "pandas.read_csv(path, decimal=',')",
    ),
    (
        _DATE.fullmatch,
        "dates",
        "Turn them into numbers, such as days since the first",
    ),
)
_LARGEST = float(np.finfo(np.float32).max)


def read_csv(
    path: str | os.PathLike,
    split: str = "train",
    *,
    seed: int = 0,
    label_column: str | int | None = None,
    index_column: str | int | Sequence[str | int] | None = None,
    header: bool | None = None,
    delimiter: str = ",",
    scale: float | str | None = None,
    test_fraction: float = 0.2,
    kinds: Mapping[str, Any] | None = None,
    missing: str = "refuse",
    columns: Columns | str | os.PathLike | None = None,
) -> Data:
    r"""Read a .csv file: one example a line.

    A table of numbers is read as it is. Where a column holds texts, or one of the last three arguments is
    given, its columns are encoded by `zoo.data.columns`: numbers standardized, texts one-hot. A column of
    numbers with a text among them is refused as a mistake.

    The first line that is not blank is a header where none of its cells is a number, or one of them names the
    labels. A first column without a name, the index that pandas and R write, is left out with a warning.

    Args:
        path: the file, in UTF-8.
        split: "train", "test" or "all".
        seed: of the split.
        label_column: the column of labels (whole numbers or text), by its name or its index from 0, negative
            ones from the end. None for the one called "label" or "labels", if there is one.
        index_column: a column to leave out, or several, given likewise; None for the first ones where they
            have no name.
        header: whether the first line names the columns; None to find out. Needed where its numbers are
            in equal steps, 0,1,2.
        delimiter: what stands between the cells; "\t" and "tab" for a tab.
        scale: a number to divide all values by, such as 255; None for none.
        test_fraction: share of the test split.
        kinds: name of a column -> its likelihood, see `zoo.data.columns.fit`.
        missing: what to do with empty cells and NA, n/a, nan, null and ? in any case: "refuse" them, or
            encode them as "nan", for a model with ``mask="nan"``.
        columns: a transformation that was fitted before, or the file of one.

    Returns:
        `Data` with inputs (n, columns) float32, and `columns` where they are encoded.

    Raises:
        ValueError: for an empty file, a cell that is not a finite number (with its line and column), a line
            with too many or too few cells, another delimiter, and an unknown column.

    Warns:
        UserWarning: for columns of texts where the table has no labels: they are features.

    Example:
        >>> with open("mine.csv", "w") as file:
        ...     for row in ("width,height,kind", "1.5,2.5,cat", "3.5,4.5,dog"):
        ...         print(row, file=file)
        >>> data = zoo.data.load("mine.csv", "all", label_column="kind")
        >>> data.inputs.shape, data.classes
        ((2, 2), ('cat', 'dog'))
    """
    path = Path(path)
    mark = table_layout.as_delimiter(delimiter)
    layout = table_layout.layout_of(path, mark, label_column, index_column, header)
    asked = kinds is not None or columns is not None or missing != "refuse"
    try:
        if asked:
            raise ValueError  # not a table of numbers alone
        table, labels = _read(path, layout, mark)
    except ValueError:
        if columns is not None and not isinstance(columns, Columns):
            columns = load_columns(Path(columns))
        known = named_kinds(kinds) if columns is None else _kinds_of(columns, layout)
        mixed = _mixed(path, layout, mark, known, strict=asked)
        if mixed is None:
            raise
        if scale is not None:
            raise ValueError(
                f"scale is for a table of numbers alone; the columns of {path} are encoded, each number "
                "standardized by its own mean and deviation. Leave scale out."
            ) from None
        if header is None:
            texts = {name: cells for name, cells in mixed[0].items() if isinstance(cells, list)}
            _refuse_names(path, layout, {**texts, "labels": mixed[1]})
        _warn_of_columns(path, layout, index_column, mixed[0])
        return from_columns(
            path.name,
            *mixed,
            split=split,
            seed=seed,
            test_fraction=test_fraction,
            kinds=kinds,
            missing=missing,
            columns=columns,
            description=f"The table {path}{_of_labels(layout)}",
        )
    if header is None:
        _refuse_names(path, layout, {"labels": labels})
    left_out = [*layout.index, *([] if layout.label is None else [layout.label])]
    inputs = np.delete(table, left_out, 1)
    if len(table) and inputs.shape[1] == 0:
        raise ValueError(f"{path} has no column of numbers beside its labels and index.")
    _warn_of_columns(path, layout, index_column)
    data = from_arrays(
        path.name,
        inputs,
        labels,
        split=split,
        seed=seed,
        test_fraction=test_fraction,
        description=f"The table {path}{_of_labels(layout)}",
        scale=scale,
    )
    names = [name for place, name in enumerate(layout.header) if place not in left_out]
    return dataclasses.replace(data, column_names=tuple(names))


def _kinds_of(columns: Columns, layout: TableLayout) -> dict[str, str]:
    """How the cells of a table are to be read for a transformation that is known."""
    of_numbers = {c.name for c in columns.columns if not any(map(_is_text, c.levels))}
    kinds = {c.name: c.kind for c in columns.columns if c.name not in of_numbers}
    others = [name for name in layout.header if name not in kinds and name not in of_numbers]
    return {**kinds, **dict.fromkeys(others, "leave out")}


def _refuse_names(path: Path, layout: TableLayout, columns: Mapping[str, Any]) -> None:
    """Ask whether the first line is an example, where a text of it comes once and the others again and again.

    Raises:
        ValueError: with the text.
    """
    if layout.header:
        return
    for cells in columns.values():
        if cells is None or not len(cells) or not _is_text(cells[0]):
            continue
        first, *others = cells
        if first not in others and len({*others}) < len(others):
            raise ValueError(
                f"The first line of {path} may be the names of columns, or an example: no other has "
                f"{str(first)!r} in its place. Say header=True or header=False."
            )


def _of_labels(layout: TableLayout) -> str:
    if layout.label is None:
        return ""
    return f", labels from column {layout.header[layout.label] if layout.header else layout.label}"


def _warn_of_columns(
    path: Path, layout: TableLayout, index_column: Any, mixed: Mapping[str, Any] | None = None
) -> None:
    """Say which columns may have been meant otherwise."""
    if layout.index and index_column is None:
        warnings.warn(
            f"{path.name}: the first column has no name and is left out, as the index that pandas writes"
            f"{' twice' * (len(layout.index) > 1)}. Give it a name to keep it.",
            stacklevel=4,
        )
    suspect = table_layout.suspected_labels(layout)
    if suspect:
        warnings.warn(
            f"{path.name}: the column {suspect!r} is read as a feature; if it holds labels, give "
            f"label_column={suspect!r}.",
            stacklevel=4,
        )
        return
    texts = [name for name, cells in (mixed or {}).items() if any(map(_is_text, cells))]
    if texts and layout.label is None:
        warnings.warn(
            f"{path.name}: the texts of {', '.join(texts)} are read as categories. If one of these columns "
            "holds labels, name it by label_column.",
            stacklevel=4,
        )


def _mixed(
    path: Path, layout: TableLayout, mark: str, kinds: Mapping[str, Any], strict: bool
) -> tuple[dict[str, Any], np.ndarray | None] | None:
    """The columns by name, and the labels; None for a table that is not one of mixed columns.

    Args:
        path: the file.
        layout: of it.
        mark: between the cells.
        kinds: of the columns, as far as they are given.
        strict: whether to raise, in the place of None.
    """
    names = layout.header or [f"column {place}" for place in range(layout.width)]
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            for _ in range(layout.skipped):
                next(file)
            reader = csv.reader(file, delimiter=mark)
            numbered = [(reader.line_num + layout.skipped, row) for row in reader if row]
    except (UnicodeDecodeError, csv.Error):
        numbered = []
    rows = [row for _, row in numbered]
    whole = rows and all(len(row) == layout.width for row in rows)
    if not whole or (not strict and any(map(_is_otherwise, rows, [mark] * len(rows)))):
        if strict:
            raise ValueError(_fault(path, layout, mark) or f"{path} has no rows of cells.")
        return None
    cells = dict(enumerate(zip(*rows, strict=True)))
    labels = None
    if layout.label is not None:
        texts = [cell.strip() for cell in cells[layout.label]]
        if "" in texts:
            line, _ = numbered[texts.index("")]
            where = f"line {line}, column {layout.label + 1} ({names[layout.label]})"
            raise ValueError(
                f"{path}, {where}: expected a label, received none. Fill it, or leave out its line."
            )
        different = list(dict.fromkeys(texts))
        place = {text: index for index, text in enumerate(different)}
        labels = _labels(path, different)[[place[text] for text in texts]]
    table: dict[str, Any] = {}
    odd = ""  # the first column of numbers and texts
    for place, name in enumerate(names):
        if place == layout.label or place in layout.index:
            continue
        if name in table:
            raise ValueError(f"{path} has several columns called {name!r}. Rename them.")
        found = typed(list(cells[place]))
        asked = kinds.get(name)
        # 01 and 1 are two levels.
        as_texts = asked == "categorical" and isinstance(found, np.ndarray)
        if as_texts or (found is None and asked in ("categorical", "bernoulli", "leave out")):
            stripped = [cell.strip() for cell in cells[place]]
            found = [None if cell.lower() in UNKNOWN else cell for cell in stripped]
        elif isinstance(found, list) and asked not in ("categorical", "leave out"):
            _refuse_no_category(path, name, found)
        table[name] = list(cells[place]) if found is None else found
        odd = odd or ("" if found is not None else name)
    texts = [name for name, cells in table.items() if isinstance(cells, list) and name != odd]
    if not strict and not texts:
        return None  # numbers, of which some are missing or mistaken
    if odd:
        cell = next(c for c in table[odd] if number(c) is None and c.strip().lower() not in UNKNOWN)
        raise ValueError(
            f"{path}: the column {odd!r} holds numbers and texts, such as {cell!r} in example "
            f"{table[odd].index(cell)}. Mend it, or say kinds={{{odd!r}: 'categorical'}}."
        )
    if not table:
        raise ValueError(f"{path} has no column beside its labels and index.")
    return table, labels


def _refuse_no_category(path: Path, name: str, cells: list[Any]) -> None:
    """Texts that are all numbers with commas, or all dates, are no categories."""
    known = [cell for cell in cells if _is_text(cell)]
    for looks, what, advice in _NO_CATEGORIES:
        if known and all(map(looks, known)):
            raise ValueError(
                f"{path}: the column {name!r} holds {what}, such as {known[0]!r}. {advice}, or say "
                f"kinds={{{name!r}: 'leave out'}}, or 'categorical'."
            )


def _is_text(cell: Any) -> bool:
    return isinstance(cell, str)


def _is_otherwise(row: list[str], mark: str) -> bool:
    """Whether a line looks as if other marks stood between its cells or in its numbers."""
    return bool(table_layout.advice(row, mark)) and not table_layout.has_truths(row)


def _read(path: Path, layout: TableLayout, mark: str) -> tuple[np.ndarray, np.ndarray | None]:
    """All columns as float32, and the labels."""
    numbers: dict[str, int] = {}  # each label's text, numbered as it occurs
    converters = {}
    if layout.label is not None:
        converters[layout.label] = lambda cell: numbers.setdefault(cell.strip(), len(numbers))
    converters |= dict.fromkeys(layout.index, lambda cell: 0.0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # about empty lines
            table = np.loadtxt(
                path,
                np.float32,
                comments=None,
                delimiter=mark,
                converters=converters,
                skiprows=layout.skipped,
                ndmin=2,
                encoding="utf-8-sig",
                quotechar='"',
            )
    except ValueError as error:
        raise ValueError(_fault(path, layout, mark) or f"{path}: {error}") from error
    if len(table) == 0:
        raise ValueError(f"{path} is empty but for its header; expected one example a line.")
    finite = np.isfinite([table.min(), table.max()]).all()
    if table.shape[1] != layout.width or not finite or "" in numbers:
        raise ValueError(_fault(path, layout, mark))
    _say_lost(path, layout, table, mark)
    if layout.label is None:
        return table, None
    return table, _labels(path, [*numbers])[table[:, layout.label].astype(np.int64)]


def _say_lost(path: Path, layout: TableLayout, table: np.ndarray, mark: str) -> None:
    """Warn of columns whose numbers float32 does not hold, read once more with all their digits."""
    first = table[: precision.ROWS]
    rounding = np.abs(first).max(axis=0) * np.finfo(np.float32).epsneg
    near = rounding > precision.MOST * first.std(axis=0, dtype=np.float64)
    near[[*layout.index, *([] if layout.label is None else [layout.label])]] = False
    columns = np.flatnonzero(near & (rounding > 0))
    if not len(columns):
        return
    exact = np.loadtxt(
        path,
        np.float64,
        comments=None,
        delimiter=mark,
        skiprows=layout.skipped,
        usecols=columns.tolist(),
        ndmin=2,
        encoding="utf-8-sig",
        quotechar='"',
        max_rows=len(first),
    )
    lost = columns[precision.lost_columns(exact)]
    names = [layout.header[place] for place in lost] if layout.header else lost.tolist()
    precision.say_lost(path.name, names, stacklevel=6)


def _labels(path: Path, names: list[str]) -> np.ndarray:
    """Different labels as numbers where all are, else as text.

    01, 001 and 1 are three names: a number is what Python writes so, 1 or, where pandas made floats of
    whole numbers, 1.0.
    """
    known = [name for name in names if name.lower() != "nan"]
    for end in ("", ".0"):
        whole = [name.removesuffix(end) for name in known if name.endswith(end)]
        if known and len(whole) == len(known) and all(map(_is_integer, whole)):
            if len(known) < len(names):
                raise ValueError(
                    f"{path} holds the label nan among numbers. Fill it, or leave out its lines."
                )
            return np.array(whole, np.int64)
    if {"nan", "NaN"} & set(names):  # as NumPy and pandas write them; Nan is a name
        raise ValueError(
            f"{path} holds the label nan among texts. Fill it, or leave out its lines."
        )
    return np.array(names)


def _is_integer(name: str) -> bool:
    digits = name.removeprefix("-")
    plain = digits.isascii() and digits.isdigit() and len(digits) <= 18
    return plain and str(int(name)) == name


def _fault(path: Path, layout: TableLayout, mark: str) -> str | None:
    """Where the first cell stands that is not a finite number, or the first label that is missing."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            for _ in range(layout.skipped):
                next(file)
            reader = csv.reader(file, delimiter=mark)
            for number, row in enumerate(filter(None, reader)):
                fault = _fault_of_row(row, layout)
                if fault:
                    remedy = table_layout.advice(row, mark) or (
                        _REMEDY if len(row) == layout.width else _REMEDY_OF_WIDTH
                    )
                    if number == 0 and not layout.header and remedy is _REMEDY:
                        remedy += " Where this line names the columns, give header=True."
                    return f"{path}, line {layout.skipped + reader.line_num}{fault}. {remedy}"
    except (UnicodeDecodeError, csv.Error) as error:
        return f"{path} cannot be read as a table of text in UTF-8: {error}. Save it so."
    return None


def _fault_of_row(row: list[str], layout: TableLayout) -> str:
    if len(row) != layout.width:
        return f": expected {layout.width} cells, received {len(row)}"
    for column, cell in enumerate(row):
        number = is_number(cell) and abs(float(cell)) <= _LARGEST
        if column in layout.index or (cell.strip() if column == layout.label else number):
            continue
        wanted = "label" if column == layout.label else "finite number"
        name = f" ({layout.header[column]})" if layout.header else ""
        return f", column {column + 1}{name}: expected a {wanted}, received {cell!r}"
    return ""
