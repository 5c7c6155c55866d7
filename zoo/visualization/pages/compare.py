"""Several runs on one page, side by side."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from zoo.visualization.figures.curves import overlaid_curves, terms
from zoo.visualization.pages.measures import HIGHER, Measure, measure
from zoo.visualization.pages.page import Picture, embed, group_heading, heading, write_page
from zoo.visualization.pages.runs import Run, load_runs
from zoo.visualization.pages.sections import SECTIONS, section_of
from zoo.visualization.pages.tables import number, text

# Settings that do not change what is minimised.
_NEUTRAL = {"batch_size", "epochs", "learning_rate", "optimizer", "precision", "seed"}
_NEUTRAL |= {"data_dir", "manual_dir", "strategy", "virtual_devices"}
_DATA = ("dataset", "data_options", "limit")
_UNTOLD = ("command", "run_dir")  # differ between any two runs
_NATS = ("reconstruction", "kl", "elbo", "log_likelihood", "expected_log_likelihood")


class Entry(NamedTuple):
    """One run's value of a metric, in words, and whether no other run has a better one."""

    text: str
    best: bool


class MetricRow(NamedTuple):
    """A metric over the runs."""

    name: str
    measure: Measure
    entries: list[Entry]


def write_comparison(
    path: str | os.PathLike[str], runs: Sequence[str | os.PathLike[str]], title: str = "Comparison"
) -> Path:
    """Write one self-contained HTML page that compares runs.

    It shows the settings that differ, the metrics with the best marked, the curves overlaid, and
    the pictures in rows. A metric is marked only where one end is better in itself and the runs can
    be compared by it: not at all where they saw different data, and not in terms of the loss where
    these were computed differently; the page says so.

    Args:
        path: of the file; its folder is made where it is missing.
        runs: two or more run folders, each with config.json, and history.csv, metrics.json and
            figures/*.png where they were written.
        title: of the page.

    Returns:
        The path.

    Raises:
        ValueError: for fewer than two runs, a folder that is no run, broken files, or a path that
            cannot be written.

    Example:
        >>> for seed in (0, 1):
        ...     config = zoo.runs.RunConfig(model="vae", seed=seed)
        ...     zoo.runs.RunFolder(f"runs/{seed}").begin(config)
        ...     np.savetxt(
        ...         f"runs/{seed}/history.csv", [[1, 9.0 - seed]], "%g", ",", header="epoch,loss", comments=""
        ...     )
        >>> zoo.visualization.write_comparison("comparison.html", ["runs/0", "runs/1"]).name
        'comparison.html'
    """
    if len(runs) < 2:
        raise ValueError(f"A comparison needs at least 2 run folders; received {len(runs)}.")
    loaded = load_runs(runs)
    differing = settings_that_differ(loaded)
    histories = {run.name: run.history for run in loaded if terms(run.history)}
    curves = None
    if histories:
        curves = embed("learning_curves", overlaid_curves(histories), "A line for each run.")
    context = {
        "title": title,
        "names": [run.name for run in loaded],
        "settings": {
            key: [text(run.config[key]) if key in run.config else "not set" for run in loaded]
            for key in differing
        },
        "notes": _notes(loaded, differing),
        "groups": _groups(loaded, differing),
        "curves": curves,
        "pictures": _pictures(loaded),
    }
    return write_page(path, "compare.html", context)


def settings_that_differ(runs: Sequence[Run]) -> dict[str, list[Any]]:
    """The settings that are not equal in all runs; where a run lies and how it was called aside.

    Args:
        runs: as `load_runs` returns.

    Returns:
        Path of the setting -> its value in each run, None where a run has no such setting.
    """
    keys = dict.fromkeys(key for run in runs for key in run.config if key not in _UNTOLD)
    rows = {key: [run.config.get(key) for run in runs] for key in keys}
    return {
        key: row
        for key, row in rows.items()
        # A mapping stands for itself where it is empty; what the others hold in it has its own rows.
        if any(value != row[0] for value in row) and {} not in row
    }


def best(values: Sequence[Any], better: str | None) -> list[bool]:
    """Which values no other beats.

    Args:
        values: one for each run; what is no finite number is never best.
        better: "higher", "lower", or None for no best.

    Returns:
        One bool for each; all False where fewer than two can be compared, or all are equal.
    """
    numbers = [number(value) for value in values]
    finite = [value for value in numbers if value is not None and math.isfinite(value)]
    if better is None or len(finite) < 2 or min(finite) == max(finite):
        return [False] * len(numbers)
    top = max(finite) if better == HIGHER else min(finite)
    return [value == top for value in numbers]


def _comparable(path: str, differing: Mapping[str, Any], one_likelihood: bool) -> bool:
    """Whether runs with these differing settings are measured alike by a metric."""
    name = path.rsplit("/", 1)[-1]
    if _different_data(differing):
        return False
    if name == "loss":
        return all(_root(setting) in {*_NEUTRAL, "versions"} for setting in differing)
    return one_likelihood or name not in _NATS


def _different_data(differing: Mapping[str, Any]) -> bool:
    return any(_root(setting) in _DATA for setting in differing)


def _root(setting: str) -> str:
    return setting.split("/", 1)[0]


def _one_likelihood(runs: Sequence[Run]) -> bool:
    """Whether all runs are known to have the same likelihood, so that their nats compare."""
    return runs[0].likelihood is not None and len({run.likelihood for run in runs}) == 1


def _notes(runs: Sequence[Run], differing: Mapping[str, Any]) -> list[str]:
    notes = []
    if _different_data(differing):
        notes.append("The runs used different data, so no metric is marked as the best.")
    else:
        if not _one_likelihood(runs):
            notes.append("The likelihoods differ, or are not known: nats are not compared.")
        if not _comparable("loss", differing, True):
            notes.append("The runs minimise different objectives: their losses do not compare.")
    missing = [run.name for run in runs if not run.metrics]
    if missing:
        notes.append(f"Without metrics as yet: {', '.join(missing)}. Evaluate them.")
    return notes


def _groups(runs: Sequence[Run], differing: Mapping[str, Any]) -> list[tuple[str, list[MetricRow]]]:
    groups: dict[str, list[MetricRow]] = {}
    alike = _one_likelihood(runs)
    for path in dict.fromkeys(path for run in runs for path in run.metrics):
        if path.startswith("skipped/"):
            continue
        group, _, name = path.rpartition("/")
        found = measure(path)
        values = [run.metrics.get(path) for run in runs]
        marks = best(values, found.better if _comparable(path, differing, alike) else None)
        texts = ["" if path not in run.metrics else text(run.metrics[path]) for run in runs]
        row = MetricRow(name, found, [Entry(*entry) for entry in zip(texts, marks, strict=True)])
        groups.setdefault(group, []).append(row)
    ordered = sorted(groups.items(), key=lambda item: item[0] != "")
    return [(group_heading(group), rows) for group, rows in ordered]


def _pictures(runs: Sequence[Run]) -> list[tuple[str, list[tuple[str, Picture | None]]]]:
    names = dict.fromkeys(name for run in runs for name in run.pictures)
    names.pop("learning_curves", None)  # they are overlaid above
    names = sorted(names, key=lambda name: SECTIONS.index(section_of(name)))
    return [(heading(name), [(run.name, _picture(run, name)) for run in runs]) for name in names]


def _picture(run: Run, name: str) -> Picture | None:
    if name not in run.pictures:
        return None
    return embed(name, run.pictures[name].read_bytes())._replace(
        title=f"{heading(name)} of {run.name}"
    )
