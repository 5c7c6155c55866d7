"""Judges of digits and codes that several experiments share: a classifier, a linear probe, sharpness."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from scipy import ndimage
from sklearn.linear_model import LogisticRegression

from zoo.evaluation.probing import fitted, one_scale
from zoo.experiments.training import QUIET
from zoo.networks import Networks
from zoo.networks.conv import conv_decoder, conv_encoder

HELD_OUT = 10_000
STRENGTHS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
# Of the standard deviation that a unit is divided by.
POWERS = (0.0, 0.5)
# Filters, dense units and the slope below 0 of the encoder's units in the code of Zhao et al. and, after it,
# of Callahan. Under lambda = 1000 the units of an encoder without a slope die: most are 0 for all digits.
FILTERS, DENSE, SLOPE = (64, 128), (1024,), 0.1


def networks(setting: str) -> Any:
    """The option `networks` of a model for a setting of that name, where "conv" is the authors' network.

    That has fresh weights by Keras's seed: a leaky encoder and a decoder of rectified units.
    """
    if setting != "conv":
        return setting
    leaky = keras.layers.LeakyReLU(negative_slope=SLOPE)
    encoder = conv_encoder(FILTERS, DENSE, activation=leaky)
    return Networks(encoder, conv_decoder(FILTERS, (28, 28, 1), DENSE))


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
        keras.layers.Flatten(data_format="channels_last"),
        keras.layers.Dense(256, activation="relu"),
        keras.layers.Dropout(0.5),
        keras.layers.Dense(10, activation="softmax", dtype="float32"),
    ]
    model = keras.Sequential(layers)
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x, labels, batch_size=200, epochs=epochs, verbose=QUIET)
    return model


def logistic_regression(
    train: np.ndarray, labels: np.ndarray, test: np.ndarray, seed: int, iterations: int
) -> tuple[float, np.ndarray]:
    """A linear classifier of frozen features; its regularisation is chosen on held-out training data.

    Unlike `zoo.evaluation.probing.logistic_regression` it does not standardise the units, which would blow up
    those that are hardly ever active: they keep their scale, or each is divided by the square root of its
    standard deviation, so that the squared penalty bears less on units that vary little. For both C rises
    while the held-out error falls.

    Args:
        train: (m, units) features.
        labels: (m,).
        test: (n, units) features to predict.
        seed: of the held-out part.
        iterations: of the fit at most.

    Returns:
        The held-out error of the chosen scale and strength, and the predictions (n,).
    """
    order = np.random.default_rng(seed).permutation(len(train))
    count = min(HELD_OUT, len(train) // 5)
    held, rest = order[:count], order[count:]
    tried: list[tuple[float, np.ndarray, float]] = []
    for power in POWERS:
        scale, lowest = unit_scales(train, power), 1.0
        codes = train * scale
        for strength in STRENGTHS:
            fit = _fit(codes[rest], labels[rest], strength, iterations)
            error = float(1 - fit.score(codes[held], labels[held]))
            if error > lowest:
                break
            lowest = error
            tried.append((error, scale, strength))
    error, scale, strength = min(tried, key=lambda found: found[0])
    return error, _fit(train * scale, labels, strength, iterations).predict(test * scale)


def unit_scales(codes: np.ndarray, power: float) -> np.ndarray:
    """The factors (units,) that divide each unit by a power of its standard deviation.

    They bring the mean variance of a unit to 1. A unit that never varies counts as if it did by a thousandth
    of the mean.
    """
    deviation = codes.std(axis=0)
    factors = (deviation + 1e-3 * deviation.mean() + 1e-12) ** -power
    return (factors * one_scale(codes * factors)).astype(codes.dtype)


def sharpness(pictures: np.ndarray) -> float:
    """Mean over the pictures of the variance of their Laplacian: low where they are blurred."""
    images = pictures.reshape(-1, *pictures.shape[1:3])
    return float(np.mean([ndimage.laplace(image).var() for image in images]))


def _fit(x: np.ndarray, labels: np.ndarray, strength: float, iterations: int) -> Any:
    return fitted(LogisticRegression(C=strength, max_iter=iterations), x, labels)
