"""OX-IV-F5: ELBO and InfoVAE on 500 digits (Zhao et al., "InfoVAE", figure 5)."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from matplotlib.figure import Figure

import zoo
from zoo.autoencoder import Autoencoder
from zoo.evaluation.kernel_distance import gaussian_kernel, median_distance, squared_mmd
from zoo.experiments import digits
from zoo.experiments.experiment import Claim, Experiment, Outcome, Sources
from zoo.experiments.shelf import kept
from zoo.experiments.training import QUIET, labels_of, mnist, train, unit
from zoo.visualization.drawing.mosaics import show_mosaic
from zoo.visualization.drawing.style import panels, styled

NAMES = ("elbo", "info")
BATCH = 100
# Of q(z) and of p(z); the spread of the estimated MMD^2 falls as one over it.
DRAWS = 10_000


def trained(
    kind: str,
    x: np.ndarray,
    seed: int,
    steps: int,
    lam: float,
    networks: str,
    latents: int,
    learning_rate: float,
) -> Autoencoder:
    """A VAE ("elbo") or an InfoVAE of alpha 1 ("info") after some steps of 100 digits, see `run`."""
    keras.utils.set_random_seed(seed)  # of the networks' weights, alike for both
    info: dict[str, Any] = {"alpha": 1.0, "lam": lam} if kind == "info" else {}
    model = zoo.create(
        "info_vae" if info else "vae",
        (28, 28, 1),
        latents=latents,
        networks=digits.networks(networks),
        seed=seed,
        **info,
    )
    epochs = steps // (len(x) // BATCH)
    train(model, x, epochs=epochs, batch_size=BATCH, learning_rate=learning_rate)
    return model


def run(
    seed: int,
    sources: Sources,
    *,
    steps: int,
    examples: int,
    lam: float,
    networks: str,
    latents: int,
    learning_rate: float,
) -> Outcome:
    """Train both objectives on few digits and compare samples with reconstructions.

    Args:
        seed: of the models.
        sources: of MNIST.
        steps: training steps of 100 digits.
        examples: 500 in the paper.
        lam: lambda of the InfoVAE; alpha is 1, so that only the MMD regularises.
        networks: "conv" is the authors'.
        latents: dimensions of the code.
        learning_rate: of Adam.

    Returns:
        For each objective ``mmd2`` between draws of q(z) and p(z); ``gap``, the MMD^2 between what is
        generated and the reconstructions, in pixels; ``overfit``, test error over training error;
        ``train_error`` and ``test_error`` (squared error of a digit); ``confidence`` and
        ``reconstructed_confidence`` of a classifier on samples and reconstructions.
    """
    source, test = mnist("train", sources), mnist("test", sources)
    judge = digits.classifier(unit(source)[:20_000], labels_of(source)[:20_000], seed)
    x, fresh = unit(source)[:examples], unit(test)[:2000]
    measures: dict[str, float] = {}
    arrays: dict[str, Any] = {"inputs": x[:10]}
    for kind in NAMES:
        name = f"few-digits-{kind}-{networks}-{latents}-{seed}-{steps}x{examples}-{learning_rate:g}"
        make = functools.partial(
            trained, kind, x, seed, steps, lam, networks, latents, learning_rate
        )
        model = kept(sources.models, f"{name}-{lam:g}" if kind == "info" else name, make)
        z = aggregate_sample(model, x, seed)
        prior = np.random.default_rng(seed + 1).standard_normal(z.shape)
        made, again = model.generate(examples, seed=seed), model.reconstruct(x)
        pixels = made.reshape(len(made), -1), again.reshape(len(again), -1)
        errors = [
            ((model.reconstruct(part) - part) ** 2).sum((1, 2, 3)).mean() for part in (x, fresh)
        ]
        measures |= {
            f"{kind}/mmd2": squared_mmd(z, prior, gaussian_kernel(median_distance(prior))),
            f"{kind}/gap": squared_mmd(
                pixels[0], pixels[1], gaussian_kernel(median_distance(pixels[1]))
            ),
            f"{kind}/train_error": float(errors[0]),
            f"{kind}/test_error": float(errors[1]),
            f"{kind}/overfit": float(errors[1] / errors[0]),
            f"{kind}/confidence": float(judge.predict(made, verbose=QUIET).max(axis=1).mean()),
            f"{kind}/reconstructed_confidence": float(
                judge.predict(again, verbose=QUIET).max(axis=1).mean()
            ),
        }
        arrays[f"{kind}/samples"] = made[:40]
        arrays[f"{kind}/reconstructions"] = again[:40]
    return Outcome(measures, arrays)


def aggregate_sample(model: Autoencoder, x: np.ndarray, seed: int) -> np.ndarray:
    """Independent draws (DRAWS, latents) of q(z), the mean of q(z|x) over the examples x.

    One draw an example would give too few to tell a small MMD from 0.
    """
    rng = np.random.default_rng(seed)
    posterior = model.posterior(x)
    mean, deviation = np.asarray(posterior.mean()), np.asarray(posterior.stddev())
    rows = rng.integers(len(x), size=DRAWS)
    return mean[rows] + deviation[rows] * rng.standard_normal((DRAWS, mean.shape[1]))


@styled
def draw(arrays: Mapping[str, Any]) -> dict[str, Figure]:
    """Reconstructions beside samples, ELBO above, InfoVAE below."""
    figure, axes = panels(4, 2, 1.9)
    names = [f"{kind}/{what}" for kind in NAMES for what in ("reconstructions", "samples")]
    for place, name in zip(axes, names, strict=True):
        show_mosaic(place, arrays[name][..., 0], 10, (0, 1))
        place.set_title(name.replace("elbo/", "ELBO, ").replace("info/", "InfoVAE, "))
    return {"digits": figure}


EXPERIMENTS = (
    Experiment(
        id="OX-IV-F5",
        paper="autoencoders_lecture",
        title="ELBO and InfoVAE on 500 digits",
        run=run,
        draw=draw,
        claims=(
            Claim(
                "q(z) is nearer to p(z) under the InfoVAE",
                lambda m: m["info/mmd2"] < m["elbo/mmd2"],
                ("elbo/mmd2", "info/mmd2"),
            ),
            Claim(
                "Samples are more like reconstructions under the InfoVAE",
                lambda m: m["info/gap"] < m["elbo/gap"],
                ("elbo/gap", "info/gap", "elbo/confidence", "info/confidence"),
            ),
            Claim(
                "The ELBO overfits more",
                lambda m: m["info/overfit"] < m["elbo/overfit"],
                tuple(f"{k}/{w}" for k in NAMES for w in ("train_error", "test_error")),
            ),
        ),
        quick={
            "steps": 600,
            "examples": 500,
            "lam": 1000.0,
            "networks": "mlp",
            "latents": 10,
            "learning_rate": 1e-3,
        },
        full={
            "steps": 10_000,
            "examples": 500,
            "lam": 1000.0,
            "networks": "conv",
            "latents": 10,
            "learning_rate": 1e-3,
        },
    ),
)
