"""OX-H06: the deep autoencoder beside PCA (Hinton & Salakhutdinov 2006, figure 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import zoo
from zoo.experiments.experiment import Claim, Experiment, Outcome, Sources
from zoo.experiments.training import falling, labels_of, mnist, train, unit
from zoo.recipes.rbm import Settings, pretrain
from zoo.visualization.drawing.mosaics import show_mosaic
from zoo.visualization.drawing.style import PALETTE, panels, styled

PER_CLASS = 500
VARIANTS = {"rbm": "with RBM pre-training", "plain": "without"}


def run(
    seed: int,
    sources: Sources,
    *,
    epochs: int,
    rbm_epochs: int,
    examples: int,
    learning_rate: float,
) -> Outcome:
    """784-1000-500-250-2 and -30, with and without RBM pre-training, and PCA of as many dimensions.

    Fine-tuning is Adam's on batches of 100, its learning rate falling to 0 as a cosine, where the paper has
    conjugate gradients on larger ones.

    Args:
        seed: of the models.
        sources: of MNIST.
        epochs: of fine-tuning, 200 in the authors' code.
        rbm_epochs: of each layer, 50 in the authors' code.
        examples: of the training set.
        learning_rate: of Adam, the first.

    Returns:
        ``<variant>-<latents>/squared_error`` of a test digit and ``knn`` (5-NN accuracy of test codes by
        training codes), for "rbm", "plain" and "pca".
    """
    from sklearn.decomposition import PCA
    from sklearn.neighbors import KNeighborsClassifier

    source, test = mnist("train", sources, examples), mnist("test", sources)
    x, fresh = unit(source), unit(test)
    flat, flat_fresh = x.reshape(len(x), -1), fresh.reshape(len(fresh), -1)
    measures: dict[str, float] = {}
    arrays: dict[str, Any] = {"inputs": fresh[:10]}
    rows = np.concatenate([np.flatnonzero(test.labels == c)[:PER_CLASS] for c in range(10)])
    rows = np.random.default_rng(seed).permutation(rows)
    arrays["labels"] = labels_of(test)[rows]

    def judge(name: str, train_codes: np.ndarray, codes: np.ndarray, output: np.ndarray) -> None:
        known = KNeighborsClassifier(5).fit(train_codes[:20_000], labels_of(source)[:20_000])
        error = ((output.reshape(len(output), -1) - flat_fresh) ** 2).sum(axis=1).mean()
        measures[f"{name}/squared_error"] = float(error)
        measures[f"{name}/knn"] = float(known.score(codes, test.labels))
        arrays[f"{name}/outputs"] = output.reshape(-1, 28, 28, 1)[:10]
        if codes.shape[1] == 2:
            arrays[f"{name}/codes"] = codes[rows]

    for latents in (2, 30):
        pca = PCA(latents, random_state=seed).fit(flat)
        codes = pca.transform(flat_fresh)
        judge(f"pca-{latents}", pca.transform(flat), codes, pca.inverse_transform(codes))
        for variant in VARIANTS:
            model = zoo.create("deep_autoencoder", (28, 28, 1), latents=latents, seed=seed)
            if variant == "rbm":
                pretrain(model, source.inputs, Settings(epochs=rbm_epochs), seed)
            rate = falling(learning_rate, epochs, len(x))
            train(model, source.inputs, epochs=epochs, learning_rate=rate)
            judge(
                f"{variant}-{latents}",
                model.encode(source.inputs),
                model.encode(fresh),
                model.reconstruct(fresh),
            )
    return Outcome(measures, arrays)


@styled
def draw(arrays: Mapping[str, Any]) -> dict[str, Figure]:
    """Two-dimensional codes of 500 test digits of each class; 30-D reconstructions."""
    codes, axes = panels(3, 3, 2.4)
    colors = np.array([*PALETTE, "#777777", "#8B4513"])
    titles = {"pca": "two principal components", **VARIANTS}
    for place, (name, title) in zip(axes, titles.items(), strict=True):
        points = arrays[f"{name}-2/codes"]
        place.scatter(*points.T, s=1, c=colors[arrays["labels"]], linewidths=0)
        place.set(title=title, xticks=[], yticks=[])
    rows = ["inputs", *(f"{name}-30/outputs" for name in ("rbm", "plain", "pca"))]
    outputs, axes = panels(len(rows), 1, 0.75)
    for place, name in zip(axes, rows, strict=True):
        show_mosaic(place, arrays[name][..., 0], 10, (0, 1))
        place.set_title(name.split("/")[0])
    return {"codes": codes, "reconstructions": outputs}


EXPERIMENTS = (
    Experiment(
        id="OX-H06",
        paper="autoencoders_lecture",
        title="Deep autoencoder beside PCA",
        run=run,
        draw=draw,
        claims=(
            Claim(
                "The 2-D codes part the digits better than two principal components, by .25 in 5-NN accuracy",
                lambda m: m["rbm-2/knn"] - m["pca-2/knn"] >= 0.25,
                ("pca-2/knn", "rbm-2/knn", "plain-2/knn"),
            ),
            Claim(
                "The 30-D code has a squared error of at most 3.00 on test digits",
                lambda m: m["rbm-30/squared_error"] <= 3.0,
                ("rbm-30/squared_error", "plain-30/squared_error", "pca-30/squared_error"),
                "3.00, PCA 13.87",
            ),
            Claim(
                "Pre-training lowers the error of both",
                lambda m: all(
                    m[f"rbm-{n}/squared_error"] < m[f"plain-{n}/squared_error"] for n in (2, 30)
                ),
                tuple(f"{v}-{n}/squared_error" for n in (2, 30) for v in VARIANTS),
            ),
        ),
        quick={"epochs": 3, "rbm_epochs": 2, "examples": 6000, "learning_rate": 1e-3},
        full={"epochs": 200, "rbm_epochs": 50, "examples": 60_000, "learning_rate": 5e-4},
    ),
)
