"""The page of a sweep: all points, what they gave, and which options matter."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo.evaluation.metrics import metric
from zoo.values import number_text
from zoo.visualization.figures.sweeps import metric_by_option, parallel_coordinates
from zoo.visualization.pages.page import embed, write_page
from zoo.visualization.pages.tables import text


def write_sweep(
    path: str | os.PathLike[str],
    points: Sequence[Mapping[str, Any]],
    values: Sequence[Sequence[float]],
    folders: Sequence[Sequence[str | os.PathLike[str]]],
    name: str,
    notes: Sequence[str] = (),
) -> Path:
    """Write one self-contained HTML page of a sweep.

    Args:
        path: of the page.
        points: option -> value, the best first.
        values: the metric of every seed of each point; empty for a point that has none yet.
        folders: the run folders of each point, whose reports are linked.
        name: of the metric.
        notes: lines to show above.

    Returns:
        The path.

    Raises:
        ValueError: where the page cannot be written.

    Example:
        >>> from zoo.visualization.pages.sweep import write_sweep
        >>> write_sweep("sweep.html", [{"beta": 4}, {"beta": 1}], [[0.4, 0.5], [0.1]], [[], []], "mig").name
        'sweep.html'
    """
    label = metric(name).label
    better = metric(name).better
    means = [float(np.mean(seeds)) if len(seeds) else math.nan for seeds in values]
    names = list(dict.fromkeys(name for point in points for name in point))
    pictures = []
    if any(map(math.isfinite, means)):
        words = "Colour and the last line are the metric; the best point is drawn thick."
        drawn = parallel_coordinates(points, means, label)
        pictures.append(embed("all_points", drawn, words))
        by_option = metric_by_option(points, values, label)
        pictures.append(
            embed("metric_by_option", by_option, "Bars are one deviation over the seeds.")
        )
    context = {
        "title": f"Sweep: {label}",
        "subtitle": f"{len(points)} points" + f"; {better} is better" * bool(better),
        "names": names,
        "label": label,
        "notes": list(notes),
        "pictures": pictures,
        "rows": [
            {
                "cells": [text(point[name]) if name in point else "" for name in names],
                "mean": number_text(mean) if math.isfinite(mean) else "",
                "spread": f"± {np.std(seeds, ddof=1):.2g} of {len(seeds)}"
                if len(seeds) > 1
                else "",
                "reports": _reports(Path(path), runs),
            }
            for point, mean, seeds, runs in zip(points, means, values, folders, strict=True)
        ],
    }
    return write_page(path, "sweep.html", context)


def _reports(page: Path, folders: Sequence[str | os.PathLike[str]]) -> list[tuple[str, str]]:
    found = [Path(folder) for folder in folders]
    return [
        (folder.name, os.path.relpath(folder / "report.html", page.parent).replace(os.sep, "/"))
        for folder in found
        if (folder / "report.html").exists()
    ]
