"""GEN-HIER: one, two and three levels of codes of the same size, on binary digits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import zoo
from zoo.evaluation import density
from zoo.experiments.experiment import Claim, Experiment, Outcome, Sources
from zoo.experiments.training import binarised, falling, mnist, train
from zoo.visualization.drawing.mosaics import show_mosaic
from zoo.visualization.drawing.style import panels, styled

LEVELS = (1, 2, 3)
# Nats of a level under which it says nothing.
SILENT = 0.5


def run(
    seed: int,
    sources: Sources,
    *,
    examples: int,
    epochs: int,
    latents: int,
    hidden: int,
    judged: int,
    samples: int,
) -> Outcome:
    """Train a VAE of each number of levels, with as many latents in all.

    Args:
        seed: of the models, and of the binarisation, which is one draw for all epochs.
        sources: of MNIST.
        examples: of the training set.
        epochs: passes over it.
        latents: of all levels together, a multiple of 6.
        hidden: units of each of two hidden layers.
        judged: test digits.
        samples: of the estimate of the likelihood.

    Returns:
        For each number of levels, in nats over the test digits: ``nll`` by importance sampling, ``elbo``, and
        ``kl_1`` .. of each level, the lowest first.
    """
    random = np.random.default_rng(seed)
    source, test = mnist("train", sources, examples), mnist("test", sources, judged)
    x, fresh = binarised(source.inputs, random), binarised(test.inputs, random)
    measures: dict[str, float] = {}
    arrays: dict[str, Any] = {}
    for levels in LEVELS:
        model = zoo.create(
            "hierarchical_vae",
            (28, 28, 1),
            latents=latents // levels,
            levels=levels,
            hidden=(hidden, hidden),
            seed=seed,
        )
        train(model, x, epochs=epochs, learning_rate=falling(1e-3, epochs, len(x)))
        found: dict[str, Any] = density.scores(
            density.per_example(model, fresh, samples=samples, seed=seed)
        )
        terms = model.evaluate(fresh, return_dict=True, verbose=0)
        measures |= {
            f"{levels}/nll": -found["log_likelihood"],
            f"{levels}/elbo": found["elbo"],
            f"{levels}/least_kl": min(terms[f"kl_{n + 1}"] for n in range(levels)),
            **{f"{levels}/kl_{n + 1}": terms[f"kl_{n + 1}"] for n in range(levels)},
        }
        arrays[f"{levels} levels"] = model.generate(30, seed=seed)
    return Outcome({name: float(value) for name, value in measures.items()}, arrays)


@styled
def draw(arrays: Mapping[str, Any]) -> dict[str, Figure]:
    """Digits that each model generates."""
    figure, axes = panels(len(arrays), len(arrays), 0.8)
    for place, (name, pictures) in zip(axes, arrays.items(), strict=True):
        show_mosaic(place, pictures[..., 0], 10, (0, 1))
        place.set_title("1 level" if name == "1 levels" else name)
    return {"samples": figure}


def _kls(levels: int) -> tuple[str, ...]:
    return tuple(f"{levels}/kl_{n + 1}" for n in range(levels))


EXPERIMENTS = (
    Experiment(
        id="GEN-HIER",
        paper="generative",
        title="Levels of codes",
        run=run,
        draw=draw,
        claims=(
            Claim(
                "Two levels have the better likelihood than one of the same size",
                lambda m: m["2/nll"] < m["1/nll"],
                ("1/nll", "2/nll", "1/elbo", "2/elbo"),
            ),
            Claim(
                "A third level does not harm",
                lambda m: m["3/nll"] < m["2/nll"] + 0.5,
                ("2/nll", "3/nll"),
            ),
            Claim(
                "Every level is used, of two and of three",
                lambda m: min(m["2/least_kl"], m["3/least_kl"]) > SILENT,
                (*_kls(2), *_kls(3)),
            ),
        ),
        quick={
            "examples": 6000,
            "epochs": 8,
            "latents": 12,
            "hidden": 128,
            "judged": 300,
            "samples": 50,
        },
        full={
            "examples": 60_000,
            "epochs": 100,
            "latents": 48,
            "hidden": 400,
            "judged": 10_000,
            "samples": 500,
        },
    ),
)
