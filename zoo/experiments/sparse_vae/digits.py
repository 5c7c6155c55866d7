"""SV-MN and SV-2D: the sparse VAEs on MNIST with 10 and 2 latents (Pyle, figures 15 to 26)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from zoo.autoencoder import Autoencoder
from zoo.data import Data
from zoo.evaluation.clustering import silhouette
from zoo.experiments import digits
from zoo.experiments.experiment import Claim, Experiment, Measures, Outcome, Sources
from zoo.experiments.sparse_vae import parts
from zoo.experiments.training import QUIET, labels_of, mnist, unit
from zoo.visualization.drawing.mosaics import show_mosaic
from zoo.visualization.drawing.style import PALETTE, panels, styled

NAMES = tuple(name for name, _, _ in parts.variants())
PUBLISHED = {"normal": "normal_published", "laplace": "laplace_published", "cauchy": "cauchy"}
EQUAL = {family: family for family in PUBLISHED}
# Codes along a side of the grid that a figure has room for.
SHOWN = 14


def run(
    seed: int,
    sources: Sources,
    *,
    examples: int,
    **training: Any,
) -> Outcome:
    """Train the variants with 10 latents, KL weight 1.

    Args:
        seed: of the models.
        sources: of MNIST.
        examples: 60,000 in the author's code.
        **training: of `parts.trained`; the author has 100 epochs.

    Returns:
        For each variant ``error`` (squared error of a test digit), ``sharpness`` of the reconstructions,
        and of the pictures decode(+-3 e_i): ``confidence`` of a classifier and how many ``digits`` it sees.
    """
    source, test = mnist("train", sources, examples), mnist("test", sources)
    judge = digits.classifier(unit(source), labels_of(source), seed)
    x = unit(test)
    measures: dict[str, float] = {"inputs/sharpness": digits.sharpness(x[:2000])}
    arrays: dict[str, Any] = {"inputs": x[:10]}
    for name, family, weights in parts.variants():
        model = parts.trained(family, weights, source.inputs, 10, 1.0, seed, **training)
        output = model.reconstruct(x)
        probes = np.eye(10, dtype=np.float32) * parts.PROBE
        pictures = model.decode(np.concatenate([probes, -probes]))
        belief = judge.predict(pictures, verbose=QUIET)
        measures |= {
            f"{name}/error": float(((output - x) ** 2).sum((1, 2, 3)).mean()),
            f"{name}/sharpness": digits.sharpness(output[:2000]),
            f"{name}/confidence": float(belief.max(axis=1).mean()),
            f"{name}/digits": float(len(np.unique(belief.argmax(axis=1)))),
        }
        arrays[f"{name}/outputs"] = output[:10]
        arrays[f"{name}/units"] = pictures
    return Outcome(measures, arrays)


@styled
def draw(arrays: Mapping[str, Any]) -> dict[str, Figure]:
    """Reconstructions, and what each latent draws at +3 and at -3."""
    rows = ["inputs", *(f"{name}/outputs" for name in NAMES)]
    outputs, axes = panels(len(rows), 1, 0.75)
    for place, name in zip(axes, rows, strict=True):
        show_mosaic(place, arrays[name][..., 0], 10, (0, 1))
        place.set_title(name.split("/")[0])
    units, axes = panels(len(NAMES), 1, 1.4)
    for place, name in zip(axes, NAMES, strict=True):
        show_mosaic(place, arrays[f"{name}/units"][..., 0], 10, (0, 1))
        place.set_title(f"{name}: decode(3 e_i) above, decode(-3 e_i) below")
    return {"reconstructions": outputs, "latents": units}


def run_plane(
    seed: int,
    sources: Sources,
    *,
    examples: int,
    steps: int,
    **training: Any,
) -> Outcome:
    """Train the variants with 2 latents, KL weight 1.

    Args:
        seed: of the models.
        sources: of MNIST.
        examples: 60,000 in the author's code.
        steps: of the grid on [-5, 5], 40 in the author's code.
        **training: of `parts.trained`; the author has 75 epochs.

    Returns:
        For each variant ``knn`` (5-NN accuracy of the means), ``silhouette`` and ``ratio``, the smaller
        interquartile range of a latent's means over the larger, squared: near 0 where one is unused.
    """
    source, test = mnist("train", sources, examples), mnist("test", sources)
    measures: dict[str, float] = {}
    arrays: dict[str, Any] = {"labels": labels_of(test)[:2000]}
    line = np.linspace(-5, 5, steps)
    grid = np.stack(np.meshgrid(line, line[::-1]), axis=-1).reshape(-1, 2)
    for name, family, weights in parts.variants():
        model = parts.trained(family, weights, source.inputs, 2, 1.0, seed, **training)
        found, codes = seen_in(model, source, test, seed)
        measures |= {f"{name}/{what}": value for what, value in found.items()}
        arrays[f"{name}/codes"] = codes[:2000]
        arrays[f"{name}/grid"] = model.decode(grid)[:, ::2, ::2]
    arrays["steps"] = np.array(steps)
    return Outcome(measures, arrays)


def seen_in(
    model: Autoencoder, source: Data, test: Data, seed: int
) -> tuple[dict[str, float], np.ndarray]:
    """What is measured of the two latents, see `run_plane`, and the means of the test digits."""
    from sklearn.neighbors import KNeighborsClassifier

    codes, labels = model.encode(test.inputs), labels_of(test)
    known = KNeighborsClassifier(5).fit(
        model.encode(source.inputs[:10_000]), labels_of(source)[:10_000]
    )
    low, high = np.quantile(codes, [0.25, 0.75], axis=0)
    widths = np.sort(high - low)
    measures = {
        "knn": float(known.score(codes, labels)),
        "silhouette": silhouette(codes, labels, seed=seed),
        "ratio": float((widths[0] / widths[1]) ** 2),
    }
    return measures, codes


def draw_means(arrays: Mapping[str, Any], names: Sequence[str]) -> Figure:
    """Means of the test digits under each model, by digit."""
    figure, axes = panels(len(names), len(names), 1.6)
    colors = np.array([*PALETTE, "#777777", "#8B4513"])
    for place, name in zip(axes, names, strict=True):
        codes = arrays[f"{name}/codes"]
        place.scatter(*codes.T, s=1, c=colors[arrays["labels"]], linewidths=0)
        limits = np.quantile(codes, [0.005, 0.995], axis=0)
        place.set(title=name.replace("_", "\n"), xlim=limits[:, 0], ylim=limits[:, 1])
        place.ticklabel_format(axis="x", scilimits=(-1, 4))  # small numbers are wide
    return figure


@styled
def draw_plane(arrays: Mapping[str, Any]) -> dict[str, Figure]:
    """Means of the test digits; and what the grid on [-5, 5] decodes to, every nth code of it."""
    plane = draw_means(arrays, NAMES)
    steps = int(arrays["steps"])
    nth = -(-steps // SHOWN)
    grids, axes = panels(len(NAMES), 3, 2.0)
    for place, name in zip(axes, NAMES, strict=True):
        pictures = arrays[f"{name}/grid"][..., 0]
        pictures = pictures.reshape(steps, steps, *pictures.shape[1:])[::nth, ::nth]
        show_mosaic(place, pictures.reshape(-1, *pictures.shape[2:]), pictures.shape[1], (0, 1))
        place.set_title(name)
    return {"plane": plane, "grids": grids}


def _sharper(m: Measures, names: Mapping[str, str]) -> bool:
    sharp = {family: m[f"{name}/sharpness"] for family, name in names.items()}
    return sharp["normal"] >= 0.98 * sharp["laplace"] and sharp["laplace"] >= sharp["cauchy"]


def _readable(m: Measures, names: Mapping[str, str]) -> bool:
    others = [m[f"{names[family]}/confidence"] for family in ("normal", "laplace")]
    return m["cauchy/confidence"] > max(others) and m["cauchy/digits"] >= 8


def _separated(m: Measures, names: Mapping[str, str]) -> bool:
    normal, laplace = names["normal"], names["laplace"]
    return (
        m[f"{laplace}/knn"] > m[f"{normal}/knn"]
        and m[f"{laplace}/silhouette"] > m[f"{normal}/silhouette"]
    )


def _worse(m: Measures, names: Mapping[str, str]) -> bool:
    return m["cauchy/knn"] < min(m[f"{names[f]}/knn"] for f in ("normal", "laplace"))


_RATE = 2e-4
_EQUAL_TYPES = {"precision": "mixed_bfloat16"}  # see tests/experiments/test_number_types.py
EXPERIMENTS = (
    Experiment(
        id="SV-MN",
        paper="sparse_vae",
        title="MNIST with 10 latents",
        run=run,
        draw=draw,
        claims=(
            Claim(
                "Reconstructions are less sharp with Cauchy: Normal >= Laplace >= Cauchy",
                lambda m: _sharper(m, EQUAL),
                ("inputs/sharpness", *(f"{n}/sharpness" for n in NAMES)),
                "",
                lambda m: _sharper(m, PUBLISHED),
            ),
            Claim(
                "The Cauchy latents are the most readable, about one digit class each",
                lambda m: _readable(m, EQUAL),
                tuple(f"{n}/{what}" for n in NAMES for what in ("confidence", "digits")),
                "",
                lambda m: _readable(m, PUBLISHED),
            ),
        ),
        quick={"epochs": 2, "examples": 20_000, "learning_rate": 1e-3, "warm_up": 1},
        full={"epochs": 100, "examples": 60_000, "learning_rate": _RATE, "warm_up": 5},
        equal=_EQUAL_TYPES,
    ),
    Experiment(
        id="SV-2D",
        paper="sparse_vae",
        title="MNIST with 2 latents",
        run=run_plane,
        draw=draw_plane,
        claims=(
            Claim(
                "Laplace separates the digits better than Normal",
                lambda m: _separated(m, EQUAL),
                tuple(f"{n}/{w}" for n in NAMES for w in ("knn", "silhouette")),
                "",
                lambda m: _separated(m, PUBLISHED),
            ),
            Claim(
                "Cauchy separates them worst",
                lambda m: _worse(m, EQUAL),
                tuple(f"{n}/knn" for n in NAMES),
                "",
                lambda m: _worse(m, PUBLISHED),
            ),
            Claim(
                "Cauchy uses one of the two latents",
                lambda m: m["cauchy/ratio"] < 0.05,
                tuple(f"{n}/ratio" for n in NAMES),
            ),
        ),
        quick={"epochs": 2, "examples": 20_000, "learning_rate": 1e-3, "warm_up": 1, "steps": 10},
        full={"epochs": 75, "examples": 60_000, "learning_rate": _RATE, "warm_up": 5, "steps": 40},
        equal=_EQUAL_TYPES,
    ),
)
