"""What a sweep gave: a metric of every run, by point, and the best point."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from zoo.evaluation.metrics import HIGHER, metric
from zoo.files import read_json, write_json
from zoo.registry import suggest
from zoo.runs.run_folder import RunFolder
from zoo.sweeps.sweep import Sweep

UDR = "udr"  # a metric of a point, not of a run: how much the models of its seeds agree
_UDR_ROWS = 1000
# What runs must have been measured on alike, and what is said where they were not.
_UNLIKE = {
    "rows": "The runs were measured on different held-out rows, since the data changed between them: their "
    "values do not compare. Run the sweep in a new folder.",
    "level": "Some runs were measured quickly and some in full: their values do not compare. Evaluate all "
    "of them in full.",
}


class Row(NamedTuple):
    """A point and what its runs gave.

    Attributes:
        point: option -> value.
        folders: of the finished runs.
        values: of the metric, one for each of them.

    Example:
        >>> from zoo.sweeps.summary import Row
        >>> row = Row({"beta": 4}, [], [0.5, 0.7])
        >>> round(row.mean, 3), round(row.spread, 3)
        (0.6, 0.141)
    """

    point: dict[str, Any]
    folders: list[Path]
    values: list[float]

    @property
    def mean(self) -> float:
        """The mean over the seeds; NaN where none is finished."""
        return float(np.mean(self.values)) if self.values else math.nan

    @property
    def spread(self) -> float:
        """The standard deviation over the seeds; NaN of fewer than two."""
        return float(np.std(self.values, ddof=1)) if len(self.values) > 1 else math.nan


def direction(name: str) -> str:
    """Which end of a metric is better, "higher" or "lower".

    Raises:
        ValueError: where neither is, and for a column of history.csv, which is no metric.

    Example:
        >>> from zoo.sweeps.summary import direction
        >>> direction("psnr"), direction("disentanglement/mig"), direction("udr")
        ('higher', 'higher', 'higher')
    """
    last = name.rpartition("/")[2]
    if last.startswith("val_"):  # runs would be trained for a value that none of them has
        raise ValueError(
            f"{name!r} is a column of history.csv, no metric. A finished run is measured on held-out rows: "
            f"write {last.removeprefix('val_')!r}."
        )
    better = metric(name).better
    if not better:
        raise ValueError(
            f"Neither end of {name!r} is known to be better. Choose another metric, such as psnr, elbo, mig, "
            "dci_disentanglement or udr."
        )
    return better


def summarise(sweep: Sweep, points: Sequence[Mapping[str, Any]], name: str) -> list[Row]:
    """The metric of every finished run, the best point first.

    Args:
        sweep: what was run.
        points: of it.
        name: of the metric, as metrics.json has it, with or without its group; "udr" needs no labels and two
            seeds or more of a point.

    Returns:
        One row for each point, by the mean over its seeds; those without a value last.

    Raises:
        ValueError: for a metric that no run has, or with no better end.

    Example:
        >>> from zoo.sweeps import Sweep, run_grid, summarise
        >>> config = zoo.runs.RunConfig(
        ...     model="two_template_vae", dataset="two_templates", data_options={"n": 100}, epochs=1
        ... )
        >>> sweep = Sweep(config, {"beta": [1.0]}, seeds=1, folder="sweep")
        >>> summarise(sweep, [{"beta": 1.0}], "elbo")  # nothing has run yet
        [Row(point={'beta': 1.0}, folders=[], values=[])]
    """
    sign = -1 if direction(name) == HIGHER else 1
    rows = [_row(sweep, dict(point), name) for point in points]
    measured = [row for row in rows if row.folders]
    if measured and not any(row.values for row in measured):
        raise ValueError(no_such(name, measured[0].folders[0]))
    return sorted(rows, key=lambda row: (math.isnan(row.mean), sign * row.mean))


def unlike(rows: Sequence[Row]) -> list[str]:
    """Why the values of a sweep do not compare.

    Args:
        rows: as `summarise` returns.

    Returns:
        A line for each reason; none where they compare.

    Example:
        >>> from zoo.sweeps.summary import Row, unlike
        >>> unlike([Row({"beta": 4}, [], [])])  # no run yet
        []
    """
    metrics = [read_json(f / "metrics.json", "The metrics") for row in rows for f in row.folders]
    found = [each.get("measured_on", {}) for each in metrics]
    return [
        text
        for name, text in _UNLIKE.items()
        if len({each[name] for each in found if name in each}) > 1
    ]


def score(folder: Path, name: str) -> float | None:
    """A metric of a finished run; None where it has none, or no finite one."""
    found = [value for value in _found(folder, name) if math.isfinite(value)]
    return float(found[0]) if found else None


def no_such(name: str, folder: Path) -> str:
    """What is said of a metric that a finished run does not have; "" where it has it."""
    if name == UDR:
        return "udr compares the models of several seeds: it needs at least 2 seeds of a point."
    if _found(folder, name):
        return ""
    known = sorted({key for values in _groups(folder).values() for key in values})
    return f"The runs have no metric {name!r}.{suggest(name, known)}"


def _groups(folder: Path) -> dict[str, dict[str, float]]:
    """The metrics of a finished run that are single numbers, by group."""
    metrics = read_json(folder / "metrics.json", "The metrics")
    return {
        group: {key: value for key, value in values.items() if isinstance(value, int | float)}
        for group, values in metrics.items()
        if group not in ("intervals", "measured_on", "skipped")
    }


def _found(folder: Path, name: str) -> list[float]:
    """A metric of a finished run, in each group that has it."""
    group, _, last = name.rpartition("/")
    groups = _groups(folder).items()
    return [values[last] for key, values in groups if group in ("", key) and last in values]


def _row(sweep: Sweep, point: dict[str, Any], name: str) -> Row:
    folders = [folder for folder in sweep.folders(point) if RunFolder(folder).finished]
    if name == UDR:
        return Row(point, folders, _agreement(sweep, point, folders))
    found = [(folder, score(folder, name)) for folder in folders]
    kept = [(folder, value) for folder, value in found if value is not None]
    if not kept:
        return Row(point, folders, [])
    return Row(point, [folder for folder, _ in kept], [value for _, value in kept])


def _agreement(sweep: Sweep, point: dict[str, Any], folders: list[Path]) -> list[float]:
    """UDR of each model of a point, kept beside the runs while their models are the same."""
    if len(folders) < 2:
        return []
    from zoo.evaluation.disentanglement import udr
    from zoo.runs.artefacts import load_model
    from zoo.runs.run import read_data

    path = folders[0].parent / "udr.json"
    made_of = {folder.name: RunFolder(folder).model.stat().st_mtime_ns for folder in folders}
    if path.exists():
        kept = read_json(path, "UDR")
        if kept["made_of"] == made_of:
            return [value for value in kept["values"] if math.isfinite(value)]
    _, held_out = read_data(sweep.run(point, 0))
    x = held_out.inputs[:_UDR_ROWS]
    codes = [load_model(RunFolder(folder).model).encode(x) for folder in folders]
    values = [float(value) for value in udr([code.reshape(len(x), -1) for code in codes])["udr"]]
    write_json(path, {"made_of": made_of, "values": values})
    return [value for value in values if math.isfinite(value)]
