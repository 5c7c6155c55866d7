"""What experiments share that choose the settings of some rows by held-out training data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from zoo.experiments.experiment import Claim, Measures, Outcome
from zoo.visualization.drawing.style import panels, styled

NOISE = 0.1  # in points: the standard deviation of an error of 1.2 % of 10,000 digits
OWN = "as_it_is"
JUDGED_BY = "held_out"


def rows_of(measures: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """The errors "row/setting/held_out" of measures or arrays: row -> setting -> error in %."""
    found: dict[str, dict[str, float]] = {}
    for name, value in measures.items():
        row, *rest = name.split("/")
        if rest[1:] == [JUDGED_BY]:
            found.setdefault(row, {})[rest[0]] = float(value)
    return found


def outcome(measures: Mapping[str, float]) -> Outcome:
    """The errors, and for each row ``lead``, how far the best other setting lies below the row's own."""
    leads = {
        f"{row}/lead": errors[OWN] - min(error for name, error in errors.items() if name != OWN)
        for row, errors in rows_of(measures).items()
    }
    arrays = {name: np.array(value) for name, value in measures.items()}
    return Outcome({**measures, **leads}, arrays)


@styled
def draw(arrays: Mapping[str, Any]) -> dict[str, Figure]:
    """The settings of each row, the best above."""
    rows = rows_of(arrays)
    figure, axes = panels(len(rows), 2, 2.6)
    for place, (row, errors) in zip(axes, rows.items(), strict=True):
        names = sorted(errors, key=lambda name: -errors[name])
        colors = ["#0072B2" if name == OWN else "#56B4E9" for name in names]
        bars = place.barh(names, [errors[name] for name in names], color=colors)
        place.bar_label(bars, fmt="%.2f", padding=3)
        place.set(title=row, xlabel="error of held-out digits, %")
        place.margins(x=0.15)
    return {"choices": figure}


def claims(rows: Iterable[str]) -> tuple[Claim, ...]:
    """For each row, that no other setting leads its own by more than chance."""
    return tuple(_claim(row) for row in rows)


def _claim(row: str) -> Claim:
    def leads(m: Measures) -> bool:
        return m[f"{row}/lead"] <= NOISE

    return Claim(
        f"On held-out digits no other setting is ahead of that of {row} by more than .1 points",
        leads,
        (f"{row}/lead", f"{row}/{OWN}/{JUDGED_BY}"),
    )
