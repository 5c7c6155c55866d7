"""A model that is built and trained once, for all checks of it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from zoo.autoencoder import Autoencoder
from zoo.runs.artefacts import load_model

BATCH = 16


class _Trained(NamedTuple):
    model: Autoencoder
    first: dict[str, list[float]]
    second: dict[str, list[float]]
    half: bytes


class Trial:
    """What the checks ask about a model.

    Args:
        build: gives the model, not compiled; called anew for every training that is compared with another.
        data: what `fit` is given: x, or (x, y) where the model declares a condition or a target. None for
            160 rows of two hidden causes, in (0, 1).

    Example:
        >>> from zoo.testing import CHECKS, Trial
        >>> trial = Trial(lambda: zoo.create("vae", (6,), latents=2, hidden=(4,)))
        >>> CHECKS["shapes"](trial)
        >>> CHECKS["rows do not depend on their neighbours"](trial)
    """

    def __init__(self, build: Callable[[], Autoencoder], data: Any = None):
        self._build = build
        self._data = data

    @functools.cached_property
    def data(self) -> Any:
        """What `fit` is given."""
        return rows_like(self.build().event_shape) if self._data is None else self._data

    @property
    def model(self) -> Autoencoder:
        """The model, trained for two epochs on one device without XLA."""
        return self._trained.model

    @property
    def history(self) -> dict[str, list[float]]:
        """The terms of the first epoch."""
        return self._trained.first

    @property
    def second(self) -> dict[str, list[float]]:
        """The terms of the second."""
        return self._trained.second

    @functools.cached_property
    def _trained(self) -> _Trained:
        model = self.compiled()
        first = train(model, self.data)
        with TemporaryDirectory() as folder:
            path = Path(folder) / "half.keras"
            model.save(path)
            half = path.read_bytes()
        return _Trained(model, first, train(model, self.data), half)

    def build(self) -> Autoencoder:
        """The model, with the same weights and the same noise each time."""
        keras.utils.set_random_seed(0)
        model = self._build()
        model.seed = 3
        return model

    def compiled(self, **options: Any) -> Autoencoder:
        """The model with gradient descent, which shows the size of a gradient, as Adam does not."""
        model = self.build()
        model.compile(keras.optimizers.SGD(1e-3), **{"jit_compile": False, **options})
        return model

    def half(self) -> Autoencoder:
        """The model as it was saved between the two epochs, and loaded."""
        with TemporaryDirectory() as folder:
            path = Path(folder) / "half.keras"
            path.write_bytes(self._trained.half)
            return load_model(path)


def rows_like(event_shape: tuple[int, ...], rows: int = 160) -> np.ndarray:
    """(rows, *event_shape) float32 in (0, 1) with two hidden causes, the same each time."""
    random = np.random.default_rng(0)
    width = int(np.prod(event_shape))
    causes = random.normal(size=(rows, 2)) @ random.normal(size=(2, width)) * 2
    return (1 / (1 + np.exp(-causes))).astype("float32").reshape(rows, *event_shape)


def train(model: Autoencoder, data: Any) -> dict[str, list[float]]:
    """The terms of one epoch more."""
    quiet: Any = 0  # Keras's default is a str
    return model.fit(data, batch_size=BATCH, verbose=quiet).history


def some(data: Any, rows: slice) -> Any:
    """Some rows of x, or of x and what stands beside it."""
    return tf.nest.map_structure(lambda array: array[rows], data)


def condition_of(model: Autoencoder, data: Any) -> dict[str, Any]:
    """The condition of the data as an argument, where the model declares one."""
    return {} if model.condition is None else {"condition": data[1]}


def generated(model: Autoencoder, n: int, **options: Any) -> np.ndarray:
    """New examples, under an example of a condition where the model declares one."""
    if model.intake.condition is not None:
        example = model.intake.condition.example()
        repeated = tf.nest.map_structure(lambda array: np.repeat(array, n, axis=0), example)
        options["condition"] = repeated
    return model.generate(n, **options)


def values(variables: Any) -> list[np.ndarray]:
    """The values of variables."""
    return [variable.numpy() for variable in variables]
