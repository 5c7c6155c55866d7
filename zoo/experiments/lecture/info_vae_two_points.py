"""OX-IV-F1: two points, and how far the ELBO drives their codes apart (InfoVAE, figure 1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy import stats

import zoo
from zoo.autoencoder import Autoencoder
from zoo.experiments.experiment import Claim, Experiment, Measures, Outcome, Sources
from zoo.experiments.training import Pulse, train
from zoo.visualization.drawing.style import panels, styled

BOTH = np.array([[-1.0], [1.0]], np.float32)
LIKELIHOOD = {"name": "normal", "scale": "learned"}
NAMES = {"elbo": "ELBO", "info": "InfoVAE", "held": "ELBO, scale of q held"}
# The middle of the prior: |z| below this, where N(0, 1) has .383 of its mass.
MIDDLE = 0.5


def build(kind: str, seed: int, lam: float, held: float) -> Autoencoder:
    """A VAE whose decoder learns its scale, so that its likelihood has no upper bound; one latent."""
    shared: dict[str, Any] = {
        "latents": 1,
        "hidden": (32, 32),
        "activation": "tanh",
        "likelihood": LIKELIHOOD,
        "seed": seed,
    }
    if kind == "elbo":
        return zoo.create("vae", (1,), **shared)
    if kind == "held":
        posterior = {"name": "constant_normal", "scale": held}
        return zoo.create("vae", (1,), posterior=posterior, **shared)
    return zoo.create("info_vae", (1,), alpha=1.0, lam=lam, **shared)


def run(
    seed: int,
    sources: Sources,
    *,
    epochs: int,
    parts: int,
    lam: float,
    held: float,
    learning_rate: float,
) -> Outcome:
    """Train both objectives on the points -1 and 1, and the ELBO with a posterior of one scale.

    What to expect: where q(z|x) = N(+-m, s) and r = m / s parts the points well enough, KL is least for
    m^2 = 1 / (1 + 1 / r^2), near 1, however sharp the decoder becomes; codes far outside pass by on the
    way. Where s is held, the likelihood alone can raise r: of a decoder as sharp as the points' overlap
    allows, sigma^2 = 4 Phi(-r), it gains r^2 / 4 and the KL costs s^2 r^2 / 2, so that below s = 1 / sqrt(2)
    codes go on outwards without an end, and above it they fall onto the prior. The MMD of the kernel
    exp(-r^2) between two points at +-m and N(0, 1) is least at m = 0.67.

    Args:
        seed: of weights, noise and order.
        sources: unused.
        epochs: passes over 1,000 points, batch 100.
        parts: how often the codes are looked at on the way.
        lam: lambda of the InfoVAE, alpha being 1: with the KL in place (alpha = 0) it stays at the prior.
        held: the scale that the posterior of the third model has throughout.
        learning_rate: of Adam.

    Returns:
        ``<objective>/mean``, the mean of |mu(x)| over the two points at the end, ``/half``, the same half
        way, ``/scale``, the mean standard deviation of q(z|x), and ``/middle``, the share of q(z) in the
        middle of the prior.
    """
    del sources
    x = zoo.data.load("two_points", seed=seed).inputs
    measures: dict[str, float] = {}
    arrays: dict[str, Any] = {}
    for kind in NAMES:
        model = build(kind, seed, lam, held)
        path = []
        for _ in range(parts):
            train_part(model, x, epochs // parts, learning_rate)
            path.append(float(np.abs(model.encode(BOTH)).mean()))
        posterior = model.posterior(BOTH)
        mean, scale = (np.asarray(m)[:, 0] for m in (posterior.mean(), posterior.stddev()))
        measures[f"{kind}/mean"] = path[-1]
        measures[f"{kind}/half"] = path[parts // 2 - 1]
        measures[f"{kind}/scale"] = float(scale.mean())
        measures[f"{kind}/middle"] = float(middle(mean, scale).mean())
        measures[f"{kind}/decoder_scale"] = float(model.likelihood.current_scale())
        prior = model.generate(2000, seed=seed)[:, 0]
        measures[f"{kind}/far_samples"] = float((np.abs(np.abs(prior) - 1) > 0.25).mean())
        arrays[f"{kind}/codes"] = np.stack([mean, scale])
        arrays[f"{kind}/path"] = np.array(path)
        arrays[f"{kind}/samples"] = prior
    return Outcome(measures, arrays)


def middle(mean: np.ndarray | float, scale: np.ndarray | float) -> np.ndarray:
    """Probability of the middle of the prior under N(mean, scale)."""
    normal = stats.norm(mean, scale)
    return normal.cdf(MIDDLE) - normal.cdf(-MIDDLE)


def train_part(model: Autoencoder, x: np.ndarray, epochs: int, learning_rate: float) -> None:
    """Go on with a model where it stands, with the optimizer that it has."""
    if not model.compiled:
        train(model, x, epochs=epochs, learning_rate=learning_rate)
    else:
        model.fit(x, batch_size=100, epochs=epochs, verbose=0, callbacks=[Pulse()])


@styled
def draw(arrays: Mapping[str, Any]) -> dict[str, Figure]:
    """Top: q(z|x) of both points and the prior. Bottom: decoded draws from the prior."""
    figure, axes = panels(2 * len(NAMES), len(NAMES), 2.0)
    line = np.linspace(-5, 5, 1001)
    for column, (kind, name) in enumerate(NAMES.items()):
        place = axes[column]
        means, scales = arrays[f"{kind}/codes"]
        place.plot(line, stats.norm.pdf(line), color="#CC79A7", label="p(z)")
        for mean, scale, color, text in zip(
            means, scales, ("#009E73", "#D55E00"), ("x = -1", "x = 1"), strict=True
        ):
            density = stats.norm.pdf(line, mean, scale)
            place.plot(line, density, color=color, label=f"q(z|{text})")
        place.set(title=name, xlabel="z", ylabel="density")
        lower = axes[len(NAMES) + column]
        bins: Any = np.linspace(-1.6, 1.6, 65)
        lower.hist(arrays[f"{kind}/samples"], bins=bins, color="#0072B2")
        lower.set(xlabel="decoded draws from p(z)", ylabel="draws of 2,000")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return {"two_points": figure}


def _away_from_zero(m: Measures) -> bool:
    """The one has less than a tenth of the prior's mass in its middle, the other half or more."""
    full = float(middle(0.0, 1.0))
    return m["elbo/middle"] < 0.1 * full and m["info/middle"] >= 0.5 * full


EXPERIMENTS = (
    Experiment(
        id="OX-IV-F1",
        paper="autoencoders_lecture",
        title="InfoVAE on two points",
        run=run,
        draw=draw,
        claims=(
            Claim(
                "The ELBO pushes q(z) away from 0, the InfoVAE does not",
                _away_from_zero,
                ("elbo/middle", "info/middle"),
                "p(z) has .383 in |z| < .5",
            ),
            Claim(
                "It pushes the codes past 2, and on",
                lambda m: m["elbo/mean"] > 2 and m["elbo/mean"] > m["elbo/half"],
                ("elbo/half", "elbo/mean"),
            ),
            Claim(
                "It does where the scale of q(z|x) is held at .5, which is learned else",
                lambda m: m["held/mean"] > 2 and m["held/mean"] > m["held/half"],
                ("held/half", "held/mean", "held/decoder_scale"),
            ),
            Claim(
                "The InfoVAE keeps them where the prior has its mass",
                lambda m: 0.6 <= m["info/mean"] <= 1,
                ("info/mean", "info/scale"),
                "mean in [.6, 1]",
            ),
        ),
        quick={"epochs": 150, "parts": 10, "lam": 100.0, "held": 0.5, "learning_rate": 2e-3},
        full={"epochs": 2000, "parts": 20, "lam": 100.0, "held": 0.5, "learning_rate": 1e-3},
    ),
)
