"""SV-SYN and SV-TOY: the sparse VAEs on synthetic patches, and the two-template example."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy import linalg, optimize

import zoo
from zoo.evaluation.aggregate_posterior import active_units
from zoo.experiments.experiment import Claim, Experiment, Outcome, Sources
from zoo.experiments.sparse_vae import parts
from zoo.experiments.training import train
from zoo.visualization.drawing.mosaics import show_mosaic
from zoo.visualization.drawing.style import panels, styled

PIXELS = 25
LINEAR = {"name": "squared_error"}
TOY_TITLES = {
    "outputs": "reconstructions",
    "units": "latents: both at +3, then both at -3",
}


def explained(x: np.ndarray, x_hat: np.ndarray) -> float:
    """1 - squared error / squared deviation from the mean."""
    return float(1 - ((x - x_hat) ** 2).sum() / ((x - x.mean(axis=0)) ** 2).sum())


def overlap(pictures: np.ndarray, basis: np.ndarray) -> float:
    """Mean squared cosine of the principal angles between the leading directions of both.

    Args:
        pictures: (units, pixels), from which as many leading directions are taken as the basis has.
        basis: (functions, pixels).

    Returns:
        1 where the spans are equal, near functions / pixels for random ones.
    """
    leading = np.linalg.svd(pictures, full_matrices=False)[2][: len(basis)]
    angles = linalg.subspace_angles(leading.T, basis.T)
    return float((np.cos(angles) ** 2).mean())


def run(
    seed: int,
    sources: Sources,
    *,
    examples: int,
    draws: int,
    **training: Any,
) -> Outcome:
    """Train the variants on patches of 5 basis functions, 10 latents, KL weight .5.

    The output is linear, since the patches take negative values; the author's sigmoid cannot.

    Args:
        seed: of data and models.
        sources: unused.
        examples: 10,000 in the author's code.
        draws: noise draws for the gradient variance of the Laplace model's two KL estimators.
        **training: of `parts.trained`; the author has 100 epochs.

    Returns:
        For each variant ``explained`` (share of the variance of test patches), ``overlap`` and ``active``
        units; for the Laplace prior the gradient variance of both estimators.
    """
    del sources
    data = zoo.data.load("basis_patches", seed=seed, n=examples)
    test = zoo.data.load("basis_patches", "test", seed=seed, n=2000)
    # As vectors: pictures are held to [0, 1].
    x, fresh = (part.inputs.reshape(-1, PIXELS) for part in (data, test))
    basis = data.parts["basis"].reshape(-1, PIXELS)
    measures: dict[str, float] = {}
    arrays: dict[str, Any] = {"basis": basis, "inputs": fresh[:10]}
    others = [("cauchy_divided", "cauchy", "divided"), ("laplace_sampled", "laplace", "equal")]
    for name, family, weights in [*parts.variants(), *others]:
        estimator = "sampled" if name == "laplace_sampled" else "auto"
        options = {"likelihood": LINEAR, "estimator": estimator}
        model = parts.trained(family, weights, x, 10, 0.5, seed, **training, **options)
        if name == "laplace":
            analytic_weights = model.get_weights()
        reconstructed = model.reconstruct(fresh)
        pictures = parts.unit_pictures(model) - model.decode(np.zeros((1, 10)))
        measures[f"{name}/explained"] = explained(fresh, reconstructed)
        measures[f"{name}/overlap"] = overlap(pictures, basis)
        measures[f"{name}/active"] = float(active_units(model.encode(fresh)).sum())
        arrays[f"{name}/outputs"] = reconstructed[:10]
        arrays[f"{name}/units"] = pictures
    for name, estimator in (("analytic", "auto"), ("sampled", "sampled")):
        options = {"likelihood": LINEAR, "estimator": estimator}
        model = parts.build("laplace", "equal", (PIXELS,), 10, 0.5, seed, **options)
        model.set_weights(analytic_weights)
        measures[f"{name}/gradient_variance"] = parts.gradient_variance(
            model, x[: parts.BATCH], draws
        )
    return Outcome(measures, arrays)


@styled
def draw(arrays: Mapping[str, Any]) -> dict[str, Figure]:
    """Patches, reconstructions and what each latent draws, one row for each model."""
    names = [key.split("/")[0] for key in arrays if key.endswith("/outputs")]
    figure, axes = panels(2 * len(names) + 2, 2, 0.6)
    rows = [("test patches", arrays["inputs"]), ("basis", arrays["basis"])]
    for name in names:
        rows += [(name, arrays[f"{name}/outputs"]), (f"{name}, latents", arrays[f"{name}/units"])]
    for place, (title, pictures) in zip(axes, rows, strict=True):
        top = float(np.abs(pictures).max())
        show_mosaic(place, pictures.reshape(-1, 5, 5), 10, (-top, top))
        place.set_title(title)
    return {"patches": figure}


def run_toy(
    seed: int, sources: Sources, *, epochs: int, examples: int, learning_rate: float, beta: float
) -> Outcome:
    """Train the one-layer VAE on 10x10 pictures of two bumps.

    Args:
        seed: of data and model.
        sources: unused.
        epochs: not given in the paper.
        examples: 600 in the author's code.
        learning_rate: of Adam, not given in the paper.
        beta: weight of the KL term, not given in the paper.

    Returns:
        ``explained``: share of the variance of new pictures; ``match``: mean correlation of the two
        latents with the heights of the two bumps, best assignment; ``active`` units.
    """
    del sources
    data = zoo.data.load("two_templates", seed=seed, n=examples)
    test = zoo.data.load("two_templates", "test", seed=seed, n=600)
    model = zoo.create("two_template_vae", (10, 10, 1), beta=beta, seed=seed)
    train(model, data.inputs, epochs=epochs, learning_rate=learning_rate, batch_size=20)
    codes, outputs = model.encode(test.inputs), model.reconstruct(test.inputs)
    latents: Any = test.latents  # a synthetic set has them
    correlation = np.abs(np.corrcoef(codes.T, latents.T)[:2, 2:])
    rows, columns = optimize.linear_sum_assignment(-correlation)
    measures = {
        "explained": explained(test.inputs, outputs),
        "match": float(correlation[rows, columns].mean()),
        "active": float(active_units(codes).sum()),
    }
    arrays = {
        "inputs": test.inputs[:10],
        "outputs": outputs[:10],
        "templates": data.parts["templates"],
        "units": model.decode(np.concatenate([np.eye(2), -np.eye(2)]) * parts.PROBE),
    }
    return Outcome(measures, arrays)


@styled
def draw_toy(arrays: Mapping[str, Any]) -> dict[str, Figure]:
    """Inputs and reconstructions; patterns and latents (figures 1 and 2 of the paper)."""
    figure, axes = panels(4, 1, 0.85)
    for place, name in zip(axes, ("inputs", "outputs", "templates", "units"), strict=True):
        show_mosaic(place, arrays[name][..., 0], 10, (0, 1))
        place.set_title(TOY_TITLES.get(name, name))
    return {"two_templates": figure}


NAMES = tuple(name for name, _, _ in parts.variants())
EXPERIMENTS = (
    Experiment(
        id="SV-SYN",
        paper="sparse_vae",
        title="Synthetic patches of five basis functions",
        run=run,
        draw=draw,
        claims=(
            Claim(
                "In all cases reconstruction works well: nine tenths of the variance are explained",
                lambda m: all(m[f"{name}/explained"] >= 0.9 for name in parts.MODELS),
                tuple(f"{name}/explained" for name in NAMES),
                "low reconstruction error",
                lambda m: all(
                    m[f"{name}/explained"] >= 0.9
                    for name in ("normal_published", "laplace_published", "cauchy")
                ),
            ),
            Claim(
                "The decoders span the basis that the patches were made from",
                lambda m: all(m[f"{name}/overlap"] >= 0.95 for name in parts.MODELS),
                tuple(f"{n}/{what}" for n in NAMES for what in ("overlap", "active")),
                "",
                lambda m: all(
                    m[f"{name}/overlap"] >= 0.95
                    for name in ("normal_published", "laplace_published", "cauchy")
                ),
            ),
            Claim(
                "Both hold for Cauchy where its KL is divided by the batch size, as the author's code does "
                "for the other two",
                lambda m: (
                    m["cauchy_divided/explained"] >= 0.9 and m["cauchy_divided/overlap"] >= 0.95
                ),
                tuple(f"cauchy_divided/{what}" for what in ("explained", "overlap", "active")),
            ),
            Claim(
                "The closed-form KL, which the paper holds impossible, has the quieter gradient",
                lambda m: m["analytic/gradient_variance"] < m["sampled/gradient_variance"],
                (
                    "analytic/gradient_variance",
                    "sampled/gradient_variance",
                    "laplace/explained",
                    "laplace_sampled/explained",
                ),
            ),
        ),
        quick={"epochs": 10, "examples": 4000, "learning_rate": 1e-3, "warm_up": 1, "draws": 50},
        full={"epochs": 100, "examples": 10_000, "learning_rate": 2e-4, "warm_up": 5, "draws": 200},
    ),
    Experiment(
        id="SV-TOY",
        paper="sparse_vae",
        title="Two templates, one layer each way",
        run=run_toy,
        draw=draw_toy,
        claims=(
            Claim(
                "The network recreates its inputs",
                lambda m: m["explained"] >= 0.9,
                ("explained",),
            ),
            Claim(
                "Its latents are moderately intuitive: each follows the height of one bump",
                lambda m: m["match"] >= 0.7,
                ("match", "active"),
            ),
        ),
        quick={"epochs": 100, "examples": 600, "learning_rate": 5e-3, "beta": 0.05},
        full={"epochs": 500, "examples": 600, "learning_rate": 2e-3, "beta": 0.05},
    ),
)
