"""IA-R: which starts of the robust InfoAE go wrong, seen without labels."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from zoo.experiments.experiment import Claim, Experiment, Outcome, Sources
from zoo.experiments.info_ae import trained
from zoo.experiments.info_ae.scoring import (
    best_error,
    flat,
    linked,
    promise,
    rank_correlation,
    score,
)
from zoo.experiments.shelf import kept
from zoo.experiments.training import mnist
from zoo.visualization.drawing.style import panels, styled

TRIED = 3  # starts that a choice is made from


def run(
    seed: int, sources: Sources, *, examples: int, members: int, until: int, epochs: int
) -> Outcome:
    """Train some robust InfoAEs, judge each after a start and at the end.

    Args:
        seed: the models' seeds are ``members`` ones from members x seed.
        sources: of MNIST; its folder of models keeps starts and ends.
        examples: digits to train on.
        members: models, at least 3.
        until: passes of a start.
        epochs: passes of all; the learning rate falls over them.

    Returns:
        For each model ``start_criterion`` (neighbours x balance of the merged clusters of 15,000 training
        digits), ``criterion`` at the end, and the errors ``start_error`` and ``error`` of the merged clusters
        of test digits in %. ``rank``, Spearman's correlation of start_criterion and error; of all choices of
        one among three starts by the criterion, the mean and the largest error at the end, "chosen/mean" and
        "chosen/largest", beside those of all models, "all/mean" and "all/largest"; "best/error", of the
        largest criterion at the end.
    """
    x, test = mnist("train", sources, examples).inputs, mnist("test", sources)
    judge = functools.partial(score, test=test, **linked(x))
    rows = {}
    for own in range(members * seed, members * (seed + 1)):
        start = kept(
            sources.models,
            f"robust-{own}-{until}of{epochs}x{len(x)}",
            functools.partial(trained.robust, x, None, own, epochs, until=until),
        )
        begun = judge(start)
        carry = functools.partial(trained.carry_on, start, x, epochs, until)
        ended = judge(kept(sources.models, f"robust-{own}-{epochs}x{len(x)}", carry))
        rows[str(own)] = {
            "start_criterion": promise(begun),
            "criterion": promise(ended),
            "start_error": best_error(begun),
            "error": best_error(ended),
        }
        texts = [f"{what} {value:.4f}" for what, value in rows[str(own)].items()]
        print(f"  {own}: {', '.join(texts)}", flush=True)
    columns = {what: [row[what] for row in rows.values()] for what in next(iter(rows.values()))}
    measures = {**flat(rows), **_summary(columns)}
    return Outcome(measures, {what: np.array(values) for what, values in columns.items()})


def _summary(columns: Mapping[str, Sequence[float]]) -> dict[str, float]:
    begun, errors = columns["start_criterion"], columns["error"]
    chosen = choices(begun, errors, TRIED)
    return {
        "rank": rank_correlation(begun, errors),
        "chosen/mean": float(np.mean(chosen)),
        "chosen/largest": max(chosen),
        "all/mean": float(np.mean(errors)),
        "all/largest": max(errors),
        "best/error": errors[int(np.argmax(columns["criterion"]))],
    }


def choices(criterion: Sequence[float], errors: Sequence[float], tried: int) -> list[float]:
    """The error of the best by the criterion, for each way of taking so many models.

    Args:
        criterion: of each model, larger is better.
        errors: of each model.
        tried: how many are taken.

    Returns:
        An error for each of the ways.

    Example:
        >>> from zoo.experiments.info_ae.starts import choices
        >>> choices([0.9, 0.8, 0.7], [1.0, 2.0, 3.0], tried=2)
        [1.0, 1.0, 2.0]
    """
    ways = itertools.combinations(range(len(errors)), tried)
    return [errors[max(way, key=lambda i: criterion[i])] for way in ways]


@styled
def draw(arrays: Mapping[str, Any]) -> dict[str, Figure]:
    """The error at the end by the criterion, after the start and at the end."""
    figure, axes = panels(2, 2, 2.6, sharey=True)
    for place, what, when in zip(
        axes, ("start_criterion", "criterion"), ("after the start", "at the end"), strict=True
    ):
        place.plot(arrays[what], arrays["error"], "o", color="#0072B2")
        place.set(xlabel=f"criterion {when}, without labels")
    axes[0].set(ylabel="test error at the end, %", ylim=(0, None))
    return {"starts": figure}


EXPERIMENTS = (
    Experiment(
        id="IA-R",
        paper="infoae",
        title="Starts of the robust InfoAE, chosen without labels",
        run=run,
        draw=draw,
        claims=(
            Claim(
                "A start tells how its model ends: the rank correlation with the error is at most -.5",
                lambda m: m["rank"] <= -0.5,
                ("rank",),
            ),
            Claim(
                "The best of any three starts by the criterion ends below 3 %",
                lambda m: m["chosen/largest"] < 3,
                ("chosen/largest", "chosen/mean", "all/largest", "all/mean"),
            ),
            Claim(
                "The best of all by the criterion at the end reaches 1.1 %",
                lambda m: m["best/error"] <= 1.1,
                ("best/error",),
                "1.1 (+- .1) %",
            ),
        ),
        quick={"examples": 4000, "members": 3, "until": 1, "epochs": 2},
        full={"examples": 60_000, "members": 6, "until": 2, "epochs": 20},
        precision="mixed_bfloat16",
    ),
)
