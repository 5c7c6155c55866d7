"""U2G-F2: the unit square to a Gaussian and back (Idler, figure 2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats
from scipy.stats import qmc

import zoo
from zoo.autoencoder import Autoencoder
from zoo.data import Data
from zoo.experiments.experiment import Claim, Experiment, Outcome, Sources
from zoo.experiments.training import labels_of, train
from zoo.visualization.drawing.style import PALETTE, panels, styled

POINTS = 10_000
BATCH = 128
SHOWN = 1500


def square_points(seed: int) -> tuple[np.ndarray, Data]:
    """Points of the square to train on, and new ones with their quadrants."""
    train_part = zoo.data.load("uniform_square", seed=seed, n=POINTS)
    return train_part.inputs, zoo.data.load("uniform_square", "test", seed=seed, n=2000)


def fitted(
    x: np.ndarray, seed: int, beta: float, decay: float, epochs: int, rate: float
) -> Autoencoder:
    """A trained model of two latents."""
    model = zoo.create(
        "uniform_to_gaussian_vae", (2,), latents=2, beta=beta, weight_decay=decay, seed=seed
    )
    train(model, x, epochs=epochs, batch_size=BATCH, learning_rate=rate)
    return model


def draws(model: Autoencoder, x: np.ndarray, seed: int) -> np.ndarray:
    """One draw of q(z|x) for each row, (n, units)."""
    posterior = model.posterior(x)
    noise = np.random.default_rng(seed).standard_normal((len(x), model.units))
    return np.asarray(posterior.mean()) + np.asarray(posterior.stddev()) * noise


def not_normal(z: np.ndarray) -> float:
    """Largest Kolmogorov-Smirnov distance from N(0, 1) of the projections on 16 directions.

    The marginals alone would tell a square from the same square turned by half a right angle.
    """
    angles = np.arange(16) * np.pi / 16
    projections = z @ np.stack([np.cos(angles), np.sin(angles)])
    return float(max(stats.kstest(column, "norm").statistic for column in projections.T))


def run_square(
    seed: int,
    sources: Sources,
    *,
    epochs: int,
    betas: list[float],
    decays: list[float],
    learning_rate: float,
) -> Outcome:
    """Two latents, every beta with every lambda.

    Args:
        seed: of points and model.
        sources: unused.
        epochs: passes over 10,000 points, batch 128; the report gives neither.
        betas: two weights of the KL term, the second ten times the first.
        decays: lambdas, rising from 0. On this scale (squared error summed over the coordinates and
            averaged over the examples, lambda times the sum of all squared weights) the report's .25 is
            not reached; its scale is not given.
        learning_rate: of Adam.

    Returns:
        For each ``<beta>-<lambda>``, by their numbers: ``mse``; ``not_normal`` (see there) of draws of the
        code; ``not_uniform`` (centred L2 discrepancy of the output); ``lowest`` and
        ``highest`` value that both coordinates of the output reach; ``trustworthiness`` of the code; and
        ``quadrants`` (5-NN accuracy of the quadrant).
    """
    from sklearn.manifold import trustworthiness
    from sklearn.model_selection import cross_val_score
    from sklearn.neighbors import KNeighborsClassifier

    del sources
    measures: dict[str, float] = {}
    arrays: dict[str, Any] = {}
    known, test = square_points(seed)
    x = test.inputs
    for row, decay in enumerate(decays):
        for column, beta in enumerate(betas):
            model = fitted(known, seed, beta, decay, epochs, learning_rate)
            codes = model.encode(x)
            z = draws(model, x, seed)
            output = model.reconstruct(x)
            name = f"{column}-{row}"
            measures |= {
                f"{name}/mse": float(((output - x) ** 2).mean()),
                f"{name}/not_normal": not_normal(z),
                f"{name}/not_uniform": float(qmc.discrepancy(np.clip(output, 0, 1), method="CD")),
                f"{name}/lowest": float(output.min(axis=0).max()),
                f"{name}/highest": float(output.max(axis=0).min()),
                f"{name}/trustworthiness": float(trustworthiness(x, codes, n_neighbors=12)),
                f"{name}/quadrants": float(
                    cross_val_score(KNeighborsClassifier(5), codes, labels_of(test), cv=5).mean()
                ),
            }
            arrays[f"{name}/code"] = z[:SHOWN]
            arrays[f"{name}/output"] = output[:SHOWN]
    arrays["labels"] = labels_of(test)[:SHOWN]
    arrays["betas"], arrays["decays"] = np.array(betas), np.array(decays)
    return Outcome(measures, arrays)


def _points(place: Axes, points: np.ndarray, labels: np.ndarray, title: str) -> None:
    place.scatter(*points.T, s=2, c=[PALETTE[label] for label in labels], linewidths=0)
    place.set_title(title, fontsize=8)
    place.set(aspect="equal")


@styled
def draw_square(arrays: Mapping[str, Any]) -> dict[str, Figure]:
    """Draws of the code beside the output, coloured by the input's quadrant."""
    betas, decays = arrays["betas"], arrays["decays"]
    figure, axes = panels(4 * len(decays), 4, 1.9)
    places = iter(axes)
    for row, decay in enumerate(decays):
        for column, beta in enumerate(betas):
            title = f"β {beta:g}, λ {decay:g}"
            code, output = arrays[f"{column}-{row}/code"], arrays[f"{column}-{row}/output"]
            _points(next(places), code, arrays["labels"], f"z: {title}")
            place = next(places)
            _points(place, output, arrays["labels"], f"x̂: {title}")
            place.set(xlim=(-0.1, 1.1), ylim=(-0.1, 1.1))
    return {"square": figure}


EXPERIMENTS = (
    Experiment(
        id="U2G-F2",
        paper="uniform_to_gaussian_vae",
        title="Uniform to Gaussian with two latents",
        run=run_square,
        draw=draw_square,
        claims=(
            Claim(
                "With the small beta the code lies between uniform and Gaussian and the output stays uniform",
                lambda m: 0.01 < m["0-0/not_normal"] < 0.2 and m["0-0/mse"] < 0.002,
                ("0-0/not_normal", "0-0/mse", "0-0/not_uniform"),
            ),
            Claim(
                "Ten times beta: the output loses values near 0 and 1",
                lambda m: (
                    m["1-0/lowest"] > m["0-0/lowest"] + 0.05
                    and m["1-0/highest"] < m["0-0/highest"] - 0.05
                ),
                ("0-0/lowest", "1-0/lowest", "0-0/highest", "1-0/highest"),
            ),
            Claim(
                "Ten times beta: the code is nearer to a Gaussian",
                lambda m: m["1-0/not_normal"] < m["0-0/not_normal"],
                ("0-0/not_normal", "1-0/not_normal"),
            ),
            Claim(
                "The largest lambda costs output values near 0",
                lambda m: m["0-3/lowest"] > m["0-0/lowest"] + 0.05,
                ("0-0/lowest", "0-3/lowest"),
            ),
            Claim(
                "With the large beta, lambda breaks reconstruction: quadrants become bands or vanish",
                lambda m: (
                    m["1-2/mse"] > 2 * m["1-0/mse"]
                    and m["1-2/quadrants"] < m["1-0/quadrants"] - 0.1
                ),
                ("1-0/mse", "1-2/mse", "1-0/quadrants", "1-2/quadrants"),
            ),
            Claim(
                "Points that are close stay close in the code",
                lambda m: m["0-0/trustworthiness"] > 0.95,
                ("0-0/trustworthiness",),
            ),
        ),
        quick={
            "epochs": 25,
            "betas": [0.005, 0.05],
            "decays": [0.0, 0.0005, 0.001, 0.004],
            "learning_rate": 3e-3,
        },
        full={
            "epochs": 75,
            "betas": [0.005, 0.05],
            "decays": [0.0, 0.0005, 0.001, 0.004],
            "learning_rate": 2e-3,
        },
    ),
)
