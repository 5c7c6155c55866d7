"""A feature space for generated examples: a small classifier of the training labels, trained here."""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data.pixels import as_unit_floats
from zoo.evaluation.checks import NotComputable, as_labels, batches
from zoo.evaluation.fingerprint import fingerprint
from zoo.files import replacing_file

_WIDTH = 64
_KEPT: dict[str, ClassifierFeatures] = {}  # of the latest training sets of this process
_MOST_KEPT = 4


@dataclass(frozen=True)
class ClassifierFeatures:
    """The last hidden layer of a small classifier, as a function from examples to features.

    Args:
        body: the network up to that layer.
        scale: what its values are divided by.

    Example:
        >>> from zoo.evaluation.features import ClassifierFeatures
        >>> body = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
        >>> features = ClassifierFeatures(body, scale=2.0)
        >>> features(np.zeros((5, 6), "float32")).shape
        (5, 3)
    """

    body: Any
    scale: float

    @cached_property
    def fingerprint(self) -> str:
        """Equal for equal features; distances compare only where it is."""
        return fingerprint(*self.body.get_weights(), self.scale)

    def __call__(self, examples: np.ndarray) -> np.ndarray:
        """(n, ...) -> (n, width) float32."""
        return _described(self.body, examples) / np.float32(self.scale)


def reference_features(
    x: np.ndarray, labels: Any, folder: str | os.PathLike[str] | None = None
) -> ClassifierFeatures:
    """`classifier_features` of a training set with the settings and the seed that are the same for all.

    They belong to the data, not to a run or an evaluation: a set has one, kept in this process and, where
    a folder is named, on disk, so that models that are compared are measured by the very same features.

    Args:
        x: (m, ...) training examples.
        labels: (m,) classes.
        folder: where to keep them, for example `zoo.data.storage.cache_folder`. One that cannot be
            written costs a new training the next time, and nothing else.

    Returns:
        The features.

    Raises:
        ValueError: for labels that do not match.
        NotComputable: for one class only.

    Example:
        >>> from zoo.evaluation.features import reference_features
        >>> x = np.random.default_rng(0).random((40, 6), np.float32)
        >>> features = reference_features(x, x[:, 0] > 0.5)
        >>> reference_features(x, x[:, 0] > 0.5) is features  # a set has one
        True
    """
    x = np.asarray(x)
    key = fingerprint(x, as_labels(labels, len(x), "labels_train"))
    if key not in _KEPT:
        path = None if folder is None else Path(folder) / f"features-{key}.npz"
        found = _read(path, x, labels)
        if found is None:
            found = classifier_features(x, labels)
            _keep(path, found)
        while len(_KEPT) >= _MOST_KEPT:
            _KEPT.pop(next(iter(_KEPT)))
        _KEPT[key] = found
    return _KEPT[key]


def classifier_features(
    x: np.ndarray,
    labels: Any,
    *,
    width: int = _WIDTH,
    epochs: int = 5,
    batch_size: int = 100,
    max_train: int | None = 10_000,
    seed: int = 0,
) -> ClassifierFeatures:
    """Train a small classifier, and return its last hidden layer as a function.

    The recipe: examples with two or more axes go through convolutions of 3 along each axis with stride 2
    of 16 and 32 channels, vectors through none; then a dense layer of ``width`` units, all ReLU, and a
    softmax over the classes. Adam at 1e-3, cross-entropy. The features are divided by one number, their
    root mean square over the training examples. Distances in them depend on seed and labels, so compare
    models under the same features only (`reference_features`), and with no published FID or KID.

    Args:
        x: (m, d), (m, height, width), (m, height, width, channels) or (m, depth, height, width, channels)
            training examples; uint8 is divided by 255.
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
    scale = np.sqrt(np.square(_described(body, x[rows])).mean())
    return ClassifierFeatures(body, float(scale))


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
        # Whatever the policy of the models that are measured.
        return kind(*args, kernel_initializer=initializer, dtype="float32", **kwargs)

    inputs = keras.Input((*shape, 1) if len(shape) == 2 else shape)
    hidden = inputs
    if len(shape) > 1:
        last: Any = {"data_format": "channels_last"}  # whatever Keras's default is
        kind = keras.layers.Conv3D if len(shape) == 4 else keras.layers.Conv2D
        for channels in (16, 32):
            convolution = layer(
                kind, channels, 3, strides=2, padding="same", activation="relu", **last
            )
            hidden = convolution(hidden)
        hidden = keras.layers.Flatten(**last)(hidden)
    hidden = layer(keras.layers.Dense, width, activation="relu")(hidden)
    outputs = layer(keras.layers.Dense, classes, activation="softmax")(hidden)
    return keras.Model(inputs, hidden), keras.Model(inputs, outputs)


def _pictures(x: np.ndarray) -> np.ndarray:
    x = as_unit_floats(np.asarray(x))
    return x[..., None] if x.ndim == 3 else x


def _described(body: Any, examples: np.ndarray) -> np.ndarray:
    parts = batches(len(examples), 500)
    return np.concatenate([body.predict_on_batch(_pictures(examples[rows])) for rows in parts])


def _read(path: Path | None, x: np.ndarray, labels: Any) -> ClassifierFeatures | None:
    """The features that a file keeps; None where there is none, or it is damaged."""
    if path is None:
        return None
    try:
        with np.load(path, allow_pickle=False) as stored:
            weights = [stored[f"weight_{i}"] for i in range(len(stored.files) - 1)]
            scale = float(stored["scale"])
        body, _ = _networks(x.shape[1:], _WIDTH, len(np.unique(labels)), 0)
        body.set_weights(weights)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    return ClassifierFeatures(body, scale)


def _keep(path: Path | None, features: ClassifierFeatures) -> None:
    """Write the file whole or not at all."""
    if path is None:
        return
    named = {f"weight_{i}": weight for i, weight in enumerate(features.body.get_weights())}
    try:
        with replacing_file(path) as file:
            np.savez(file, scale=features.scale, **named)
    except ValueError:
        pass  # the next evaluation trains them again
