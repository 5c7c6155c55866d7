"""IA-S: what the text of InfoAE leaves open, searched by criteria that need no label."""

from __future__ import annotations

import functools
import time
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from matplotlib.figure import Figure
from scipy.stats import spearmanr

import zoo
from zoo.autoencoder import Autoencoder
from zoo.evaluation import clustering, merging
from zoo.evaluation.unlabelled import balance, neighbour_agreement, seed_agreement
from zoo.experiments.experiment import Claim, Experiment, Measures, Outcome, Sources
from zoo.experiments.info_ae import recipes
from zoo.experiments.shelf import kept
from zoo.experiments.training import labels_of, mnist
from zoo.visualization.drawing.style import panels, styled

CLASSES = 10
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
    model = zoo.create("info_ae", recipes.SHAPE, seed=seed, **{**BASE, **options})
    recipes.fit(model, x, epochs, min(batch, len(x) // 4), rate, beta_1=0.5)
    return model


def run(
    seed: int,
    sources: Sources,
    *,
    examples: int,
    epochs: int,
    members: int,
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
        variants: names in `VARIANTS`.

    Returns:
        For each variant, and for k-means on 50 principal components, ``agreement`` (between the models),
        ``neighbours`` (`zoo.evaluation.unlabelled.neighbour_agreement` with ten neighbours of 10,000 training
        digits), ``balance``, ``criterion`` (the mean of the first two) and ``error`` (of the test digits,
        named one to one), means over the models; ``neighbours`` of the digits themselves; ``rank``,
        Spearman's correlation of criterion and error over the variants; ``chosen/error``, of the best by the
        criterion.
    """
    source, test = mnist("train", sources, examples), mnist("test", sources)
    x, some = source.inputs, source.inputs[:LINKED]
    near = merging.nearest(some)

    def judged(
        of_training: Sequence[np.ndarray], of_test: Sequence[np.ndarray]
    ) -> dict[str, float]:
        same = seed_agreement(of_training)
        kept_together = float(np.mean([neighbour_agreement(own, near) for own in of_training]))
        hits = [clustering.one_to_one_accuracy(labels_of(test), own) for own in of_test]
        return {
            "agreement": same,
            "neighbours": kept_together,
            "balance": float(np.mean([balance(own, CLASSES) for own in of_training])),
            "criterion": (same + kept_together) / 2,
            "error": 100 * (1 - float(np.mean(hits))),
        }

    rows: dict[str, dict[str, float]] = {}
    for variant in variants:
        begun = time.monotonic()
        models = [
            kept(
                sources.models,
                f"search-{variant}-{own}-{epochs}x{len(x)}",
                functools.partial(trained, x, own, epochs, **VARIANTS[variant]),
            )
            for own in range(members * seed, members * (seed + 1))
        ]
        seconds = time.monotonic() - begun
        rows[variant] = judged(
            [model.cluster(some) for model in models],
            [model.cluster(test.inputs) for model in models],
        )
        texts = [f"{name} {value:.3f}" for name, value in rows[variant].items()]
        print(f"  {variant}: {', '.join(texts)}; {seconds:.0f} s", flush=True)
    numbers = np.array([[row["criterion"], row["error"]] for row in rows.values()])
    even = [name for name, row in rows.items() if row["balance"] >= BALANCED] or list(rows)
    chosen = max(even, key=lambda name: rows[name]["criterion"])
    references = {"k_means": judged(*_by_k_means(some, test.inputs, members, seed))}
    measures = {
        f"{row}/{name}": value
        for row, found in {**rows, **references}.items()
        for name, value in found.items()
    }
    measures["digits/neighbours"] = neighbour_agreement(labels_of(source)[:LINKED], near)
    measures["chosen/error"] = rows[chosen]["error"]
    measures["smallest/error"] = float(numbers[:, 1].min())
    if len(rows) > 2:
        measures["rank"] = float(spearmanr(*numbers.T).statistic)
    names = np.array([*rows, *references])
    places = [[measures[f"{name}/criterion"], measures[f"{name}/error"]] for name in names]
    return Outcome(
        measures, {"names": names, "places": np.array(places), "chosen": np.array(chosen)}
    )


def _by_k_means(
    some: np.ndarray, test: np.ndarray, members: int, seed: int
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    from sklearn.cluster import KMeans
    from sklearn.decomposition import PCA

    flat = some.reshape(len(some), -1) / 255.0
    reduce = PCA(50, random_state=0).fit(flat)
    means = [
        KMeans(CLASSES, n_init=1, random_state=members * seed + own).fit(reduce.transform(flat))
        for own in range(members)
    ]
    seen = reduce.transform(test.reshape(len(test), -1) / 255.0)
    return [own.labels_ for own in means], [own.predict(seen) for own in means]


@styled
def draw(arrays: Mapping[str, Any]) -> dict[str, Figure]:
    """Each variant by the criterion and the error."""
    figure, (axes,) = panels(1, 1, 4.5)
    for name, (criterion, error) in zip(arrays["names"], arrays["places"], strict=True):
        mark = "*" if name == str(arrays["chosen"]) else "s" if name == "k_means" else "o"
        axes.plot(criterion, error, mark, color="#D55E00" if mark == "*" else "#0072B2")
        axes.annotate(name, (criterion, error), xytext=(4, 3), textcoords="offset points", size=7)
    axes.set(
        xlabel="criterion without labels: mean of agreement between seeds and between neighbours",
        ylabel="test error in %, one to one",
    )
    axes.margins(x=0.15)
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
            "variants": ["base", "code_16_apart", "shared_apart"],
        },
        full={"examples": 60_000, "epochs": 20, "members": 2, "variants": list(VARIANTS)},
        precision="mixed_bfloat16",
    ),
)
