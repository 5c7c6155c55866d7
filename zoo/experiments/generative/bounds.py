"""GEN-NLL: the likelihood of statically binarised digits under nine ways to train or to shape a VAE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

import zoo
from zoo.evaluation import density
from zoo.experiments.experiment import Claim, Experiment, Outcome, Sources
from zoo.experiments.training import binarised, falling, mnist, start_at_frequencies, train
from zoo.visualization.drawing.mosaics import show_mosaic
from zoo.visualization.drawing.style import panels, styled

# Row -> the model, and its options by the number of draws K of a bound (of each group for groups of them).
MODELS: dict[str, str] = {
    "vae": "vae",
    "iwae": "iwae",
    "iwae_dreg": "iwae",
    "miwae": "miwae",
    "piwae": "piwae",
    "ciwae": "ciwae",
    "iaf": "iaf_vae",
    "planar": "planar_vae",
    "vamp": "vamp_vae",
}
# NLL in nats by pythae 0.1.2 (its README, from other networks and more training), and by the papers it names.
PYTHAE = {
    "iwae": "86.82; 87.1",
    "miwae": "85.09; 84.97",
    "piwae": "84.58; 84.46",
    "ciwae": "84.74; 84.57",
    "vamp": "85.79; 85.57",
}


def options_of(name: str, draws: int, components: int) -> dict[str, Any]:
    """The options of a row beside those that all have; `draws` is the number of all draws of an example."""
    root = max(1, round(draws**0.5))
    groups = {"groups": root, "samples": root}
    own: dict[str, dict[str, Any]] = {
        "iwae": {"samples": draws},
        "iwae_dreg": {"samples": draws, "gradient": "dreg"},
        "miwae": groups,
        "piwae": groups,
        "ciwae": {"samples": draws, "beta": 0.5},
        "iaf": {"flow_hidden": 128},
        "planar": {"steps": 4},
        "vamp": {"components": components},
    }
    return own.get(name, {})


def run(
    seed: int,
    sources: Sources,
    *,
    models: Sequence[str],
    examples: int,
    epochs: int,
    draws: int,
    components: int,
    latents: int,
    hidden: int,
    judged: int,
    samples: int,
) -> Outcome:
    """Train each model for as many steps on the same binarised digits, and estimate its likelihood.

    Networks, code and first bias are those of Burda et al. 2016 (two layers of 200 tanh units, 50 latents).

    Args:
        seed: of the models and the binarisation.
        sources: of MNIST.
        models: rows to train, of `MODELS`.
        examples: of the training set.
        epochs: passes over it.
        draws: of the posterior for an example, by the importance-weighted bounds; 50 in Burda et al., and 64,
            in 8 groups of 8, in Rainforth et al. 2018.
        components: of the VampPrior; 500 in the paper.
        latents: dimensions of the code.
        hidden: units of each of two hidden layers.
        judged: test digits.
        samples: of the estimate; 5,000 in the papers.

    Returns:
        For each model, in nats over the test digits: ``nll``, -log p(x) by importance sampling, which lies
        above it the more the fewer the samples; ``se``, its standard error over the digits; ``elbo``;
        ``kl`` of the posterior from the prior; and ``effective``, the effective number of samples.
    """
    source, test = mnist("train", sources, examples), mnist("test", sources, judged)
    x, fresh = (binarised(part.inputs, seed) for part in (source, test))
    measures: dict[str, float] = {}
    arrays: dict[str, Any] = {}
    for name in models:
        shared: dict[str, Any] = {"latents": latents, "hidden": (hidden, hidden)}
        model = zoo.create(
            MODELS[name],
            (28, 28, 1),
            activation="tanh",
            seed=seed,
            **shared,
            **options_of(name, draws, components),
        )
        start_at_frequencies(model, x)
        train(model, x, epochs=epochs, learning_rate=falling(1e-3, epochs, len(x)))
        bounds = density.per_example(model, fresh, samples=samples, seed=seed)
        found: dict[str, Any] = density.scores(bounds)
        measures |= {
            f"{name}/nll": -found["log_likelihood"],
            f"{name}/se": found["log_likelihood_standard_error"],
            f"{name}/elbo": found["elbo"],
            f"{name}/kl": found["kl"],
            f"{name}/effective": found["effective_samples"],
        }
        arrays[f"{name}/samples"] = model.generate(30, seed=seed)
    return Outcome(measures, arrays)


@styled
def draw(arrays: Mapping[str, Any]) -> dict[str, Figure]:
    """Digits that each model generates."""
    figure, axes = panels(len(arrays), 3, 0.95)
    for place, (name, pictures) in zip(axes, arrays.items(), strict=True):
        show_mosaic(place, pictures[..., 0], 10, (0, 1))
        place.set_title(name.split("/")[0])
    return {"samples": figure}


def _paper(*names: str) -> str:
    return ", ".join(f"{name} {PYTHAE[name]}" for name in names)


def _order(text: str, better: str, worse: str, paper: str = "") -> Claim:
    """That one model has the smaller NLL."""
    names = (f"{better}/nll", f"{worse}/nll")
    shown = (*names, f"{better}/se", f"{worse}/se")
    return Claim(text, lambda m: m[names[0]] < m[names[1]], shown, paper)


EXPERIMENTS = (
    Experiment(
        id="GEN-NLL",
        paper="generative",
        title="Bounds, flow posteriors and a learned prior",
        run=run,
        draw=draw,
        claims=(
            _order(
                "More draws help: the IWAE has a smaller NLL than the VAE, which is its bound of one draw "
                "(Burda et al. 2016, table 1)",
                "iwae",
                "vae",
                "86.76 and 84.78 for 1 and 50 draws",
            ),
            _order("MIWAE has a smaller one than IWAE", "miwae", "iwae", _paper("iwae", "miwae")),
            _order("PIWAE has a smaller one than IWAE", "piwae", "iwae", _paper("iwae", "piwae")),
            _order("CIWAE has a smaller one than IWAE", "ciwae", "iwae", _paper("iwae", "ciwae")),
            _order(
                "Doubly reparameterised gradients make the IWAE's NLL smaller (Tucker et al. 2019)",
                "iwae_dreg",
                "iwae",
            ),
            _order("An inverse autoregressive posterior makes the VAE's smaller", "iaf", "vae"),
            _order("A planar posterior makes it smaller", "planar", "vae"),
            _order(
                "A VampPrior makes it smaller (Tomczak & Welling 2018, table 1)",
                "vamp",
                "vae",
                _paper("vamp"),
            ),
            Claim(
                "The IWAE's posterior is the better proposal less often: its ELBO lies below the VAE's",
                lambda m: m["iwae/elbo"] < m["vae/elbo"],
                ("iwae/elbo", "vae/elbo"),
            ),
        ),
        quick={
            "models": list(MODELS),
            "examples": 5000,
            "epochs": 4,
            "draws": 4,
            "components": 20,
            "latents": 20,
            "hidden": 100,
            "judged": 100,
            "samples": 100,
        },
        full={
            "models": list(MODELS),
            "examples": 60_000,
            "epochs": 300,
            "draws": 64,
            "components": 500,
            "latents": 50,
            "hidden": 200,
            "judged": 10_000,
            "samples": 5000,
        },
    ),
)
