"""GEN-MISS: how well gaps in digits are filled in, beside the mean and principal components."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import zoo
from zoo.evaluation import imputation
from zoo.experiments.experiment import Claim, Experiment, Outcome, Sources
from zoo.experiments.training import BATCH, falling, mnist, train, unit
from zoo.recipes import WarmUp
from zoo.visualization.drawing.mosaics import show_mosaic
from zoo.visualization.drawing.style import panels, styled

MODELS = ("autoencoder", "vae")
GAPS = ("half", "most", "square")
SHARES = {"half": 0.5, "most": 0.8}
SIDE = 14  # of a missing square
COMPONENTS = (5, 10, 20, 40, 80)
WHOLE = 20_000  # digits that the components are of, at most
CHOOSING = 500  # training rows that are filled in to choose among them
SHOWN = 10


def missing(kind: str, rows: int, seed: int) -> np.ndarray:
    """Which pixels are hidden, (rows, 28, 28, 1) bool: half or most at random, or a square anywhere."""
    rng = np.random.default_rng([seed, GAPS.index(kind)])
    if kind in SHARES:
        return rng.random((rows, 28, 28, 1)) < SHARES[kind]
    first = rng.integers(0, 28 - SIDE + 1, (2, rows, 1))
    down, across = ((np.arange(28) >= f) & (np.arange(28) < f + SIDE) for f in first)
    return (down[:, :, None] & across[:, None, :])[..., None]


def run(
    seed: int,
    sources: Sources,
    *,
    examples: int,
    judged: int,
    epochs: int,
    latents: int,
    hidden: int,
) -> Outcome:
    """Train on digits with gaps, and fill in those of the test digits.

    The models see no whole digit. The mean and the components are those of the whole training digits, which
    favours them; how many components is chosen on training digits. With few pixels observed the
    code is not worth its KL at first: the weight of the KL rises to 1 over the first third of the steps.

    Args:
        seed: of the models and the gaps.
        sources: of MNIST.
        examples: of the training set.
        judged: test digits.
        epochs: passes over the training set.
        latents: dimensions of the code.
        hidden: units of each of two hidden layers.

    Returns:
        For each kind of gap and each way the root mean squared error over the missing pixels; and the
        number of components.
    """
    x = unit(mnist("train", sources, examples))
    fresh = unit(mnist("test", sources, judged))
    measures: dict[str, float] = {}
    arrays: dict[str, Any] = {"whole": fresh[:SHOWN]}
    for kind in GAPS:
        gaps, holes = missing(kind, len(x), seed), missing(kind, len(fresh), seed + 1000)
        seen, given = np.where(gaps, np.nan, x), np.where(holes, np.nan, fresh)
        filled = {}
        for name in MODELS:
            shared: dict[str, Any] = {"latents": latents, "hidden": (hidden, hidden)}
            if name == "vae":
                shared["beta"] = WarmUp(1.0, epochs * len(x) // BATCH // 3)
            model = zoo.create(name, (28, 28, 1), mask="nan", seed=seed, **shared)
            train(model, seen, epochs=epochs, learning_rate=falling(1e-3, epochs, len(x)))
            filled[name] = np.where(holes, model.reconstruct(given), fresh)
        count = chosen_components(x, gaps)
        train_rows, rows = (part.reshape(len(part), -1) for part in (x[:WHOLE], given))
        filled["pca"] = imputation.by_components(rows, train_rows, count).reshape(fresh.shape)
        filled["mean"] = np.broadcast_to(x.mean(axis=0), fresh.shape)
        for name, pictures in filled.items():
            errors = (pictures - fresh)[holes]
            measures[f"{kind}/{name}"] = float(np.sqrt(np.square(errors).mean()))
        measures[f"{kind}/components"] = float(count)
        arrays[f"{kind}/given"] = np.where(holes[:SHOWN], 0.5, fresh[:SHOWN])
        arrays |= {f"{kind}/{name}": pictures[:SHOWN] for name, pictures in filled.items()}
    return Outcome(measures, arrays)


def chosen_components(x: np.ndarray, gaps: np.ndarray) -> int:
    """The number of components that fill in some training rows best, given others."""
    count = min(CHOOSING, len(x) // 10)
    held, rest = x[:count], x[count : 10 * CHOOSING]
    errors = {
        components: imputation.scores(held, gaps[:count], held, rest, components=components)[
            "imputation_error_pca"
        ]
        for components in COMPONENTS
    }
    return min(errors, key=lambda components: errors[components])


@styled
def draw(arrays: Mapping[str, Any]) -> dict[str, Figure]:
    """Test digits with gaps, in grey, and what each fills in; the whole digits below."""
    ways = ("given", "pca", *MODELS)
    figure, axes = panels(len(GAPS) * (len(ways) + 1), len(ways) + 1, 0.8)
    places = iter(axes)
    for kind in GAPS:
        for way in ways:
            place = next(places)
            show_mosaic(place, arrays[f"{kind}/{way}"][..., 0], 5, (0, 1))
            place.set_title(f"{kind}, {way}")
        place = next(places)
        show_mosaic(place, arrays["whole"][..., 0], 5, (0, 1))
        place.set_title("whole")
    return {"filled": figure}


def _beside(way: str) -> tuple[str, ...]:
    return tuple(f"{kind}/{name}" for kind in GAPS for name in ("vae", way))


EXPERIMENTS = (
    Experiment(
        id="GEN-MISS",
        paper="generative",
        title="Missing pixels of digits",
        run=run,
        draw=draw,
        claims=(
            Claim(
                "The VAE fills in every kind of gap better than the mean",
                lambda m: all(m[f"{kind}/vae"] < m[f"{kind}/mean"] for kind in GAPS),
                _beside("mean"),
            ),
            Claim(
                "It fills in every kind better than principal components of whole digits",
                lambda m: all(m[f"{kind}/vae"] < m[f"{kind}/pca"] for kind in GAPS),
                _beside("pca"),
            ),
            Claim(
                "It fills in every kind better than an autoencoder that is trained alike",
                lambda m: all(m[f"{kind}/vae"] < m[f"{kind}/autoencoder"] for kind in GAPS),
                _beside("autoencoder"),
            ),
        ),
        quick={"examples": 5000, "judged": 200, "epochs": 20, "latents": 20, "hidden": 200},
        full={"examples": 60_000, "judged": 10_000, "epochs": 50, "latents": 20, "hidden": 500},
    ),
)
