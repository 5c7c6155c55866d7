"""U2G-F2 and U2G-F3: the unit square to a Gaussian and back (Idler, figures 2 and 3)."""

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
from zoo.experiments.experiment import Claim, Experiment, Measures, Outcome, Sources, rising
from zoo.experiments.training import falling, train
from zoo.visualization.style import PALETTE, panels, styled

POINTS = 10_000
BATCH = 128
SHOWN = 1500


def fitted(
    seed: int, latents: int, beta: float, decay: float, epochs: int, learning_rate: float
) -> tuple[Autoencoder, Any]:
    """A trained model and new points of the square."""
    data = zoo.data.load("uniform_square", seed=seed, n=POINTS)
    model = zoo.create(
        "uniform_to_gaussian_vae",
        (2,),
        latents=latents,
        beta=beta,
        weight_decay=decay,
        seed=seed,
    )
    train(model, data.inputs, epochs=epochs, batch_size=BATCH, learning_rate=learning_rate)
    return model, zoo.data.load("uniform_square", "test", seed=seed, n=2000)


def fitted_line(
    x: np.ndarray, seed: int, beta: float, before: Autoencoder | None, epochs: int, rate: float
) -> Autoencoder:
    """A model of one latent, trained anew and on from that of the beta before: the one of lower loss.

    Where a line runs through a square is decided early and never unlearnt. At the minimum of the loss the
    error cannot grow as beta falls; what is reached from one random start can be far from it. Training on
    has a tenth of the rate, which keeps the line.
    """

    def train_from(start: Autoencoder | None) -> tuple[float, Autoencoder]:
        model = zoo.create("uniform_to_gaussian_vae", (2,), latents=1, beta=beta, seed=seed)
        first = rate
        if start is not None:
            model.set_weights(start.get_weights())
            first = rate / 10
        schedule = falling(first, epochs, len(x), BATCH)
        history = train(model, x, epochs=epochs, batch_size=BATCH, learning_rate=schedule)
        return history["loss"][-1], model

    starts = [None] if before is None else [None, before]
    return min(map(train_from, starts), key=lambda pair: pair[0])[1]


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
    for row, decay in enumerate(decays):
        for column, beta in enumerate(betas):
            model, test = fitted(seed, 2, beta, decay, epochs, learning_rate)
            x, codes = test.inputs, model.encode(test.inputs)
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
                    cross_val_score(KNeighborsClassifier(5), codes, test.labels, cv=5).mean()
                ),
            }
            arrays[f"{name}/code"] = z[:SHOWN]
            arrays[f"{name}/output"] = output[:SHOWN]
    arrays["labels"] = test.labels[:SHOWN]
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


def run_line(
    seed: int, sources: Sources, *, epochs: int, betas: list[float], learning_rate: float
) -> Outcome:
    """One latent, falling beta; see `fitted_line` for where the training starts.

    Args:
        seed: of points and model.
        sources: unused.
        epochs: passes over 10,000 points, batch 128.
        betas: weights of the KL term, falling.
        learning_rate: of Adam at first; it falls to 0.

    Returns:
        For the i-th beta ``<i>/mse``, and ``<i>/length`` of the decoded curve over the codes of the
        test points.
    """
    del sources
    measures: dict[str, float] = {}
    arrays: dict[str, Any] = {"betas": np.array(betas)}
    x = zoo.data.load("uniform_square", seed=seed, n=POINTS).inputs
    test = zoo.data.load("uniform_square", "test", seed=seed, n=2000)
    model = None
    for index, beta in enumerate(betas):
        model = fitted_line(x, seed, beta, model, epochs, learning_rate)
        codes = model.encode(test.inputs)
        low, high = np.quantile(codes, [0.005, 0.995])
        curve = model.decode(np.linspace(low, high, 2000)[:, None])
        output = model.reconstruct(test.inputs)
        measures[f"{index}/mse"] = float(((output - test.inputs) ** 2).mean())
        measures[f"{index}/length"] = float(np.linalg.norm(np.diff(curve, axis=0), axis=1).sum())
        arrays[f"{index}/curve"] = curve
        arrays[f"{index}/code"] = draws(model, test.inputs, seed)[:SHOWN]
    arrays["labels"] = test.labels[:SHOWN]
    return Outcome(measures, arrays)


@styled
def draw_line(arrays: Mapping[str, Any]) -> dict[str, Figure]:
    """Codes with jitter above, the decoded curve below."""
    betas, labels = arrays["betas"], arrays["labels"]
    figure, axes = panels(2 * len(betas), len(betas), 1.7)
    jitter = np.random.default_rng(0).uniform(-1, 1, len(labels))
    for index, beta in enumerate(betas):
        above, below = axes[index], axes[len(betas) + index]
        points = np.stack([arrays[f"{index}/code"][:, 0], jitter], axis=-1)
        above.scatter(*points.T, s=2, c=[PALETTE[label] for label in labels], linewidths=0)
        above.set(title=f"β = {beta:g}", yticks=[], xlabel="z")
        curve = arrays[f"{index}/curve"]
        below.plot(*curve.T, linewidth=1)
        # Its ends, so that a curve of one point is seen too.
        below.plot(*curve[[0, -1]].T, "o", color=PALETTE[0], markersize=3)
        below.set(xlim=(-0.1, 1.1), ylim=(-0.1, 1.1), aspect="equal")
    return {"line": figure}


def _steps(name: str, count: int) -> tuple[str, ...]:
    return tuple(f"{index}/{name}" for index in range(count))


def _over_line(m: Measures, name: str) -> list[float]:
    return [m[key] for key in sorted(m) if key.endswith(f"/{name}")]


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
    Experiment(
        id="U2G-F3",
        paper="uniform_to_gaussian_vae",
        title="Uniform to Gaussian with one latent",
        run=run_line,
        draw=draw_line,
        claims=(
            Claim(
                "A small beta draws a snake through the square: the error falls as beta falls",
                lambda m: rising(_over_line(m, "mse")[::-1]),
                _steps("mse", 4),
            ),
            Claim(
                "The path grows longer as beta falls",
                lambda m: rising(_over_line(m, "length")),
                _steps("length", 4),
            ),
            Claim(
                "A large beta collapses: the output is one point",
                lambda m: m["0/length"] < 0.05 and abs(m["0/mse"] - 1 / 12) < 0.003,
                ("0/length", "0/mse"),
                "linear theory: collapse for beta >= 1/6",
            ),
        ),
        quick={"epochs": 40, "betas": [0.2, 0.03, 0.003, 0.0003], "learning_rate": 1e-2},
        full={"epochs": 300, "betas": [0.2, 0.03, 0.003, 0.0003], "learning_rate": 1e-2},
    ),
)
