"""The work that every contender does."""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import numpy as np


class Workload(NamedTuple):
    """One training task.

    Attributes:
        name: as in the table.
        model: "vae", "laplace", "k_sparse", "info_ae" or the name of a dictionary's model.
        event: shape of one example.
        hidden: units of the MLP, or filters of the convolutions.
        latents: dimensions of the code.
        batch: rows of a batch.
        rows: rows of one round.
        conv: whether `hidden` are filters.
        likelihood: "bernoulli" or "squared_error".
        estimator: of the KL term.
        epochs: passes over the rows in one round.
        encodes: whether the rows are encoded by an exported model, call by call, and not trained on.
    """

    name: str
    model: str
    event: tuple[int, ...]
    hidden: tuple[int, ...]
    latents: int
    batch: int
    rows: int
    conv: bool = False
    likelihood: str = "bernoulli"
    estimator: str = "analytic"
    epochs: int = 1
    encodes: bool = False

    @property
    def is_dictionary(self) -> bool:
        """Whether it is a sparse dictionary of `ATOMS` active atoms."""
        return self.model.endswith("_sae")

    @property
    def dense(self) -> bool:
        """Whether `flops` holds."""
        return (
            not (self.is_dictionary or self.conv or self.encodes or self.model == "info_ae")
            and self.size > 16
        )

    @property
    def size(self) -> int:
        """Numbers of one example."""
        return math.prod(self.event)

    def data(self) -> np.ndarray:
        """(rows, *event) float32 on [0, 1], for a dictionary sums of a few of twice as many directions."""
        if self.is_dictionary:
            return _activations(self.rows, self.size)
        return np.random.default_rng(0).uniform(size=(self.rows, *self.event)).astype("float32")

    @property
    def flops(self) -> float:
        """Multiplications and additions of one example's training step in dense layers."""
        heads = 1 if self.model == "k_sparse" else 2
        down = [self.size, *self.hidden, self.latents * heads]
        up = [self.latents, *reversed(self.hidden), self.size]
        products = sum(a * b for sizes in (down, up) for a, b in itertools.pairwise(sizes))
        # Forward, and backward for weights and for inputs; the first layer's inputs need none.
        return 2 * (3 * products - down[0] * down[1])


PICTURE = (28, 28, 1)
WORKLOADS = {
    w.name: w
    for w in (
        Workload("W1", "vae", (2,), (30, 30), 2, 128, 60_000, likelihood="squared_error", epochs=5),
        Workload("W2", "vae", PICTURE, (400, 400), 20, 128, 12_800, epochs=3),
        Workload("W2-1000", "vae", PICTURE, (400, 400), 20, 1000, 20_000, epochs=2),
        Workload(
            "W3", "k_sparse", PICTURE, (), 1000, 128, 12_800, epochs=3, likelihood="squared_error"
        ),
        Workload("W4", "vae", PICTURE, (32, 64, 128), 20, 128, 5_120, conv=True),
        Workload("W5", "laplace", PICTURE, (400, 400), 20, 128, 12_800, epochs=3),
        Workload(
            "W5-sampled",
            "laplace",
            PICTURE,
            (400, 400),
            20,
            128,
            12_800,
            epochs=3,
            estimator="sampled",
        ),
        Workload("W6", "info_ae", PICTURE, (), 64, 128, 2_560),
        Workload("W7-1", "vae", PICTURE, (400, 400), 20, 1, 500, encodes=True),
        Workload("W7-1000", "vae", PICTURE, (400, 400), 20, 1000, 50_000, encodes=True),
        *(
            Workload(name, model, (384,), (), 3072, 1024, 16_384, likelihood="squared_error")
            for name, model in (
                ("W8", "top_k_sae"),
                ("W8-batch", "batch_top_k_sae"),
                ("W8-jump", "jump_relu_sae"),
            )
        ),
    )
}
K = 25
ATOMS = 32


def _activations(rows: int, size: int) -> np.ndarray:
    random = np.random.default_rng(0)
    directions = random.normal(size=(2 * size, size))
    chosen = random.random((rows, 2 * size)) < ATOMS / (2 * size)
    codes = np.where(chosen, random.exponential(size=chosen.shape), 0)
    noise = 0.1 * random.normal(size=(rows, size))
    return (codes @ directions / size**0.5 + noise).astype("float32")
