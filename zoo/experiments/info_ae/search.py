"""IA-S: what the text of InfoAE leaves open, searched by criteria that need no label."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from matplotlib.figure import Figure

import zoo
from zoo.autoencoder import Autoencoder
from zoo.data import Data
from zoo.data.pixels import as_unit_floats
from zoo.evaluation import clustering, merging
from zoo.evaluation.unlabelled import balance, neighbour_agreement, seed_agreement
from zoo.experiments.experiment import Claim, Experiment, Measures, Outcome, Sources
from zoo.experiments.info_ae.scoring import CLASSES, Row, flat, rank_correlation
from zoo.experiments.info_ae.trained import SHAPE, carry_on, fit
from zoo.experiments.shelf import kept
from zoo.experiments.training import QUIET, labels_of, mnist, train_classifier
from zoo.models.info_ae import TEACHER_WEIGHT
from zoo.recipes.fine_tuning import classifier
from zoo.trainer import Adam
from zoo.visualization.drawing.style import panels, styled

LINKED = 10_000  # training digits that the criteria are measured on
BALANCED = 0.9  # a variant with a smaller balance is not chosen
# The paper's objective, with losses that do not saturate and equation 2's pairs. Neither views of a digit,
# nor a teacher, nor more than ten classes: the paper has none of these.
BASE: dict[str, Any] = {"form": "non_saturating", "both_pairs": True, "spread": True}
_SMALL = {"latents": 16, "norm": "spectral"}
_LINEAR = {"generator": (), "classifier": ()}
# Options of `zoo.models.info_ae` beside BASE; "rate" and "batch" are those of the training.
VARIANTS: dict[str, dict[str, Any]] = {
    "base": {},
    "spectral": {"norm": "spectral"},
    "code_16": {"latents": 16},
    "code_16_spectral": _SMALL,
    "code_16_linear": {**_SMALL, **_LINEAR},
    "code_16_apart": {**_SMALL, **_LINEAR, "label_scale": 10.0},
    "code_10_narrow": {"latents": 10, "generator": (16,), "classifier": (16,)},
    "shared": {"shared": True},
    "shared_16": {**_SMALL, "shared": True},
    "shared_apart": {"latents": 16, **_LINEAR, "label_scale": 10.0, "shared": True},
    "blurred": {"instance_noise": 0.3},
    "alpha_4": {"alpha": 4.0},
    "beta_quarter": {"beta": 0.25},
    "gamma_tenth": {"gamma": 0.04},
    "fast_critics": {"critic_learning_rate": 1e-3, "rate": 2e-4},
    "batch_512": {"batch": 512},
}


# What the figure shows of every row.
COLUMNS = ("agreement", "neighbours", "criterion", "error")


def trained(
    x: np.ndarray, seed: int, epochs: int, rate: float = 1e-3, batch: int = 128, **options: Any
) -> Autoencoder:
    """One InfoAE of a variant, by Adam at a rate that stays as it is.

    Args:
        x: (n, 28, 28, 1).
        seed: of weights, noise and order.
        epochs: passes over x.
        rate: of the model's Adam; the critics have their own.
        batch: digits of a step.
        **options: of `zoo.models.info_ae`, beside `BASE`.

    Returns:
        The trained model.
    """
    keras.utils.set_random_seed(seed)
    model = zoo.create("info_ae", SHAPE, seed=seed, **{**BASE, **options})
    fit(model, x, epochs, batch, rate, beta_1=0.5)
    return model


def taught(x: np.ndarray, labels: np.ndarray, seed: int, epochs: int) -> Autoencoder:
    """`BASE` that a teacher tells the digits beside the objective, until its parts agree on them.

    Its encoder and classifier know the digits from the start, which is not enough: a generator and a decoder
    that do not, undo it. The teacher falls silent when the model is trained on by `carry_on`: whether
    it stays at the digits says if they are a solution of the objective that it can hold.

    Args:
        x: (n, 28, 28, 1).
        labels: (n,), of which the teacher learns.
        seed: of weights, noise and order.
        epochs: passes over x.

    Returns:
        The trained model.
    """
    keras.utils.set_random_seed(seed)
    teacher = zoo.create("info_ae", SHAPE, seed=seed, **BASE)
    network = classifier(teacher, CLASSES, head=teacher.classifier.classifier, seed=seed)
    batch = min(128, len(x) // 4)
    train_classifier(
        network, as_unit_floats(x), labels, epochs=1, batch_size=batch, optimizer=Adam(1e-3)
    )
    heard = keras.optimizers.schedules.PiecewiseConstantDecay(
        [epochs * (len(x) // batch)], [TEACHER_WEIGHT, 0.0]
    )
    lesson = {"name": "self_training", "teacher": teacher, "view": "weak", "weight": heard}
    model = zoo.create("info_ae", SHAPE, seed=seed, regularizers=[lesson], **BASE)
    fit(model, x, epochs, batch, 1e-3, beta_1=0.5)
    return model


class Judge(NamedTuple):
    """What clusters are measured on: training digits, their neighbours, and test digits with labels."""

    some: np.ndarray
    near: np.ndarray
    test: Data

    def clusters(self, trained: Sequence[np.ndarray], fresh: Sequence[np.ndarray]) -> Row:
        """The measures of several models' clusters of the training digits and of the test digits."""
        agreement = seed_agreement(trained)
        neighbours = float(np.mean([neighbour_agreement(own, self.near) for own in trained]))
        hits = [clustering.one_to_one_accuracy(labels_of(self.test), own) for own in fresh]
        return {
            "agreement": agreement,
            "neighbours": neighbours,
            "balance": float(np.mean([balance(own, CLASSES) for own in trained])),
            "criterion": (agreement + neighbours) / 2,
            "error": 100 * (1 - float(np.mean(hits))),
        }

    def models(self, models: Sequence[Autoencoder]) -> Row:
        """`clusters` of models, and two terms of their objective on the test digits."""
        terms = [
            model.evaluate(self.test.inputs, return_dict=True, verbose=QUIET) for model in models
        ]
        means = {
            name: float(np.mean([found[name] for found in terms]))
            for name in ("mutual_information", "reconstruction")
        }
        trained = [model.cluster(self.some) for model in models]
        return self.clusters(trained, [model.cluster(self.test.inputs) for model in models]) | means

    def k_means(self, seeds: Sequence[int]) -> Row:
        """`clusters` of k-means on 50 principal components, of both kinds of digits, one start a seed."""
        from sklearn.decomposition import PCA

        known, fresh = (x.reshape(len(x), -1) / 255.0 for x in (self.some, self.test.inputs))
        reduce = PCA(50, random_state=0).fit(known)
        codes = reduce.transform(np.concatenate([known, fresh]))
        found = [clustering.kmeans(codes, CLASSES, restarts=1, seed=seed) for seed in seeds]
        return self.clusters(
            [own[: len(known)] for own in found], [own[len(known) :] for own in found]
        )


def run(
    seed: int,
    sources: Sources,
    *,
    examples: int,
    epochs: int,
    members: int,
    before: int,
    variants: list[str],
) -> Outcome:
    """Train some models of every variant and measure their clusters of training digits without labels.

    The test error stands beside the criteria, so that one sees how far they tell it; it chooses nothing.

    Args:
        seed: of the models; each has its own.
        sources: of MNIST; its folder of models keeps the trained ones, so that variants may be added.
        examples: digits to train on.
        epochs: passes over them.
        members: models of every variant, at least 2.
        before: passes of `taught`, which is no variant; 0 leaves it out.
        variants: names in `VARIANTS`.

    Returns:
        For each variant, for k-means, for `taught` when its teacher falls silent and after ``epochs`` further
        passes ("released"), ``agreement`` (between the models), ``neighbours``
        (`zoo.evaluation.unlabelled.neighbour_agreement` with ten neighbours of 10,000 training digits),
        ``balance``, ``criterion`` (the mean of the first two) and ``error`` (of the test digits, named one to
        one), means over the models; of models also ``mutual_information`` and ``reconstruction``, terms of
        the objective on test digits. ``neighbours`` of the digits themselves; ``rank``, Spearman's
        correlation of criterion and error over the variants; ``chosen/error``, of the best by the criterion
        among those of a balance of .9.
    """
    source, test = mnist("train", sources, examples), mnist("test", sources)
    x, some = source.inputs, source.inputs[:LINKED]
    judge = Judge(some, merging.nearest(some), test)
    seeds = range(members * seed, members * (seed + 1))

    def each(name: str, passes: int, make: Callable[[int], Autoencoder]) -> list[Autoencoder]:
        begun = time.monotonic()
        models = [
            kept(
                sources.models,
                f"search-{name}-{own}-{passes}x{len(x)}",
                functools.partial(make, own),
            )
            for own in seeds
        ]
        print(f"  {name}: {time.monotonic() - begun:.0f} s", flush=True)
        return models

    def measured(models: Sequence[Autoencoder]) -> Row:
        row = judge.models(models)
        texts = [f"{what} {value:.3f}" for what, value in row.items()]
        print(f"  {', '.join(texts)}", flush=True)
        return row

    def variant(own: int, name: str) -> Autoencoder:
        return trained(x, own, epochs, **VARIANTS[name])

    rows = {
        name: measured(each(name, epochs, functools.partial(variant, name=name)))
        for name in variants
    }
    beside = {"k_means": judge.k_means(seeds)}
    if before:
        name = f"taught_{before}"
        lessons = each(name, 0, lambda own: taught(x, labels_of(source), own, before))
        beside["taught"] = measured(lessons)
        of_seed = dict(zip(seeds, lessons, strict=True))
        whole = before + epochs
        beside["released"] = measured(
            each(name, epochs, lambda own: carry_on(of_seed[own], x, whole, before))
        )
    even = [name for name, row in rows.items() if row["balance"] >= BALANCED] or list(rows)
    chosen = max(even, key=lambda name: rows[name]["criterion"])
    drawn = {**rows, **beside}
    measures = flat(drawn)
    measures["digits/neighbours"] = neighbour_agreement(labels_of(source)[:LINKED], judge.near)
    measures["chosen/error"] = rows[chosen]["error"]
    measures["smallest/error"] = min(row["error"] for row in rows.values())
    if len(rows) > 2:
        measures["rank"] = rank_correlation(
            [row["criterion"] for row in rows.values()], [row["error"] for row in rows.values()]
        )
    places = np.array([[row[what] for what in COLUMNS] for row in drawn.values()])
    arrays = {"names": np.array([*drawn]), "places": places, "chosen": np.array(chosen)}
    return Outcome(measures, arrays)


@styled
def draw(arrays: Mapping[str, Any]) -> dict[str, Figure]:
    """Every row by what is measured without labels, the best above, and beside it the error."""
    order = np.argsort(arrays["places"][:, COLUMNS.index("criterion")])
    columns: list[np.ndarray] = list(arrays["places"][order].T)
    values: dict[str, np.ndarray] = {what: columns[i] for i, what in enumerate(COLUMNS)}
    names, chosen = arrays["names"][order], str(arrays["chosen"])
    labels = [f"{name} (chosen)" if name == chosen else name for name in names]
    figure, (unlabelled, errors) = panels(2, 2, 0.8 + 0.22 * len(names), sharey=True)
    rows = np.arange(len(names))
    for what, mark, color in (
        ("agreement", "o", "#0072B2"),
        ("neighbours", "s", "#009E73"),
        ("criterion", "|", "black"),
    ):
        unlabelled.plot(values[what], rows, mark, color=color, label=what)
    unlabelled.set(yticks=rows, yticklabels=labels, xlim=(0, 1), xlabel="without labels")
    unlabelled.legend()
    bars = errors.barh(rows, values["error"], color="#D55E00")
    errors.bar_label(bars, fmt="%.1f", padding=3)
    errors.set(xlabel="test error in %, one to one")
    errors.margins(x=0.15)
    errors.tick_params(axis="y", left=False)
    return {"variants": figure}


def _tells(m: Measures) -> bool:
    return m["rank"] <= -0.5


EXPERIMENTS = (
    Experiment(
        id="IA-S",
        paper="infoae",
        title="What the text of InfoAE leaves open, searched without labels",
        run=run,
        draw=draw,
        claims=(
            Claim(
                "The criterion tells the error: their rank correlation is at most -.5",
                _tells,
                ("rank",),
            ),
            Claim(
                "What it chooses is within 5 points of the smallest error",
                lambda m: m["chosen/error"] <= m["smallest/error"] + 5,
                ("chosen/error", "smallest/error"),
            ),
            Claim(
                "The digits are a solution that it holds: left alone there, the error stays below 5 %",
                lambda m: m["released/error"] < 5,
                ("taught/error", "released/error"),
            ),
            Claim(
                "What it chooses reaches 1.1 % error",
                lambda m: m["chosen/error"] <= 1.1,
                ("chosen/error",),
                "1.1 (+- .1) %",
            ),
        ),
        quick={
            "examples": 4000,
            "epochs": 2,
            "members": 2,
            "before": 1,
            "variants": ["base", "code_16_apart", "shared_apart"],
        },
        full={
            "examples": 60_000,
            "epochs": 20,
            "members": 2,
            "before": 2,
            "variants": list(VARIANTS),
        },
        precision="mixed_bfloat16",
    ),
)
