"""LP-DIR: what the L_P norm in the form "power" lacks with two latents: it is lowered by shorter codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from zoo.autoencoder import Autoencoder
from zoo.data.pixels import as_unit_floats
from zoo.evaluation import sparsity
from zoo.experiments.experiment import Claim, Experiment, Outcome, Sources
from zoo.experiments.lp.digits import build, cross, draw_planes, seen_in, sparser
from zoo.experiments.training import labels_of, mnist, train, unit
from zoo.visualization.drawing.style import styled

FORMS = ("plain", "power", "direction")
HELD_OUT = 12  # one part of the training digits in so many: trials of alpha are measured on it
# A trial's error may be so many times the plain autoencoder's.
DEAREST = 1.2


def run(
    seed: int,
    sources: Sources,
    *,
    epochs: int,
    examples: int,
    networks: str,
    alpha_power: float,
    alphas: list[float],
    trial_epochs: int,
) -> Outcome:
    """Train with two latents: without a norm, with "power" as in LP-F2-5, and with "direction".

    The alpha of "direction" is, for each seed, the one of `alphas` that has the sparsest codes of held-out
    training digits after a short training, at an error of at most 1.2 times the plain one.

    Args:
        seed: of the models.
        sources: of MNIST.
        epochs: of 200 digits a batch.
        examples: to train on.
        networks: "mlp" or "conv".
        alpha_power: of the form "power", rising over the first twentieth of the steps.
        alphas: that are tried.
        trial_epochs: of the short training.

    Returns:
        For each form what LP-F2-5 measures, and ``scale``, the root mean square of its codes;
        ``direction/alpha``.
    """
    source, test = mnist("train", sources, examples), mnist("test", sources)
    cut = len(source) - len(source) // HELD_OUT
    trial, held_out = source.inputs[:cut], source.inputs[cut:]

    def trained(form: str, alpha: float, x: np.ndarray, passes: int) -> Autoencoder:
        warm_up = round(0.05 * passes * (len(x) // 200)) if form == "power" else 0
        model = build(form, 2, alpha, warm_up, seed, networks)
        train(model, x, epochs=passes, batch_size=200)
        return model

    trials = {
        alpha: trained("direction" if alpha else "plain", alpha, trial, trial_epochs)
        for alpha in (0.0, *alphas)
    }
    chosen = _sparsest(trials, as_unit_floats(held_out))
    print(f"  alpha {chosen} of the form direction", flush=True)
    weights = {"plain": 0.0, "power": alpha_power, "direction": chosen}
    measures: dict[str, float] = {"direction/alpha": chosen}
    arrays: dict[str, Any] = {"labels": labels_of(test)[:1500]}
    for form in FORMS:
        model = trained(form, weights[form], source.inputs, epochs)
        codes, output = model.encode(unit(test)), model.reconstruct(unit(test))
        found = seen_in(model, codes, output, source, test, seed)
        found["scale"] = float(np.sqrt((codes**2).mean()))
        measures |= {f"{form}-2/{what}": value for what, value in found.items()}
        arrays[f"{form}-2/codes"] = codes[:1500]
    return Outcome(measures, arrays)


def _sparsest(trials: Mapping[float, Autoencoder], x: np.ndarray) -> float:
    """The alpha of the sparsest codes among those whose error is near that of alpha 0."""
    errors = {a: float(((model.reconstruct(x) - x) ** 2).mean()) for a, model in trials.items()}
    near = [alpha for alpha in errors if alpha and errors[alpha] <= DEAREST * errors[0.0]]
    if not near:
        return min(alpha for alpha in errors if alpha)
    hoyer = {alpha: float(np.nanmean(sparsity.hoyer(trials[alpha].encode(x)))) for alpha in near}
    return max(hoyer, key=hoyer.__getitem__)


@styled
def draw(arrays: Mapping[str, Any]) -> dict[str, Figure]:
    """The codes of each form, by digit."""
    return {"codes": draw_planes(arrays, FORMS)}


_CLAIMS = (
    Claim(
        'The form "power" makes codes shorter: their scale is below a tenth of the plain one',
        lambda m: m["power-2/scale"] < 0.1 * m["plain-2/scale"],
        tuple(f"{form}-2/scale" for form in FORMS),
    ),
    sparser("power", 2),
    sparser("direction", 2),
    cross("direction"),
    Claim(
        "Classes separate better with the norm: k-NN on 2 latents",
        lambda m: m["direction-2/knn"] > m["plain-2/knn"],
        tuple(f"{form}-2/{w}" for w in ("knn", "kmeans") for form in FORMS),
    ),
)
_ALPHAS = [1.0, 3.0, 10.0]
EXPERIMENTS = (
    Experiment(
        id="LP-DIR",
        paper="lp_autoencoder",
        title="Two latents, and the norm of a code's direction",
        run=run,
        draw=draw,
        claims=_CLAIMS,
        quick={
            "epochs": 4,
            "examples": 20_000,
            "networks": "mlp",
            "alpha_power": 8.0,
            "alphas": _ALPHAS,
            "trial_epochs": 2,
        },
        full={
            "epochs": 83,
            "examples": 60_000,
            "networks": "mlp",
            "alpha_power": 8.0,
            "alphas": _ALPHAS,
            "trial_epochs": 10,
        },
    ),
)
