"""GEN-SPHERE: codes on a sphere and in a hyperbolic ball beside flat ones, by their number of dimensions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import zoo
from zoo.evaluation import density
from zoo.experiments.experiment import Claim, Experiment, Outcome, Sources
from zoo.experiments.training import binarised, falling, labels_of, mnist, train
from zoo.visualization.drawing.style import panels, styled

# A ball of curvature -1 has no room for draws of more units: see `zoo.distributions.ball`.
ROUND, FLATTER = 17, 0.5
MODELS = {"normal": "vae", "sphere": "spherical_vae", "ball": "poincare_vae"}


def run(
    seed: int,
    sources: Sources,
    *,
    examples: int,
    epochs: int,
    latents: Sequence[int],
    hidden: int,
    judged: int,
    samples: int,
) -> Outcome:
    """Train a VAE of each kind with each number of latents on the same binary digits.

    Args:
        seed: of the models, and of the binarisation, which is one draw for all epochs.
        sources: of MNIST.
        examples: of the training set.
        epochs: passes over it.
        latents: numbers of latents; a sphere of d latents has d - 1 dimensions.
        hidden: units of each of two hidden layers.
        judged: test digits.
        samples: of the estimate of the likelihood.

    Returns:
        For each kind and number, over the test digits: ``nll`` by importance sampling and ``kl``, in nats,
        and ``knn``, the accuracy of the 5 nearest codes of the training set.
    """
    from sklearn.neighbors import KNeighborsClassifier

    random = np.random.default_rng(seed)
    source, test = mnist("train", sources, examples), mnist("test", sources, judged)
    x, fresh = binarised(source.inputs, random), binarised(test.inputs, random)
    labels, known = labels_of(source), labels_of(test)
    measures: dict[str, float] = {}
    for units in latents:
        for kind, name in MODELS.items():
            options: dict[str, Any] = {"latents": units, "hidden": (hidden, hidden), "seed": seed}
            if kind == "ball" and units > ROUND:
                options["curvature"] = FLATTER
            model = zoo.create(name, (28, 28, 1), **options)
            train(model, x, epochs=epochs, learning_rate=falling(1e-3, epochs, len(x)))
            found: dict[str, Any] = density.scores(
                density.per_example(model, fresh, samples=samples, seed=seed)
            )
            codes, others = model.encode(x[:10_000]), model.encode(fresh)
            nearest = KNeighborsClassifier(5).fit(codes, labels[:10_000])
            measures |= {
                f"{kind}_{units}/nll": -found["log_likelihood"],
                f"{kind}_{units}/kl": found["kl"],
                f"{kind}_{units}/knn": nearest.score(others, known),
            }
    found = {name: float(value) for name, value in measures.items()}
    arrays = {
        f"{kind}/{what}": np.array([found[f"{kind}_{units}/{what}"] for units in latents])
        for kind in MODELS
        for what in ("nll", "knn")
    }
    return Outcome(found, {**arrays, "latents": np.array(latents)})


@styled
def draw(arrays: Mapping[str, Any]) -> dict[str, Figure]:
    """Likelihood and nearest neighbours over the number of latents."""
    figure, axes = panels(2, 2, 2.6)
    for place, (what, label) in zip(
        axes, (("nll", "NLL, nats"), ("knn", "accuracy of neighbours")), strict=True
    ):
        for kind in MODELS:
            place.plot(arrays["latents"], arrays[f"{kind}/{what}"], marker="o", label=kind)
        place.set(xlabel="latents", ylabel=label, xscale="log", xticks=arrays["latents"])
        place.set_xticklabels([str(units) for units in arrays["latents"]])
        place.minorticks_off()
    axes[0].legend()
    return {"latents": figure}


def _below(kind: str, units: int, text: str) -> Claim:
    names = (f"normal_{units}/nll", f"{kind}_{units}/nll")
    return Claim(text, lambda m: m[names[1]] < m[names[0]], names)


EXPERIMENTS = (
    Experiment(
        id="GEN-SPHERE",
        paper="generative",
        title="Spheres and balls",
        run=run,
        draw=draw,
        claims=(
            _below("sphere", 5, "With 5 latents the sphere has the better likelihood"),
            Claim(
                "With 40 latents the normal has the better likelihood than the sphere",
                lambda m: m["normal_40/nll"] < m["sphere_40/nll"],
                ("normal_40/nll", "sphere_40/nll"),
                "hurts in many dimensions (Davidson et al. 2018, table 1)",
            ),
            Claim(
                "With 5 latents neighbours on the sphere share their class more often",
                lambda m: m["sphere_5/knn"] > m["normal_5/knn"],
                ("normal_5/knn", "sphere_5/knn"),
                "higher in up to 10 dimensions (Davidson et al. 2018, table 2)",
            ),
            _below("ball", 2, "With 2 latents the ball has the better likelihood"),
        ),
        quick={
            "examples": 6000,
            "epochs": 6,
            "latents": [2, 5, 10, 40],
            "hidden": 128,
            "judged": 300,
            "samples": 50,
        },
        full={
            "examples": 60_000,
            "epochs": 100,
            "latents": [2, 5, 10, 40],
            "hidden": 400,
            "judged": 10_000,
            "samples": 500,
        },
    ),
)
