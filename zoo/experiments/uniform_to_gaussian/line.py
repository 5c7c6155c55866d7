"""U2G-F3: the unit square on one latent (Idler, figure 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import zoo
from zoo.autoencoder import Autoencoder
from zoo.experiments.experiment import Claim, Experiment, Measures, Outcome, Sources, rising
from zoo.experiments.training import falling, labels_of, train
from zoo.experiments.uniform_to_gaussian.square import BATCH, SHOWN, draws, square_points
from zoo.visualization.drawing.style import PALETTE, panels, styled


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
    x, test = square_points(seed)
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
    arrays["labels"] = labels_of(test)[:SHOWN]
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
