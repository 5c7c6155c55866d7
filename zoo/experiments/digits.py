"""Judges of digits and codes that several experiments share: a classifier, a linear probe, sharpness."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
from scipy import ndimage

HELD_OUT = 10_000
PROBE_DECAYS = (0.0, 1e-5, 1e-4)


def classifier(x: np.ndarray, labels: np.ndarray, seed: int, epochs: int = 4) -> keras.Model:
    """An MLP 784-256-10 that names digits, to look at what a decoder draws.

    Args:
        x: (n, 28, 28, 1) float32.
        labels: (n,).
        seed: of the weights.
        epochs: passes over the data.

    Returns:
        A model (n, 28, 28, 1) -> (n, 10) probabilities.
    """
    keras.utils.set_random_seed(seed)
    layers = [
        keras.layers.Flatten(),
        keras.layers.Dense(256, activation="relu"),
        keras.layers.Dropout(0.5),
        keras.layers.Dense(10, activation="softmax", dtype="float32"),
    ]
    model = keras.Sequential(layers)
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x, labels, batch_size=200, epochs=epochs, verbose=0)
    return model


def softmax_regression(
    train: np.ndarray,
    labels: np.ndarray,
    tests: Sequence[np.ndarray],
    seed: int,
    epochs: int = 30,
) -> tuple[float, list[np.ndarray]]:
    """A linear classifier of frozen features; its weight decay is chosen on held-out training data.

    Args:
        train: (m, units) features.
        labels: (m,).
        tests: feature matrices (n, units) to predict.
        seed: of the weights and the held-out part.
        epochs: passes over the data.

    Returns:
        The held-out error of the chosen weight decay, and the predictions (n,) for each of `tests`.
    """
    deviation = train.std(axis=0)
    # One scale for all: standardising each unit would blow up those that are hardly ever active.
    scale = np.float32(1 / max(float(np.sqrt((deviation**2).mean())), 1e-8))
    order = np.random.default_rng(seed).permutation(len(train))
    count = min(HELD_OUT, len(train) // 5)
    held, rest = order[:count], order[count:]
    errors = []
    for decay in PROBE_DECAYS:
        model = _fitted(train[rest] * scale, labels[rest], decay, seed, epochs)
        errors.append(float((_named(model, train[held] * scale) != labels[held]).mean()))
    best = PROBE_DECAYS[int(np.argmin(errors))]
    model = _fitted(train * scale, labels, best, seed, epochs)
    return min(errors), [_named(model, test * scale) for test in tests]


def sharpness(pictures: np.ndarray) -> float:
    """Mean over the pictures of the variance of their Laplacian: low where they are blurred."""
    images = pictures.reshape(-1, *pictures.shape[1:3])
    return float(np.mean([ndimage.laplace(image).var() for image in images]))


def _fitted(x: np.ndarray, labels: np.ndarray, decay: float, seed: int, epochs: int) -> keras.Model:
    keras.utils.set_random_seed(seed)
    regularizer = keras.regularizers.L2(decay) if decay else None
    layer = keras.layers.Dense(10, kernel_regularizer=regularizer, dtype="float32")
    model = keras.Sequential([layer])
    steps = epochs * (len(x) // 200)
    rate = keras.optimizers.schedules.CosineDecay(3e-3, steps)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate), loss, steps_per_execution=50)
    model.fit(x, labels, batch_size=200, epochs=epochs, verbose=0)
    return model


def _named(model: keras.Model, x: np.ndarray) -> np.ndarray:
    return model.predict(x, batch_size=2000, verbose=0).argmax(axis=1)
