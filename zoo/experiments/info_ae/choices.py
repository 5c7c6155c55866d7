"""IA-C: the settings of the rows with consistent classes, chosen by a criterion that needs no label."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from zoo.autoencoder import Autoencoder
from zoo.experiments.experiment import Claim, Experiment, Measures, Outcome, Sources
from zoo.experiments.info_ae import trained
from zoo.experiments.info_ae.scoring import (
    best_error,
    flat,
    kept_row,
    linked,
    promise,
    rank_correlation,
    score,
)
from zoo.experiments.training import mnist
from zoo.visualization.drawing.style import panels, styled

AFRESH = 100  # added to the seed, so that no setting is chosen on a model of the tables
NOISE = 0.005  # two seeds of one row differ by up to .003 in the criterion
OWN = "as_it_is"


class Family(NamedTuple):
    """A row of table 1 with the settings that it might have had.

    Attributes:
        make: (x, seed=, epochs=, **options) -> a trained model.
        weight: of the classes that keep, in the row itself.
        critic: whether the row has a critic of classes.
    """

    make: Callable[..., Autoencoder]
    weight: float
    critic: bool = True

    @property
    def variants(self) -> dict[str, dict[str, Any]]:
        """Name -> options beside the row's own."""
        found: dict[str, dict[str, Any]] = {
            OWN: {},
            "ten_classes": {"classes": 10},
            "twenty_classes": {"classes": 20},
            "lighter": {"consistency": self.weight / 3},
            "heavier": {"consistency": self.weight * 3},
            "weak_views": {"view": "weak"},
            "strong_views": {"view": "strong"},
        }
        return found | ({"no_critic": {"class_critic": 0.0}} if self.critic else {})


FAMILIES = {
    "aae_consistent": Family(trained.adversarial, 30.0, critic=False),
    "info_gan_consistent": Family(trained.consistent_info_gan, 3.0),
    "robust": Family(functools.partial(trained.robust, guide=None), 3.0),
}


def run(seed: int, sources: Sources, *, examples: int, epochs: int, families: list[str]) -> Outcome:
    """Train one model of every setting and judge it by training digits without labels.

    The test error stands beside the criterion, so that one sees how far it tells it; it chooses nothing.

    Args:
        seed: of the models, 100 above it.
        sources: of MNIST; its folder of models keeps the trained ones.
        examples: digits to train on.
        epochs: passes over them.
        families: names in `FAMILIES`.

    Returns:
        For each setting "family/variant" what `zoo.experiments.info_ae.scoring.score` gives, and
        ``criterion``, neighbours x balance. For each family ``lead``, how far the best criterion of another
        setting lies above that of the row itself, ``rank``, Spearman's correlation of criterion and error,
        and ``chosen_error``, ``own_error`` and ``smallest_error`` in %.
    """
    x, test = mnist("train", sources, examples).inputs, mnist("test", sources)
    judge = functools.partial(score, test=test, **linked(x))
    measures: dict[str, float] = {}
    places: list[tuple[str, str, float, float]] = []
    for family in families:
        row, rows = FAMILIES[family], {}
        for name, options in row.variants.items():
            make = functools.partial(row.make, **{"consistency": row.weight, **options})
            found = judge(kept_row(f"{family}-{name}", make, x, seed + AFRESH, sources, epochs))
            criterion, error = promise(found), best_error(found)
            rows[name] = {**found, "criterion": criterion, "error": error}
            places.append((family, name, criterion, error))
            print(f"  {family}/{name}: criterion {criterion:.4f}, error {error:.2f}", flush=True)
        measures |= flat({f"{family}/{name}": found for name, found in rows.items()})
        measures |= flat({family: compared(rows)})
    owners, names, criteria, errors = zip(*places, strict=True)
    arrays = {
        "families": owners,
        "names": names,
        "places": list(zip(criteria, errors, strict=True)),
    }
    return Outcome(measures, {what: np.array(value) for what, value in arrays.items()})


def compared(rows: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """What the criterion says of a family's settings, see `run`."""
    others = {name: row for name, row in rows.items() if name != OWN}
    chosen = max(rows.values(), key=lambda row: row["criterion"])
    errors = [row["error"] for row in rows.values()]
    return {
        "lead": max(row["criterion"] for row in others.values()) - rows[OWN]["criterion"],
        "rank": rank_correlation([row["criterion"] for row in rows.values()], errors),
        "chosen_error": chosen["error"],
        "own_error": rows[OWN]["error"],
        "smallest_error": min(errors),
    }


@styled
def draw(arrays: Mapping[str, Any]) -> dict[str, Figure]:
    """A row of two panels for each family: the criterion, and beside it the error."""
    owners = arrays["families"]
    families = list(dict.fromkeys(owners))
    figure, axes = panels(2 * len(families), 2, 2.2)
    for row, family in enumerate(families):
        names, places = arrays["names"][owners == family], arrays["places"][owners == family]
        order = np.argsort(places[:, 0])
        rows, (criterion, errors) = np.arange(len(names)), axes[2 * row : 2 * row + 2]
        colors = ["#0072B2" if name == OWN else "#56B4E9" for name in names[order]]
        criterion.scatter(places[order, 0], rows, c=colors)
        criterion.locator_params(axis="x", nbins=5)
        criterion.set(yticks=rows, yticklabels=names[order], title=family)
        bars = errors.barh(rows, places[order, 1], color="#D55E00")
        errors.bar_label(bars, fmt="%.1f", padding=3)
        errors.set(yticks=[])
        for place in (criterion, errors):
            place.set_ylim(-0.6, len(names) - 0.4)  # a dot beside its bar
        errors.margins(x=0.15)
    axes[-2].set_xlabel("criterion, without labels")
    axes[-1].set_xlabel("test error in %")
    return {"choices": figure}


def _claims(family: str) -> tuple[Claim, ...]:
    def leads(m: Measures) -> bool:
        return m[f"{family}/lead"] <= NOISE

    def tells(m: Measures) -> bool:
        return m[f"{family}/rank"] <= -0.5

    errors = tuple(f"{family}/{name}_error" for name in ("chosen", "own", "smallest"))
    return (
        Claim(
            f"Without labels no other setting leads that of {family} by more than .005",
            leads,
            (f"{family}/lead", *errors),
        ),
        Claim(
            f"The criterion tells the error of {family}: their rank correlation is at most -.5",
            tells,
            (f"{family}/rank",),
        ),
    )


EXPERIMENTS = (
    Experiment(
        id="IA-C",
        paper="infoae",
        title="Settings of the rows with consistent classes, chosen without labels",
        run=run,
        draw=draw,
        claims=tuple(claim for family in FAMILIES for claim in _claims(family)),
        quick={"examples": 4000, "epochs": 3, "families": ["aae_consistent"]},
        full={"examples": 60_000, "epochs": 5, "families": list(FAMILIES)},
        precision="mixed_bfloat16",
    ),
)
