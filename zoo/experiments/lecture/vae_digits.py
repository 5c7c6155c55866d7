"""OX-VAE: the VAE on MNIST by dimension of its code (Kingma & Welling, figures 4 and 5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import zoo
from zoo.autoencoder import Autoencoder
from zoo.evaluation import density
from zoo.experiments import digits
from zoo.experiments.experiment import Claim, Experiment, Outcome, Sources, rising
from zoo.experiments.training import (
    BATCH,
    QUIET,
    binarised,
    falling,
    labels_of,
    mnist,
    train,
    unit,
)
from zoo.recipes import WarmUp
from zoo.visualization.drawing.mosaics import show_mosaic
from zoo.visualization.drawing.style import panels, styled
from zoo.visualization.figures.manifold import inverse_cdf_grid

LATENTS = (2, 5, 10, 20)
WIDE = (500, 500)
GRID = 15


def wide(x: np.ndarray, epochs: int, seed: int) -> Autoencoder:
    """A VAE of 40 latents with gated layers, trained.

    Layers and the weight of the KL term, which rises to 1 over the first third of the steps, are those of
    Tomczak & Welling, "VAE with a VampPrior", 2018, section 5.
    """
    rise = max(1, epochs * (len(x) // BATCH) // 3)
    model = zoo.create(
        "vae",
        (28, 28, 1),
        latents=40,
        hidden=WIDE,
        activation="gated",
        beta=WarmUp(1.0, rise),
        seed=seed,
    )
    train(model, x, epochs=epochs, learning_rate=falling(1e-3, epochs, len(x)))
    return model


def run(seed: int, sources: Sources, **settings: Any) -> Outcome:
    """Train VAEs of 2, 5, 10 and 20 latents on MNIST, and one of 40 on statically binarised MNIST.

    The model of 40 latents has gated layers, see `wide`; its learning rate falls to 0 as a cosine.

    Args:
        seed: of the models and the binarisation.
        sources: of MNIST.
        **settings: ``epochs``, ``wide_epochs`` of the model of 40 latents, ``examples``,
            ``density_examples``, ``samples`` of the importance-sampled log-likelihood.

    Returns:
        ``<latents>/elbo`` in nats on test digits (grey values as probabilities), ``2/digits``, the classes
        that a classifier sees on the manifold, and ``40/log_likelihood``, importance-sampled, of the
        binarised test digits under the model of 40 latents, with its bound ``40/elbo``.
    """
    source, test = mnist("train", sources, settings["examples"]), mnist("test", sources)
    judge = digits.classifier(unit(source), labels_of(source), seed)
    measures: dict[str, float] = {}
    arrays: dict[str, Any] = {}
    for latents in LATENTS:
        model = zoo.create("vae", (28, 28, 1), latents=latents, hidden=500, seed=seed)
        train(model, source.inputs, epochs=settings["epochs"], learning_rate=1e-3)
        terms = model.evaluate(test.inputs, return_dict=True, verbose=0)
        measures[f"{latents}/elbo"] = -float(terms["loss"])
        measures[f"{latents}/kl"] = float(terms["kl"])
        arrays[f"{latents}/samples"] = model.generate(100, seed=seed)
        if latents == 2:
            grid = inverse_cdf_grid(model.prior_distribution(), GRID).reshape(-1, 2)
            arrays["manifold"] = model.decode(grid)
            seen = judge.predict(arrays["manifold"], verbose=QUIET)
            sure = seen.argmax(axis=1)[seen.max(axis=1) > 0.5]
            measures["2/digits"] = float(len(np.unique(sure)))
    x, fresh = (binarised(part.inputs, seed) for part in (source, test))
    model = wide(x, settings["wide_epochs"], seed)
    some = fresh[: settings["density_examples"]]
    bounds = density.per_example(model, some, samples=settings["samples"], seed=seed)
    found: dict[str, Any] = density.scores(bounds)
    for name, values in found.items():
        measures[f"40/{name}"] = float(values)
    return Outcome(measures, arrays)


@styled
def draw(arrays: Mapping[str, Any]) -> dict[str, Figure]:
    """The manifold on the prior's quantiles, and samples by dimension."""
    manifold, (place,) = panels(1, 1, 6.0)
    show_mosaic(place, arrays["manifold"][..., 0], GRID, (0, 1))
    samples, axes = panels(len(LATENTS), 4, 1.9)
    for place, latents in zip(axes, LATENTS, strict=True):
        show_mosaic(place, arrays[f"{latents}/samples"][..., 0], 10, (0, 1))
        place.set_title(f"{latents} latents")
    return {"manifold": manifold, "samples": samples}


EXPERIMENTS = (
    Experiment(
        id="OX-VAE",
        paper="autoencoders_lecture",
        title="Manifold and dimension of the VAE",
        run=run,
        draw=draw,
        claims=(
            Claim(
                "The bound rises from 2 to 10 latents",
                lambda m: rising([m[f"{n}/elbo"] for n in LATENTS[:3]]),
                tuple(f"{n}/elbo" for n in LATENTS),
            ),
            Claim(
                "All classes of digits are on the manifold",
                lambda m: m["2/digits"] == 10,
                ("2/digits",),
            ),
            Claim(
                "The model of 40 latents has an NLL of at most 89.8 nats on binarised MNIST",
                lambda m: -m["40/log_likelihood"] <= 89.8,
                ("40/log_likelihood", "40/elbo"),
                "89.78 in another library",
            ),
        ),
        quick={
            "epochs": 2,
            "wide_epochs": 2,
            "examples": 20_000,
            "density_examples": 200,
            "samples": 50,
        },
        full={
            "epochs": 100,
            "wide_epochs": 200,
            "examples": 60_000,
            "density_examples": 10_000,
            "samples": 200,
        },
    ),
)
