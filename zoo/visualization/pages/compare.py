"""Several runs on one page, side by side."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from zoo.evaluation.metrics import HIGHER, Metric, metric
from zoo.visualization.figures.curves import overlaid_curves, terms
from zoo.visualization.pages.page import (
    Picture,
    embed,
    group_heading,
    heading,
    smaller,
    write_page,
)
from zoo.visualization.pages.runs import Run, load_runs
from zoo.visualization.pages.sections import SECTIONS, section_of
from zoo.visualization.pages.tables import is_interval, number, text

# Settings that do not change what is minimised.
_NEUTRAL = {"batch_size", "epochs", "learning_rate", "optimizer", "precision", "seed"}
_NEUTRAL |= {"data_dir", "data_seed", "evaluate", "manual_dir", "slices", "strategy"}
_NEUTRAL |= {"virtual_devices"}
_DATA = ("dataset", "data_options", "limit")
_UNTOLD = ("command", "run_dir")  # differ between any two runs
_BUDGET = 4_000_000  # bytes of all pictures of a page
_SIZES = ((960, 80), (720, 70), (560, 60), (420, 50), (320, 40))  # width and quality
_NATS = ("reconstruction", "kl", "elbo", "log_likelihood", "expected_log_likelihood")


class Entry(NamedTuple):
    """One run's value of a metric and its interval, in words, and whether it is the best by far."""

    text: str
    interval: str
    best: bool


class MetricRow(NamedTuple):
    """A metric over the runs."""

    name: str
    metric: Metric
    entries: list[Entry]


def write_comparison(
    path: str | os.PathLike[str], runs: Sequence[str | os.PathLike[str]], title: str = "Comparison"
) -> Path:
    """Write one self-contained HTML page that compares runs.

    It shows the settings that differ, the metrics with the best marked, the curves overlaid, and
    the pictures in rows, made small enough that the page stays below 5 MB. A metric is marked only
    where one end is better in itself, a run is ahead by more than the intervals allow, and the runs can
    be compared by it: not at all where they saw different data or were measured on different rows, not
    in terms of the loss where these were computed differently, and not by samples where the features
    differ; the page says so.

    Args:
        path: of the file; its folder is made where it is missing.
        runs: two or more run folders, each with config.json, and history.csv, metrics.json and
            figures/*.png where they were written.
        title: of the page.

    Returns:
        The path.

    Raises:
        ValueError: for fewer than two runs, a folder that is not a run, broken files, or a path that
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
    """Which values are ahead of all others by more than chance.

    A value is, where it differs from every other by more than sqrt(h1^2 + h2^2), with h1 and h2 half the
    lengths of the two 95 % intervals: about where the interval of the difference of two independent values
    leaves out 0. Runs that are measured on the same rows differ by less, so this marks too few rather than
    too many.

    Args:
        values: one for each run, {"value", "low", "high"}; what is not a finite number is never best.
        better: "higher", "lower", or "" or None for no best.

    Returns:
        One bool for each; all False where fewer than two can be compared, where all are equal, and where
        one has no interval. Equal ones are marked together.
    """
    numbers: list[Any] = [number(value) for value in values]
    finite = [
        index for index, value in enumerate(numbers) if value is not None and math.isfinite(value)
    ]
    spreads: dict[int, Any] = {index: _half_length(values[index]) for index in finite}
    none = [False] * len(numbers)
    if not better or len(finite) < 2 or None in spreads.values():
        return none
    top = (max if better == HIGHER else min)(numbers[index] for index in finite)
    first = [index for index in finite if numbers[index] == top]
    rivals = [index for index in finite if numbers[index] != top]
    clear = all(
        abs(top - numbers[rival]) > math.hypot(spreads[index], spreads[rival])
        for index in first
        for rival in rivals
    )
    return [index in first for index in range(len(numbers))] if rivals and clear else none


def _half_length(value: Any) -> float | None:
    """Half the length of a value's interval; None where it has none."""
    if not is_interval(value):
        return None
    half = (value["high"] - value["low"]) / 2
    return half if math.isfinite(half) else None


def _comparable(
    path: str, runs: Sequence[Run], differing: Mapping[str, Any], one_likelihood: bool
) -> bool:
    """Whether runs with these differing settings are measured alike by a metric."""
    group, _, name = path.rpartition("/")
    if _different_data(differing) or _differ(runs, "rows") or _differ(runs, "level"):
        return False
    if group == "generation" and _differ(runs, "features"):
        return False
    if name == "loss":
        return all(_root(setting) in {*_NEUTRAL, "versions"} for setting in differing)
    return one_likelihood or name not in _NATS


def _different_data(differing: Mapping[str, Any]) -> bool:
    return any(_root(setting) in _DATA for setting in differing)


def _differ(runs: Sequence[Run], what: str) -> bool:
    """Whether the runs were measured on other rows, or by other features, as far as they say."""
    return len({run.measured_on[what] for run in runs if what in run.measured_on}) > 1


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
        if not _comparable("loss", [], differing, True):
            notes.append("The runs minimise different objectives: their losses do not compare.")
    if _differ(runs, "rows"):
        notes.append(
            "The runs were measured on different held-out rows, so no metric is marked as the best. "
            "Train them with the same split to compare them."
        )
    if _differ(runs, "level"):
        notes.append(
            "Some runs were measured quickly and some in full, so no metric is marked as the best. "
            "Evaluate all of them in full."
        )
    if _differ(runs, "features"):
        notes.append(
            "The features of generated examples differ, since the training rows do: precision, recall "
            "and the distances of the group 'generation' do not compare."
        )
    unsure = [run.name for run in runs if run.metrics and "rows" not in run.measured_on]
    if unsure:
        notes.append(
            f"Measured by an earlier version, on rows that are not known: {', '.join(unsure)}. "
            "Evaluate them again."
        )
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
        found = metric(path)
        values = [_with_error(run.metrics, path) for run in runs]
        comparable = _comparable(path, runs, differing, alike)
        marks = best(values, found.better if comparable else None)
        shown = [_in_words(run.metrics[path]) if path in run.metrics else ("", "") for run in runs]
        entries = [Entry(*words, mark) for words, mark in zip(shown, marks, strict=True)]
        row = MetricRow(name, found, entries)
        groups.setdefault(group, []).append(row)
    ordered = sorted(groups.items(), key=lambda item: item[0] != "")
    return [(group_heading(group), rows) for group, rows in ordered]


def _in_words(value: Any) -> tuple[str, str]:
    if is_interval(value):
        return text(value["value"]), f"[{text(value['low'])}, {text(value['high'])}]"
    return text(value), ""


def _with_error(metrics: Mapping[str, Any], path: str) -> Any:
    """A value with its interval, which a standard error beside it gives as well."""
    value: Any = metrics.get(path)
    error = number(metrics.get(f"{path}_standard_error"))
    if is_interval(value) or number(value) is None or error is None:
        return value
    return {"value": value, "low": value - 1.96 * error, "high": value + 1.96 * error}


def _pictures(runs: Sequence[Run]) -> list[tuple[str, list[tuple[str, Picture | None]]]]:
    names = dict.fromkeys(name for run in runs for name in run.pictures)
    names.pop("learning_curves", None)  # they are overlaid above
    names = sorted(names, key=lambda name: SECTIONS.index(section_of(name)))
    contents = {
        (run.name, name): run.pictures[name].read_bytes()
        for run in runs
        for name in names
        if name in run.pictures
    }
    small = _within_budget(contents)

    def picture(run: Run, name: str) -> Picture | None:
        content = small.get((run.name, name))
        if content is None:
            return None
        return embed(name, content)._replace(title=f"{heading(name)} of {run.name}")

    return [(heading(name), [(run.name, picture(run, name)) for run in runs]) for name in names]


def _within_budget(contents: Mapping[tuple[str, str], bytes]) -> dict[tuple[str, str], bytes]:
    """The pictures as large and as good as a page of a few megabytes holds them."""
    found: dict[tuple[str, str], bytes] = {}
    for width, quality in _SIZES:
        found = {key: smaller(content, key[1], width, quality) for key, content in contents.items()}
        if sum(map(len, found.values())) * 4 / 3 <= _BUDGET:  # base64 adds a third
            break
    return found
