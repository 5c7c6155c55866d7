"""Learning curves of every loss term."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from zoo.evaluation.metrics import metric
from zoo.visualization.drawing.style import (
    class_style,
    line_style,
    literal,
    panels,
    styled,
    whole_ticks,
)

History = Mapping[str, Sequence[float]]
_FIRST = ("loss", "reconstruction", "kl")
_DECADE = 10.0


@styled
def learning_curves(history: History, unit: str | Mapping[str, str] = "") -> Figure:
    """One panel for each term, training solid and validation dashed.

    A term that is positive throughout and falls or rises over more than a decade is drawn on a log
    scale. A value that is not finite leaves a gap, and the panel's title counts it.

    Args:
        history: what `fit` returns, or term -> values by epoch; "val_term" belongs to "term".
        unit: of all terms, for example "nats", or term -> its unit.

    Returns:
        A figure with one axes for each term.

    Raises:
        ValueError: for a history without a value.

    Example:
        >>> history = {"loss": [9.0, 5.0, 4.0], "val_loss": [9.5, 6.0, 5.0], "kl": [0.0, 1.0, 1.5]}
        >>> figure = zoo.visualization.learning_curves(history, unit="nats")
        >>> len(figure.axes)  # the loss and the KL
        2
    """
    history = getattr(history, "history", history)
    return _draw({"": _checked(history, "history")}, unit, "Mean of each term by epoch")


@styled
def overlaid_curves(histories: Mapping[str, History], unit: str | Mapping[str, str] = "") -> Figure:
    """The curves of several runs, one panel for each term, one colour and marker for each run.

    Args:
        histories: run -> its history. Where a run has validation, that is drawn, else training.
        unit: of all terms, or term -> its unit.

    Returns:
        A figure with one axes for each term that any run has.

    Raises:
        ValueError: for no runs, or a history without a value.

    Example:
        >>> histories = {"narrow": {"loss": [9.0, 5.0]}, "wide": {"loss": [8.0, 4.0]}}
        >>> figure = zoo.visualization.overlaid_curves(histories)
        >>> len(figure.axes[0].lines)
        2
    """
    if not histories:
        raise ValueError("Overlaid curves need at least one run; received none.")
    runs = {name: _checked(history, f"history of {name!r}") for name, history in histories.items()}
    return _draw(runs, unit, "On validation data where there are any")


def terms(history: Mapping[str, Any]) -> list[str]:
    """The terms of a history without their validation: the loss first, then the others in order."""
    found = list(dict.fromkeys(name.removeprefix("val_") for name in history if name != "epoch"))
    return sorted(found, key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST))


def unit_of(term: str, unit: str | Mapping[str, str]) -> str:
    """The unit of a term; a learning rate has none."""
    if isinstance(unit, Mapping):
        return unit.get(term, "")
    return "" if term in ("learning_rate", "lr") else unit


def _checked(history: History, name: str) -> dict[str, np.ndarray]:
    values = {term: np.asarray(series, np.float64).ravel() for term, series in history.items()}
    if not any(series.size for term, series in values.items() if term != "epoch"):
        raise ValueError(
            f"The {name} must hold at least one value of one term; received {dict(history)!r}. "
            "Train for an epoch first."
        )
    return values


def _draw(
    runs: Mapping[str, dict[str, np.ndarray]], unit: str | Mapping[str, str], title: str
) -> Figure:
    names = list(dict.fromkeys(term for history in runs.values() for term in terms(history)))
    figure, axes = panels(len(names), 3 if len(names) > 2 else len(names), 2.0)
    for place, term in zip(axes, names, strict=True):
        drawn = [
            line
            for i, (run, h) in enumerate(runs.items())
            for line in _lines(place, run, h, term, i)
        ]
        seen = np.concatenate(drawn) if drawn else np.array([])
        finite = seen[np.isfinite(seen)]
        lost = seen.size - finite.size
        place.set_title(metric(term).label + (f" ({lost} not finite)" if lost else ""))
        place.set_ylabel(unit_of(term, unit))
        if finite.size and finite.min() > 0 and finite.max() > _DECADE * finite.min():
            place.set_yscale("log")
            if finite.max() < 1000 * finite.min():  # so few decades need numbers within them
                place.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
                place.yaxis.set_major_formatter("{x:g}")
                place.yaxis.set_minor_formatter(NullFormatter())
        whole_ticks(place)
        place.grid(axis="y")
        place.set_xlabel("epoch")
    handles = {
        label: h for a in axes for h, label in zip(*a.get_legend_handles_labels(), strict=True)
    }
    figure.legend(handles.values(), handles, loc="outside lower center", ncols=min(len(handles), 3))
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def _spaced(index: int) -> dict[str, Any]:
    """A few markers along a line, at places that differ from those of its neighbours."""
    shift = 0.03 * (index % 5)
    return {"marker": class_style(index)["marker"], "markersize": 4, "markevery": (shift, 0.2)}


def _lines(
    axes: Axes, run: str, history: dict[str, np.ndarray], term: str, index: int
) -> list[np.ndarray]:
    """Draw one run's lines of one term; with training beside validation for a lone run."""
    training, validation = history.get(term), history.get(f"val_{term}")
    if run:
        series = training if validation is None else validation
        parts = [(series, literal(run), {**line_style(index), **_spaced(index)})]
    else:
        parts = [
            (training, "training", line_style(0)),
            (validation, "validation", {**line_style(1), "linestyle": "--"}),
        ]
    drawn = []
    for series, label, style in parts:
        if series is None or not series.size:
            continue
        if np.isfinite(series).sum() < 2:
            style = {"marker": "o", **style}
        epochs = np.arange(1, len(series) + 1)
        axes.plot(epochs, series, label=label, **style)
        drawn.append(series)
    return drawn
