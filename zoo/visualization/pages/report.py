"""The report of one run: one page that opens anywhere, with everything inside."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from zoo.data.columns import Columns
from zoo.evaluation.metrics import Metric, metric
from zoo.evaluation.table import with_intervals
from zoo.visualization.drawing.files import draw
from zoo.visualization.figures.curves import learning_curves, terms
from zoo.visualization.pages.features import Feature, described
from zoo.visualization.pages.page import Picture, embed, group_heading, heading, write_page
from zoo.visualization.pages.sections import REST, SECTIONS, section_of
from zoo.visualization.pages.tables import flatten


class Row(NamedTuple):
    """A metric in the report's table."""

    name: str
    value: Any
    metric: Metric


def write_report(
    path: str | os.PathLike[str],
    *,
    title: str,
    objective: str,
    config: Mapping[str, Any],
    history: Mapping[str, Sequence[float]],
    metrics: Mapping[str, Any],
    figures: Mapping[str, Any],
    next_steps: Sequence[str | tuple[str, str]] = (),
    unit: str = "",
    facts: Mapping[str, str] | None = None,
    failed: Mapping[str, str] | None = None,
    features: Sequence[Feature] = (),
    columns: Columns | None = None,
) -> Path:
    """Write the report of a run as one self-contained HTML file.

    A kill at any moment leaves the old file or the new one. The page asks nothing of a network: its
    pictures and its style are part of it.

    Args:
        path: of the file; its folder is made where it is missing.
        title: what was trained, in a line.
        objective: the loss as a formula in plain text; lines are kept.
        config: settings, nested as you like; the entry "versions" gets a table of its own.
        history: term -> values by epoch, "val_term" for validation; may be empty.
        metrics: name -> value, or group -> {name -> value}, as in a run's metrics.json; a value is a
            number, a list, a text, or {"value", "low", "high"} for a number with its interval.
        figures: name -> figure, bytes of a PNG or GIF, or a pair of either and a caption. Names
            tell the section: those of `figures_for` are known, others come last. Without
            "learning_curves" they are drawn from the history.
        next_steps: what a reader may do next: texts, or pairs of a text and a command.
        unit: of the curves drawn here, for example "nats".
        facts: what a reader asks first, for the top of the page: name -> text, for example the
            model's options and the number of its weights. Optional.
        failed: name -> reason of the figures that could not be drawn. Optional.
        features: units of a sparse dictionary, as `zoo.visualization.pages.features.features` gives them.
        columns: of a table of mixed columns; each then gets a line of `metrics` under "columns". Optional.

    Returns:
        The path.

    Raises:
        ValueError: for a value that is not a figure, or a path that cannot be written.

    Example:
        >>> path = zoo.visualization.write_report(
        ...     "report.html",
        ...     title="A VAE of the digits",
        ...     objective=zoo.models.objective("vae"),
        ...     config={"model": "vae", "epochs": 3},
        ...     history={"loss": [9.0, 5.0, 4.0]},
        ...     metrics={"reconstruction": {"psnr": 21.5}},
        ...     figures={},
        ... )
        >>> "A VAE of the digits" in path.read_text()
        True
    """
    drawn = dict(figures)
    if "learning_curves" not in drawn and terms(history):
        drawn["learning_curves"] = (learning_curves(history, unit), "Mean of each term by epoch.")
    pictures = [embed(name, *entry) for name, entry in draw(drawn).items()]
    settings = dict(config)
    versions = settings.pop("versions", {})
    context = {
        "title": title,
        "facts": dict(facts or {}),
        "failed": {heading(name): reason for name, reason in (failed or {}).items()},
        "objective": objective,
        "groups": _groups(metrics),
        "sections": _sections(pictures),
        "features": described(features),
        "table": _table(columns, metrics),
        "rest": REST,
        "next_steps": [(step, "") if isinstance(step, str) else tuple(step) for step in next_steps],
        "settings": flatten(settings),
        "versions": flatten(versions) if isinstance(versions, Mapping) else {"": versions},
        "epochs": _epochs(history),
        "columns": [_column(name) for name in history],
    }
    return write_page(path, "report.html", context)


class ColumnRow(NamedTuple):
    """A column of a table in the report: its name and kind, what its error is, and the numbers."""

    name: str
    kind: str
    measure: str
    error: float
    constant: float


def _table(columns: Columns | None, metrics: Mapping[str, Any]) -> list[ColumnRow]:
    if columns is None:
        return []
    found = metrics.get("columns", {})
    return [
        ColumnRow(
            column.name,
            column.kind,
            "share wrong" if column.levels else "root mean square error",
            **found[column.name],
        )
        for column in columns.columns
        if column.name in found
    ]


def _groups(metrics: Mapping[str, Any]) -> list[tuple[str, list[Row]]]:
    """Rows of the metrics by group; those outside of a group come first, without a heading."""
    groups: dict[str, list[Row]] = {}
    for path, value in flatten(with_intervals(metrics)).items():
        group, _, name = path.rpartition("/")
        groups.setdefault(group, []).append(Row(name, value, metric(path)))
    ordered = sorted(groups.items(), key=lambda item: item[0] != "")
    return [(group_heading(group), rows) for group, rows in ordered]


def _sections(pictures: Sequence[Picture]) -> list[tuple[str, list[Picture]]]:
    found = [(name, [p for p in pictures if section_of(p.name) == name]) for name in SECTIONS]
    return [(name, members) for name, members in found if members]


def _column(name: str) -> str:
    """The heading of a term in the table of the history."""
    return metric(name).label + (", validation" if name.startswith("val_") else "")


def _epochs(history: Mapping[str, Sequence[float]]) -> list[list[Any]]:
    """Rows of the table of the history: at most 20, evenly spread, the last epoch included."""
    length = max((len(series) for series in history.values()), default=0)
    step = -(-length // 20) or 1
    shown = sorted({*range(length - 1, -1, -step)})
    return [
        [
            epoch + 1,
            *(series[epoch] if epoch < len(series) else None for series in history.values()),
        ]
        for epoch in shown
    ]
