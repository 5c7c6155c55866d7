"""GEN-HOLD: a digit that was left out of the training is the anomaly (An & Cho 2015, section 4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from sklearn.decomposition import PCA

import zoo
from zoo.evaluation import anomaly
from zoo.experiments.experiment import Claim, Experiment, Outcome, Sources
from zoo.experiments.training import labels_of, mnist, train, unit
from zoo.visualization.drawing.style import panels, styled

# Model -> its scores. Those that are trained have the same networks and the Bernoulli likelihood.
SCORES = {
    "pca": ("error",),
    "autoencoder": ("error", "probability"),
    "vae": ("error", "probability", "bound"),
    "vamp_vae": ("error", "probability", "bound"),
}
ROWS = tuple(f"{name} {by}" for name, ways in SCORES.items() for by in ways)


def run(
    seed: int,
    sources: Sources,
    *,
    held_out: Sequence[int],
    examples: int,
    epochs: int,
    latents: int,
    hidden: int,
    samples: int,
) -> Outcome:
    """Train each model on nine of the digits and score all ten.

    Args:
        seed: of the models.
        sources: of MNIST.
        held_out: the digits, each left out in its turn.
        examples: of the training set, before a digit is left out.
        epochs: passes over them.
        latents: dimensions of the code.
        hidden: units of each of two hidden layers.
        samples: draws of the posterior for a score.

    Returns:
        For each model and score ``roc_auc`` and ``average_precision``, means over the digits, and
        ``auc_<digit>``; an eleventh to a seventh of the test digits are anomalies.
    """
    source, test = mnist("train", sources, examples), mnist("test", sources)
    x, labels = unit(source), labels_of(source)
    fresh, classes = unit(test), labels_of(test)
    areas: dict[str, dict[int, float]] = {row: {} for row in ROWS}
    precisions: dict[str, list[float]] = {row: [] for row in ROWS}
    for digit in held_out:
        seen = x[labels != digit]
        for name, ways in SCORES.items():
            model = None
            if name != "pca":
                shared: dict[str, Any] = {"latents": latents, "hidden": (hidden, hidden)}
                model = zoo.create(name, (28, 28, 1), seed=seed, **shared)
                train(model, seen, epochs=epochs)
            for by in ways:
                typical = (
                    by_components(seen, fresh, latents)
                    if model is None
                    else model.score(fresh, by=by, samples=samples, seed=seed)
                )
                found = anomaly.scores(typical, classes == digit)
                areas[f"{name} {by}"][digit] = found["roc_auc"]
                precisions[f"{name} {by}"].append(found["average_precision"])
    measures = {}
    for row in ROWS:
        measures[f"{row}/roc_auc"] = float(np.mean([*areas[row].values()]))
        measures[f"{row}/average_precision"] = float(np.mean(precisions[row]))
        measures |= {f"{row}/auc_{digit}": area for digit, area in areas[row].items()}
    table = np.array([[areas[row][digit] for digit in held_out] for row in ROWS])
    return Outcome(measures, {"areas": table, "digits": np.array(held_out)})


def by_components(x_train: np.ndarray, x: np.ndarray, components: int) -> np.ndarray:
    """-||x - x_hat||^2 with x_hat on the leading principal components of the training rows, (n,)."""
    flat = x.reshape(len(x), -1)
    pca = PCA(components, svd_solver="covariance_eigh").fit(x_train.reshape(len(x_train), -1))
    again = pca.inverse_transform(pca.transform(flat))
    return -np.square(flat - again).sum(axis=1)


@styled
def draw(arrays: Mapping[str, Any]) -> dict[str, Figure]:
    """The area under the ROC curve by the digit that was left out."""
    figure, (place,) = panels(1, 1, 4.5)
    for row, areas in zip(ROWS, arrays["areas"], strict=True):
        style = {"error": ":", "probability": "--", "bound": "-"}[row.split()[1]]
        colour = f"C{list(SCORES).index(row.split()[0])}"
        place.plot(areas, style, color=colour, marker="o", markersize=3, label=row)
    place.axhline(0.5, color="0.6", linewidth=0.8)
    place.set(xlabel="digit left out", ylabel="area under the ROC curve")
    place.set_xticks(range(len(arrays["digits"])), [str(digit) for digit in arrays["digits"]])
    place.legend(fontsize="x-small")
    return {"areas": figure}


def _areas(*rows: str) -> tuple[str, ...]:
    return tuple(f"{row}/roc_auc" for row in rows)


EXPERIMENTS = (
    Experiment(
        id="GEN-HOLD",
        paper="generative",
        title="A digit that training has not seen",
        run=run,
        draw=draw,
        claims=(
            Claim(
                "The VAE's reconstruction probability tells a digit left out better than the error of an "
                "autoencoder (An & Cho 2015, section 4.3)",
                lambda m: m["vae probability/roc_auc"] > m["autoencoder error/roc_auc"],
                _areas("vae probability", "autoencoder error"),
            ),
            Claim(
                "It tells it better than the error of principal components (the same)",
                lambda m: m["vae probability/roc_auc"] > m["pca error/roc_auc"],
                _areas("vae probability", "pca error"),
            ),
            Claim(
                "The bound tells it better than the reconstruction probability",
                lambda m: m["vae bound/roc_auc"] > m["vae probability/roc_auc"],
                _areas("vae bound", "vae probability"),
            ),
            Claim(
                "Digit 1 is the hardest to tell by the reconstruction probability",
                lambda m: (
                    m["vae probability/auc_1"] < m["vae probability/roc_auc"] - 0.1
                    and m["vae probability/auc_1"]
                    == min(v for k, v in m.items() if k.startswith("vae probability/auc_"))
                ),
                ("vae probability/auc_1", "vae probability/roc_auc"),
            ),
            Claim(
                "A score by chance, 0.5, is passed by every model and score in the mean",
                lambda m: all(m[name] > 0.5 for name in _areas(*ROWS)),
                _areas(*ROWS),
            ),
        ),
        quick={
            "held_out": [1, 4],
            "examples": 5000,
            "epochs": 3,
            "latents": 10,
            "hidden": 200,
            "samples": 5,
        },
        full={
            "held_out": list(range(10)),
            "examples": 60_000,
            "epochs": 30,
            "latents": 10,
            "hidden": 200,
            "samples": 20,
        },
    ),
)
