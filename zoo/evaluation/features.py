"""A feature space for generated examples: a small classifier of the training labels, trained here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from zoo.evaluation.checks import NotComputable, as_labels, as_unit_floats, batches

Features = Callable[[np.ndarray], np.ndarray]


def classifier_features(
    x: np.ndarray,
    labels: Any,
    *,
    width: int = 64,
    epochs: int = 5,
    batch_size: int = 100,
    max_train: int | None = 10_000,
    seed: int = 0,
) -> Features:
    """Train a small classifier, and return its last hidden layer as a function.

    The recipe: pictures go through 3x3 convolutions with stride 2 of 16 and 32 channels, vectors
    through none; then a dense layer of ``width`` units, all ReLU, and a softmax over the classes.
    Adam at 1e-3, cross-entropy. The features are divided by one number, their root mean square over the
    training examples. Distances in them depend on seed and labels, so compare models under the same
    features only, and with no published FID or KID.

    Args:
        x: (m, height, width, channels), (m, height, width) or (m, d) training examples; uint8 is
            divided by 255.
        labels: (m,) classes.
        width: number of features.
        epochs: over the examples.
        batch_size: examples in a step.
        max_train: at most so many random examples; None takes all.
        seed: of the weights, the order and the choice.

    Returns:
        A function from examples (n, ...) to features (n, width) float32.

    Raises:
        ValueError: for labels that do not match.
        NotComputable: for one class only.

    Example:
        >>> from zoo.evaluation.features import classifier_features
        >>> x = np.random.default_rng(0).random((40, 6), np.float32)
        >>> features = classifier_features(x, labels=x[:, 0] > 0.5, width=8, epochs=1)
        >>> features(x).shape
        (40, 8)
    """
    import keras

    x = np.asarray(x)
    labels = as_labels(labels, len(x), "labels_train")
    if labels.max() == 0:
        raise NotComputable("the training labels hold one class only")
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(x))[:max_train]
    batch_size = min(batch_size, len(rows))
    body, classifier = _networks(x.shape[1:], width, int(labels.max()) + 1, seed)
    classifier.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    for _ in range(epochs):
        order = rng.permutation(rows)
        for start in range(0, len(order) - batch_size + 1, batch_size):
            batch = order[start : start + batch_size]
            classifier.train_on_batch(_pictures(x[batch]), labels[batch])

    def describe(examples: np.ndarray) -> np.ndarray:
        return np.concatenate(
            [
                body.predict_on_batch(_pictures(examples[rows]))
                for rows in batches(len(examples), 500)
            ]
        )

    scale = np.sqrt(np.square(describe(x[rows])).mean())
    return lambda examples: describe(examples) / scale


def pixels(x: np.ndarray) -> np.ndarray:
    """The examples themselves as features: (n, ...) -> (n, d) float32.

    Example:
        >>> from zoo.evaluation.features import pixels
        >>> pixels(np.full((3, 8, 8, 1), 255, np.uint8)).shape
        (3, 64)
    """
    return as_unit_floats(np.asarray(x)).reshape(len(x), -1)


def _networks(shape: tuple[int, ...], width: int, classes: int, seed: int):
    import keras

    seeds = iter(range(1000 * seed, 1000 * seed + 10))

    def layer(kind: Any, *args: Any, **kwargs: Any) -> Any:
        initializer = keras.initializers.GlorotUniform(next(seeds))
        return kind(*args, kernel_initializer=initializer, **kwargs)

    inputs = keras.Input((*shape, 1) if len(shape) == 2 else shape)
    hidden = inputs
    if len(shape) > 1:
        for channels in (16, 32):
            convolution = layer(
                keras.layers.Conv2D, channels, 3, strides=2, padding="same", activation="relu"
            )
            hidden = convolution(hidden)
        hidden = keras.layers.Flatten()(hidden)
    hidden = layer(keras.layers.Dense, width, activation="relu")(hidden)
    outputs = layer(keras.layers.Dense, classes, activation="softmax")(hidden)
    return keras.Model(inputs, hidden), keras.Model(inputs, outputs)


def _pictures(x: np.ndarray) -> np.ndarray:
    x = as_unit_floats(np.asarray(x))
    return x[..., None] if x.ndim == 3 else x
