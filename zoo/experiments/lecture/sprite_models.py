"""The models that OX-BV compares, on sprites of one size: how each is built, trained and read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import keras
import numpy as np

import zoo
from zoo.autoencoder import Autoencoder
from zoo.data import sprite_scenes, sprites
from zoo.experiments.training import QUIET, Pulse, train
from zoo.trainer import Adam

LATENTS, BATCH = 10, 128
# Units of DC-IGN for each factor.
SIZES = (6, 1, 1, 1, 1)
# InfoGAN's codes and noise.
STYLES, NOISE = 5, 5


class Pictures(NamedTuple):
    """Sprites of one size.

    Attributes:
        size: pixels along a side, 64 or a divisor of it.
    """

    size: int

    def of(self, pictures: np.ndarray) -> np.ndarray:
        """Sprites of 64 x 64, (n, 64, 64, 1) uint8, in this size: the mean of the pixels that make one."""
        if self.size == sprites.SIZE:
            return pictures
        step = sprites.SIZE // self.size
        parted = pictures.reshape(-1, self.size, step, self.size, step, 1)
        return np.rint(parted.mean(axis=(2, 4))).astype(np.uint8)

    def render(self, indices: np.ndarray) -> np.ndarray:
        """Sprites by their index, (n, size, size, 1) uint8."""
        parts = np.array_split(indices, 1 + len(indices) // 4096)
        return np.concatenate([self.of(sprites.render(part)) for part in parts])

    def scenes(self, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Batches in which one factor varies, without end."""
        return ((self.of(x), factor) for x, factor in sprite_scenes(BATCH, seed=seed))


class Training(NamedTuple):
    """What a model is trained on, and how long.

    Attributes:
        x: random sprites, (rows, size, size, 1) uint8.
        pictures: their size.
        seed: of scenes that are drawn in place of x.
        epochs: passes over them, or as many batches of scenes.
        learning_rate: of the optimizer.
        optimizer: "adam", or the name of another one of Keras.
    """

    x: np.ndarray
    pictures: Pictures
    seed: int
    epochs: int
    learning_rate: float
    optimizer: str


class Compared:
    """A model of the table; this one is trained on random sprites with the settings of the run."""

    span = 3  # how far a traversal goes from 0: standard deviations of the prior
    reconstructs = True  # whether the loss has a reconstruction term on held-out sprites
    sizes: tuple[int, ...] | None = None  # units for each factor, where the model is told them

    def __init__(self, model: str, **options: Any):
        self.model, self.options = model, options

    def build(self, seed: int, hidden: tuple[int, ...], size: int) -> Autoencoder:
        """The model, on sprites of a size."""
        options = {"latents": LATENTS, "hidden": hidden, **self.options}
        return zoo.create(self.model, (size, size, 1), seed=seed, **options)

    def train(self, model: Autoencoder, given: Training) -> None:
        """Train it in the way of its source."""
        self._fit(model, given, given.optimizer)

    def units(self, codes: np.ndarray) -> np.ndarray:
        """The units that are scored and shown, of codes (n, units)."""
        return codes

    def beside(self, rows: int) -> np.ndarray | None:
        """What an evaluation takes beside sprites."""
        del rows
        return None

    def with_units(self, code: np.ndarray, units: np.ndarray) -> np.ndarray:
        """Codes (n, ...) with other values of the units that are shown, and the rest of `code` (1, ...)."""
        del code
        return units

    @staticmethod
    def _fit(
        model: Autoencoder, given: Training, optimizer: str | keras.optimizers.Optimizer
    ) -> None:
        passes: dict[str, Any] = {"epochs": given.epochs, "batch_size": BATCH}
        train(model, given.x, learning_rate=given.learning_rate, optimizer=optimizer, **passes)


class _OfTheTable(Compared):
    """A model with networks of its own, those of the paper's table."""

    def build(self, seed: int, hidden: tuple[int, ...], size: int) -> Autoencoder:
        del hidden
        return zoo.create(self.model, (size, size, 1), seed=seed, **self.options)


class _DCIGN(_OfTheTable):
    """DC-IGN, trained by clamping on scenes: it is told which factor varies."""

    sizes = SIZES

    def train(self, model: Autoencoder, given: Training) -> None:
        """With the rmsprop of its paper, section 4, on as many sprites as the others see."""
        model.compile(keras.optimizers.RMSprop(5e-4))
        scenes, steps = given.pictures.scenes(given.seed), len(given.x) // BATCH
        passes: dict[str, Any] = {"epochs": given.epochs, "steps_per_epoch": steps}
        model.fit(scenes, verbose=QUIET, callbacks=[Pulse()], **passes)

    def beside(self, rows: int) -> np.ndarray:
        return np.full(rows, -1)  # no factor is clamped


class _InfoGAN(_OfTheTable):
    """InfoGAN; its noise is neither scored nor shown."""

    span = 1  # the end of a uniform prior
    reconstructs = False

    def train(self, model: Autoencoder, given: Training) -> None:
        """With Adam's first beta at .5, as GANs are."""
        self._fit(model, given, Adam(1e-3, beta_1=0.5))

    def units(self, codes: np.ndarray) -> np.ndarray:
        return codes[:, 1 : 1 + STYLES]

    def with_units(self, code: np.ndarray, units: np.ndarray) -> np.ndarray:
        codes = np.repeat(code, len(units), axis=0)
        codes[:, 1 : 1 + STYLES], codes[:, 1 + STYLES :] = units, 0
        return codes


# Name in the table -> the model.
MODELS: Mapping[str, Compared] = {
    "beta_vae_1": Compared("beta_vae", beta=1.0),
    "beta_vae_4": Compared("beta_vae", beta=4.0),
    "beta_vae_8": Compared("beta_vae", beta=8.0),
    "factor_vae": Compared("factor_vae", gamma=10.0),
    "beta_tc_vae": Compared("beta_tc_vae", beta=6.0),
    "dip_vae_i": Compared("dip_vae", variant="i", lambda_od=10.0),
    "dip_vae_ii": Compared("dip_vae", variant="ii", lambda_od=10.0),
    "info_vae": Compared("info_vae", alpha=0.0, lam=1000.0),
    "laplace_vae": Compared("laplace_vae", activation="relu"),
    "cauchy_vae": Compared("cauchy_vae", activation="relu"),
    "dc_ign": _DCIGN("dc_ign", sizes=SIZES),
    "info_gan": _InfoGAN(
        "info_gan", networks="info_gan", shared=True, classes=1, styles=STYLES, noise_units=NOISE
    ),
}
# The four of Figure 7, in its order; the rest are those of OX-BV.
OF_FIGURE_7 = ("beta_vae_4", "beta_vae_1", "dc_ign", "info_gan")
OF_THE_RUN = tuple(name for name in MODELS if name not in ("dc_ign", "info_gan"))
