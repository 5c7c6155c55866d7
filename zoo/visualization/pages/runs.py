"""Run folders, read for a comparison."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from zoo.evaluation.table import with_intervals
from zoo.files import read_json
from zoo.history import read_history
from zoo.visualization.pages.tables import flatten


class Run(NamedTuple):
    """What a run folder holds.

    Args:
        name: tells the run from the others that it is compared with.
        folder: where it lies.
        config: path -> setting, from config.json.
        history: term -> values by epoch, from history.csv; empty where there is none.
        metrics: path -> value, from metrics.json; empty where there is none.
        pictures: name -> file, of figures/*.png.
        likelihood: of the saved model, as text; None where there is no model that can be read.
        measured_on: what metrics.json says of the rows and features that the metrics are of.
    """

    name: str
    folder: Path
    config: dict[str, Any]
    history: dict[str, list[float]]
    metrics: dict[str, Any]
    pictures: dict[str, Path]
    likelihood: str | None
    measured_on: dict[str, Any]


def load_runs(folders: Sequence[str | os.PathLike[str]]) -> list[Run]:
    """Read several run folders, and name each by the end of its path that sets it apart.

    Args:
        folders: of the runs, each once.

    Returns:
        The runs, in order.

    Raises:
        ValueError: for a folder that is not a run, that is named twice, or whose files are broken.
    """
    paths = [Path(folder) for folder in folders]
    whole = [path.resolve() for path in paths]
    for index, path in enumerate(whole):
        if path in whole[:index]:
            raise ValueError(f"The run {str(paths[index])!r} is named twice. Name each run once.")
    return [
        load_run(path)._replace(name=name) for path, name in zip(paths, _names(whole), strict=True)
    ]


def load_run(folder: str | os.PathLike[str]) -> Run:
    """Read a run folder: config.json, and of the other files those that were written.

    Args:
        folder: of the run.

    Returns:
        The run, named as its folder.

    Raises:
        ValueError: for a folder that is not a run, or whose files are broken.
    """
    path = Path(folder)
    if not (path / "config.json").is_file():
        raise ValueError(
            f"{str(path)!r} is not a run folder: it has no config.json. "
            "Name a folder that training has written."
        )
    metrics = path / "metrics.json"
    measured = read_json(metrics, "The metrics") if metrics.is_file() else {}
    history = path / "history.csv"
    return Run(
        name=path.resolve().name,
        folder=path,
        config=flatten(read_json(path / "config.json", "The configuration")),
        history=read_history(history) if history.is_file() else {},
        metrics=flatten(with_intervals(measured)),
        pictures={file.stem: file for file in sorted((path / "figures").glob("*.png"))},
        likelihood=_likelihood(path / "model.keras"),
        measured_on=measured.get("measured_on", {}),
    )


def _names(paths: Sequence[Path]) -> list[str]:
    for depth in range(1, max(len(path.parts) for path in paths) + 1):
        names = ["/".join(path.parts[-depth:]) for path in paths]
        if len(set(names)) == len(names):
            break
    return names


def _likelihood(path: Path) -> str | None:
    """The likelihood's name and options in a saved model, which is a zip archive with a JSON file."""
    try:
        with zipfile.ZipFile(path) as archive:
            part = json.loads(archive.read("config.json"))["config"]["likelihood"]
        options = {key: value for key, value in part["config"].items() if key != "name"}
        return json.dumps([part["zoo_name"], options], sort_keys=True)
    except (OSError, KeyError, TypeError, ValueError, AttributeError, zipfile.BadZipFile):
        return None  # a comparison does not need the model
