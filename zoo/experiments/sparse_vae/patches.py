"""SV-CIF: the sparse VAEs on natural patches (Pyle, figures 27 to 32)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy import stats

import zoo
from zoo.evaluation.sparsity import hoyer
from zoo.experiments import digits
from zoo.experiments.experiment import Claim, Experiment, Measures, Outcome, Sources
from zoo.experiments.sparse_vae import gabor, parts
from zoo.visualization.drawing.mosaics import show_mosaic
from zoo.visualization.drawing.style import panels, styled

NAMES = tuple(name for name, _, _ in parts.variants())
PUBLISHED = ("normal_published", "laplace_published")
LATENTS = 25


def run(
    seed: int,
    sources: Sources,
    *,
    examples: int,
    **training: Any,
) -> Outcome:
    """Train the variants on 12x12 grey patches, 25 latents, KL weight .05.

    Args:
        seed: of the models.
        sources: of the pictures: CIFAR-10 of TFDS, or a folder of colour pictures.
        examples: 50,000 in the author's code.
        **training: of `parts.trained`; the author has 100 epochs.

    Returns:
        For each variant ``error`` (squared error of a test patch), ``sharpness`` of the reconstructions
        and, for the pictures decode(3 e_i) - decode(0), means of ``gabor`` (R^2 of the best Gabor
        function), ``kurtosis`` (excess) and ``hoyer`` of the pixels.
    """
    load: dict[str, Any] = {
        "path": sources.pictures,
        "data_dir": sources.data_dir,
        "manual_dir": sources.manual_dir,
    }
    data = zoo.data.load("cifar10_patches", limit=examples, **load)
    test = zoo.data.load("cifar10_patches", "test", limit=5000, **load)
    x = test.inputs
    measures: dict[str, float] = {"inputs/sharpness": digits.sharpness(x[:2000])}
    arrays: dict[str, Any] = {"inputs": x[:20]}
    for name, family, weights in parts.variants():
        model = parts.trained(family, weights, data.inputs, LATENTS, 0.05, seed, **training)
        output = model.reconstruct(x)
        pictures = parts.unit_pictures(model) - model.decode(np.zeros((1, LATENTS), np.float32))
        flat = pictures.reshape(LATENTS, -1)
        flat = flat[flat.std(axis=1) > 1e-3]
        fits = [gabor.fit(picture.reshape(12, 12)) for picture in flat]
        measures |= {
            f"{name}/error": float(((output - x) ** 2).sum((1, 2, 3)).mean()),
            f"{name}/sharpness": digits.sharpness(output[:2000]),
            f"{name}/gabor": float(np.mean([score for score, _ in fits])) if fits else 0.0,
            f"{name}/kurtosis": float(stats.kurtosis(flat, axis=1).mean()) if fits else 0.0,
            f"{name}/hoyer": float(hoyer(flat).mean()) if fits else 0.0,
            f"{name}/drawing": float(len(flat)),
        }
        arrays[f"{name}/outputs"] = output[:20]
        arrays[f"{name}/units"] = pictures
        if fits:
            arrays[f"{name}/fits"] = np.stack([fit for _, fit in fits])
    return Outcome(measures, arrays)


@styled
def draw(arrays: Mapping[str, Any]) -> dict[str, Figure]:
    """Patches and reconstructions; what each latent draws, and the Gabor functions fitted to it."""
    rows = ["inputs", *(f"{name}/outputs" for name in NAMES)]
    outputs, axes = panels(len(rows), 1, 0.55)
    for place, name in zip(axes, rows, strict=True):
        show_mosaic(place, arrays[name][..., 0], 20, (0, 1))
        place.set_title(name.split("/")[0])
    units, axes = panels(2 * len(NAMES), 2, 0.8)
    for index, name in enumerate(NAMES):
        pictures = arrays[f"{name}/units"][..., 0]
        fits = arrays.get(f"{name}/fits", np.zeros((1, 12, 12)))
        for place, shown, title in (
            (axes[2 * index], pictures, f"{name}: decode(3 e_i) - decode(0)"),
            (axes[2 * index + 1], fits, "fitted Gabor functions of those that draw"),
        ):
            # Each picture on its own scale, zero at mid-grey.
            top = np.abs(shown).max(axis=(1, 2), keepdims=True) + 1e-9
            show_mosaic(place, shown / top, 13, (-1, 1))
            place.set_title(title)
    return {"reconstructions": outputs, "latents": units}


def _gabor_like(m: Measures, others: tuple[str, ...]) -> bool:
    return all(
        m[f"cauchy/{what}"] > m[f"{other}/{what}"]
        for other in others
        for what in ("gabor", "kurtosis", "hoyer")
    )


def _blurrier(m: Measures, others: tuple[str, ...]) -> bool:
    return all(
        m["cauchy/error"] > m[f"{other}/error"] and m["cauchy/sharpness"] < m[f"{other}/sharpness"]
        for other in others
    )


EXPERIMENTS = (
    Experiment(
        id="SV-CIF",
        paper="sparse_vae",
        title="Natural patches",
        run=run,
        draw=draw,
        claims=(
            Claim(
                "Cauchy reconstructs blurrier than Normal and Laplace",
                lambda m: _blurrier(m, ("normal", "laplace")),
                tuple(f"{n}/{w}" for n in NAMES for w in ("error", "sharpness")),
                "",
                lambda m: _blurrier(m, PUBLISHED),
            ),
            Claim(
                "Cauchy latents are sparse and Gabor-like, those of the others are not",
                lambda m: _gabor_like(m, ("normal", "laplace")),
                tuple(f"{n}/{w}" for n in NAMES for w in ("gabor", "kurtosis", "hoyer", "drawing")),
                "",
                lambda m: _gabor_like(m, PUBLISHED),
            ),
        ),
        quick={"epochs": 3, "examples": 20_000, "learning_rate": 1e-3, "warm_up": 1},
        full={"epochs": 100, "examples": 50_000, "learning_rate": 2e-4, "warm_up": 5},
    ),
)
