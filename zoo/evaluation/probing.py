"""How much of the classes simple classifiers read from codes."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from zoo.evaluation.bootstrap import Score, means
from zoo.evaluation.checks import NotComputable, as_codes, as_labels, undefined

_HELD_OUT = 0.2


def split(
    codes: Any, labels: Any, *, test_share: float = 0.2, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Training and test part of one set, each class in the same proportion.

    Args:
        codes: (n, units).
        labels: (n,).
        test_share: share of the examples in the test part.
        seed: of the split.

    Returns:
        codes and labels (class indices) for training, codes and labels for the test.

    Raises:
        NotComputable: for one class only, or too few examples of a class for both parts.

    Example:
        >>> from zoo.evaluation.probing import split
        >>> codes = np.random.default_rng(0).normal(size=(50, 2))
        >>> codes_train, labels_train, codes_test, labels_test = split(codes, np.arange(50) % 2)
        >>> codes_train.shape, np.bincount(labels_test).tolist()
        ((40, 2), [5, 5])
    """
    from sklearn.model_selection import train_test_split

    codes = as_codes(codes)
    labels = as_labels(labels, len(codes))
    _check_classes(labels, "labels")
    if test_share * len(codes) < labels.max() + 1:
        raise NotComputable(
            f"needs more than {len(codes)} examples to test {labels.max() + 1} classes"
        )
    train, test = train_test_split(
        np.arange(len(codes)), test_size=test_share, stratify=labels, random_state=seed
    )
    return codes[train], labels[train], codes[test], labels[test]


def logistic_regression(
    codes_train: np.ndarray,
    labels_train: np.ndarray,
    codes: np.ndarray,
    *,
    strengths: Sequence[float] = (0.001, 0.01, 0.1, 1.0, 10.0, 100.0),
    max_iter: int = 300,
    seed: int = 0,
) -> np.ndarray:
    """Predictions of a logistic regression on standardised codes.

    The regularisation strength is the one that does best on a fifth of the training data, which is
    held out for it; the regression is then fitted to all of the training data.

    Args:
        codes_train: (m, units).
        labels_train: (m,) class indices.
        codes: (n, units), to predict.
        strengths: scikit-learn's C, inverse strength of the squared penalty; a single one is used as
            it is.
        max_iter: of the fit; the accuracy is that of the weights reached.
        seed: of the held-out part.

    Returns:
        (n,) class indices.

    Example:
        >>> from zoo.evaluation.probing import logistic_regression
        >>> codes = np.linspace(-1, 1, 50)[:, None]
        >>> labels = (codes[:, 0] > 0).astype(int)
        >>> logistic_regression(codes, labels, np.array([[-0.9], [0.9]])).tolist()
        [0, 1]
    """
    strength = strengths[0]
    if len(strengths) > 1:
        parts = split(codes_train, labels_train, test_share=_HELD_OUT, seed=seed)
        accuracies = [_fit(*parts[:2], c, max_iter).score(*parts[2:]) for c in strengths]
        strength = strengths[int(np.argmax(accuracies))]
    return _fit(codes_train, labels_train, strength, max_iter).predict(codes)


def scores(
    codes: Any,
    labels: Any,
    codes_train: Any = None,
    labels_train: Any = None,
    *,
    neighbours: int = 5,
    strengths: Sequence[float] = (0.001, 0.01, 0.1, 1.0, 10.0, 100.0),
    labels_per_class: Sequence[int] = (1, 10, 100),
    draws: int = 5,
    max_train: int | None = 10_000,
    test_share: float = 0.2,
    bootstrap: int = 0,
    seed: int = 0,
) -> dict[str, Score]:
    """Test accuracy of classifiers on codes.

    Args:
        codes: (n, units).
        labels: (n,).
        codes_train: (m, units) to fit on; without them, ``codes`` are split.
        labels_train: (m,).
        neighbours: of k-NN.
        strengths: see `logistic_regression`.
        labels_per_class: for the few-label accuracies.
        draws: random choices of few labels, over which accuracy is averaged.
        max_train: at most so many random training codes; None takes all.
        test_share: see `split`.
        bootstrap: resamples of the test examples for the intervals, 0 for none.
        seed: of every random choice.

    Returns:
        ``logistic_regression``; ``knn`` (Euclidean, raw codes); ``few_label_<k>``, a logistic
        regression (C = 1) on k labels of each class, NaN with a warning where a class has fewer.

    Raises:
        ValueError: for training codes without labels, or of another width.
        NotComputable: for one class only, or too few examples.

    Warns:
        UserWarning: for test classes that no training label names; they count as wrong.

    Example:
        >>> from zoo.evaluation.probing import scores
        >>> labels = np.arange(100) % 2
        >>> codes = np.random.default_rng(0).normal(size=(100, 3)) + 10 * labels[:, None]
        >>> found = scores(codes, labels, labels_per_class=[1])
        >>> found["logistic_regression"], found["knn"], found["few_label_1"]
        (1.0, 1.0, 1.0)
    """
    from sklearn.neighbors import KNeighborsClassifier

    z_train, y_train, z, y = _parts(codes, labels, codes_train, labels_train, test_share, seed)
    rng = np.random.default_rng(seed)
    if max_train is not None and len(z_train) > max_train:
        rows = rng.permutation(len(z_train))[:max_train]
        z_train, y_train = z_train[rows], y_train[rows]
        _check_classes(y_train, "labels_train")
    if len(z_train) < neighbours:
        raise NotComputable(f"needs {neighbours} training codes, received {len(z_train)}")
    linear = logistic_regression(z_train, y_train, z, strengths=strengths, seed=seed)
    nearest = KNeighborsClassifier(neighbours).fit(z_train, y_train).predict(z)
    correct = {"logistic_regression": linear == y, "knn": nearest == y}
    missing = {}
    for k in labels_per_class:
        name = f"few_label_{k}"
        smallest = int(np.unique(y_train, return_counts=True)[1].min())
        if smallest < k:
            missing[name] = undefined(name, f"a class has {smallest} training labels")
        else:
            correct[name] = _few_label(z_train, y_train, z, y, k, draws, rng)
    return {**means(correct, bootstrap, bounds=(0, 1), seed=seed), **missing}


def _parts(codes, labels, codes_train, labels_train, test_share, seed):
    """Training and test codes and labels, the labels indexed alike."""
    if codes_train is None:
        return split(codes, labels, test_share=test_share, seed=seed)
    if labels_train is None:
        raise ValueError("Training codes need labels_train; received None.")
    codes, codes_train = as_codes(codes, 1), as_codes(codes_train)
    if codes.shape[1] != codes_train.shape[1]:
        raise ValueError(
            f"Training codes must have the {codes.shape[1]} units of the test codes; "
            f"received {codes_train.shape[1]}."
        )
    as_labels(labels, len(codes))
    as_labels(labels_train, len(codes_train), "labels_train")
    both = np.concatenate([np.ravel(labels_train), np.ravel(labels)])
    indices = as_labels(both, len(both))
    y_train, y = np.split(indices, [len(codes_train)])
    _check_classes(y_train, "labels_train")
    unseen = np.setdiff1d(y, y_train)
    if len(unseen):
        warnings.warn(
            f"{len(unseen)} classes have no training label; their examples count as wrong.",
            stacklevel=3,
        )
    return codes_train, y_train, codes, y


def _check_classes(labels: np.ndarray, name: str) -> None:
    counts = np.unique(labels, return_counts=True)[1]
    if len(counts) < 2:
        raise NotComputable(f"{name} hold one class only")
    if counts.min() < 3:
        raise NotComputable(f"{name} hold a class with {counts.min()} examples; needs 3")


def _few_label(z_train, y_train, z, y, k, draws, rng) -> np.ndarray:
    """Share of the draws in which each test example is named rightly."""
    classes = np.unique(y_train)
    right = np.zeros(len(y))
    for _ in range(draws):
        rows = np.concatenate(
            [rng.choice(np.flatnonzero(y_train == c), k, replace=False) for c in classes]
        )
        right += logistic_regression(z_train[rows], y_train[rows], z, strengths=(1.0,)) == y
    return right / draws


def one_scale(codes: np.ndarray) -> float:
    """The factor, the same for all units, that brings the mean variance of a unit to 1.

    Example:
        >>> from zoo.evaluation.probing import one_scale
        >>> codes = np.random.default_rng(0).normal(size=(50, 3)) * [1.0, 10.0, 100.0]
        >>> round(float(np.var(one_scale(codes) * codes, axis=0).mean()), 6)
        1.0
    """
    return 1 / max(float(np.sqrt(codes.var(axis=0).mean())), 1e-8)


def fitted(estimator: Any, codes: np.ndarray, labels: np.ndarray) -> Any:
    """A scikit-learn estimator after its fit, with no warning where its iterations end it.

    Example:
        >>> from sklearn.linear_model import LogisticRegression
        >>> from zoo.evaluation.probing import fitted
        >>> codes = np.linspace(-1, 1, 50)[:, None]
        >>> estimator = fitted(LogisticRegression(max_iter=100), codes, codes[:, 0] > 0)
        >>> estimator.predict([[0.9]]).tolist()
        [True]
    """
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        # What counts is the weights reached; nobody needs the last digit of their optimum.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return estimator.fit(codes, labels)


def _fit(codes: np.ndarray, labels: np.ndarray, strength: float, max_iter: int):
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=max_iter))
    return fitted(model, codes, labels)
