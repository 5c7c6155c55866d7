"""OX-LIN: the linear autoencoder finds the principal subspace (lecture, slides 3 and 4)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from matplotlib.figure import Figure
from scipy.linalg import subspace_angles

import zoo
from zoo.data import load
from zoo.experiments.experiment import Claim, Experiment, Outcome, Sources
from zoo.experiments.training import train
from zoo.recipes import LinearSchedule
from zoo.visualization.drawing.mosaics import show_mosaic
from zoo.visualization.drawing.style import panels, styled

RANKS = (2, 5, 10)
_BATCH = 159  # nine steps for an epoch


def run(seed: int, sources: Sources, *, epochs: int) -> Outcome:
    """Train linear autoencoders on centred 8x8 digits, and compare with the singular value decomposition.

    Args:
        seed: of the weights.
        sources: unused: the digits come with scikit-learn.
        epochs: passes over the 1,437 digits, nine steps each; Adam's rate falls from .01 to 0.

    Returns:
        For each ``rank-<r>``: ``degrees``, the largest principal angle between the span of Theta's columns
        and that of the r leading principal directions, and ``excess``, the loss over the smallest loss
        possible, less 1.
    """
    del sources
    x = load("digits", "train").inputs.reshape(-1, 64)
    x = x - x.mean(axis=0)
    _, singular, directions = np.linalg.svd(x.astype(np.float64), full_matrices=False)
    measures: dict[str, float] = {}
    arrays: dict[str, Any] = {"directions": directions[: max(RANKS)]}
    for rank in RANKS:
        keras.utils.set_random_seed(seed)
        model = zoo.create("linear_autoencoder", (64,), latents=rank, seed=seed)
        rate = LinearSchedule(0.01, 0.0, epochs * (len(x) // _BATCH))
        train(model, x, epochs=epochs, batch_size=_BATCH, learning_rate=rate)
        columns = model.decode(np.eye(rank)) - model.decode(np.zeros((1, rank)))
        angles = subspace_angles(columns.T.astype(np.float64), directions[:rank].T)
        smallest = np.sum(singular[rank:] ** 2) / len(x)
        loss = np.mean(np.sum((x - model.reconstruct(x)) ** 2, axis=1, dtype=np.float64))
        measures[f"rank-{rank}/degrees"] = math.degrees(angles.max())
        measures[f"rank-{rank}/excess"] = float(loss / smallest - 1)
        arrays[f"columns-{rank}"] = columns
    return Outcome(measures, arrays)


@styled
def draw(arrays: Mapping[str, Any]) -> dict[str, Figure]:
    """The principal directions, and the columns of Theta: one span, other vectors in it."""
    rows = {"principal directions": arrays["directions"]}
    rows |= {f"columns of Theta, rank {rank}": arrays[f"columns-{rank}"] for rank in RANKS}
    figure, axes = panels(len(rows), 1, 0.75)
    for place, (title, vectors) in zip(axes, rows.items(), strict=True):
        vectors = vectors / np.abs(vectors).max(axis=1, keepdims=True)
        show_mosaic(place, vectors.reshape(-1, 8, 8), 10, (-1, 1))
        place.set_title(title)
    return {"directions": figure}


EXPERIMENTS = (
    Experiment(
        id="OX-LIN",
        paper="autoencoders_lecture",
        title="The linear autoencoder is principal component analysis",
        run=run,
        draw=draw,
        claims=(
            Claim(
                "Theta spans the leading principal directions: no principal angle above 1 degree",
                lambda m: all(m[f"rank-{rank}/degrees"] < 1 for rank in RANKS),
                tuple(f"rank-{rank}/degrees" for rank in RANKS),
            ),
            Claim(
                "The loss is that of principal component analysis, to .1 %",
                lambda m: all(m[f"rank-{rank}/excess"] < 1e-3 for rank in RANKS),
                tuple(f"rank-{rank}/excess" for rank in RANKS),
            ),
        ),
        quick={"epochs": 100},
        full={"epochs": 1000},
    ),
)
