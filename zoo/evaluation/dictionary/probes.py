"""What single units say of labels: sparse probes, and the absorption of one feature by others."""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo.evaluation.checks import NotComputable, as_labels, batches
from zoo.evaluation.dictionary.counting import PIECE
from zoo.evaluation.dictionary.matching import cosines


def k_sparse_probe(
    codes: Any, labels: Any, k: int = 1, train_share: float = 0.5, seed: int = 0
) -> float:
    """How well k units tell classes from each other: balanced accuracy on test examples, a class against all.

    The units are those whose means differ most between a class and the others, on training examples; a
    logistic regression of them is fitted to these (Gurnee et al., "Finding Neurons in a Haystack", 2023).

    Args:
        codes: (n, units), an array or a scipy matrix.
        labels: (n,) classes.
        k: units of a probe.
        train_share: of the examples.
        seed: of which these are.

    Returns:
        The mean over the classes, from 0 to 1; 0.5 is chance.

    Raises:
        NotComputable: for fewer than two classes with examples on both sides.

    Example:
        >>> from zoo.evaluation.dictionary import k_sparse_probe
        >>> rng = np.random.default_rng(0)
        >>> labels = rng.integers(3, size=300)
        >>> codes = np.eye(3)[labels] + 0.1 * rng.normal(size=(300, 3))  # a unit for each class
        >>> k_sparse_probe(codes, labels)
        1.0
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import balanced_accuracy_score

    labels = as_labels(labels, codes.shape[0])
    order = np.random.default_rng(seed).permutation(len(labels))
    train, test = np.split(order, [int(train_share * len(order))])
    dense = (lambda a: a.toarray()) if hasattr(codes, "toarray") else np.asarray
    found = []
    for label in np.unique(labels):
        here = labels == label
        if not (0 < here[train].sum() < len(train) and 0 < here[test].sum() < len(test)):
            continue
        of_class = np.asarray(codes[train[here[train]]].mean(axis=0)).ravel()
        others = np.asarray(codes[train[~here[train]]].mean(axis=0)).ravel()
        units = np.sort(np.argsort(-np.abs(of_class - others), kind="stable")[:k])
        chosen = dense(codes[:, units])
        probe = LogisticRegression(class_weight="balanced").fit(chosen[train], here[train])
        found.append(balanced_accuracy_score(here[test], probe.predict(chosen[test])))
    if not found:
        raise NotComputable("needs two classes with examples to train on and to test on")
    return float(np.mean(found))


def absorption(
    codes: Any,
    atoms: Any,
    direction: Any,
    positive: Any,
    k: int = 1,
    least: float = 0.1,
    most: int = 3,
) -> float:
    """The share of a feature that is written by other units than those that stand for it.

    A unit of a rarer feature that implies this one often takes it over, and the unit that seems to stand for
    it is off there. With p the feature's direction of norm 1, the units that stand for it are the k whose
    means differ most between examples with and without it. Of an example with it

        a = others / (others + own),  own = sum over these k of z_j d_j . p,
        others = sum of the `most` largest z_j d_j . p of further units with cos(d_j, p) >= least,

    where own is less than all units write along p, else a = 0; the measure is the mean of a. After
    Chanin et al., "A is for Absorption", 2024, and Karvonen et al., "SAEBench", 2025, section on absorption.

    Args:
        codes: (n, units), an array or a scipy matrix.
        atoms: (units, d).
        direction: (d,) of the feature, or of a probe for it.
        positive: (n,) whether the feature is on.
        k: units that stand for it.
        least: the smallest cosine of a unit that counts as taking it over.
        most: units of an example that count so.

    Returns:
        From 0 to 1.

    Raises:
        NotComputable: where the feature is on in all examples, or in none.

    Example:
        >>> from zoo.evaluation.dictionary import absorption
        >>> atoms = np.array([[1.0, 0.0], [0.6, 0.8]])  # the second implies the first
        >>> codes = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
        >>> round(absorption(codes, atoms, [1.0, 0.0], [True, True, True, False]), 3)
        0.333
    """
    positive = np.asarray(positive).astype(bool)
    if positive.all() or not positive.any():
        raise NotComputable("needs examples with the feature and without it")
    direction = np.asarray(direction, np.float64)
    along = np.asarray(atoms, np.float64) @ direction / np.linalg.norm(direction)
    here, there = (
        np.asarray(codes[np.flatnonzero(rows)].mean(axis=0)).ravel()
        for rows in (positive, ~positive)
    )
    own = np.argsort(-np.abs(here - there), kind="stable")[:k]
    near = np.flatnonzero(cosines([direction], atoms)[0] >= least)
    near = np.setdiff1d(near, own)
    rows = codes[np.flatnonzero(positive)]
    rows = np.asarray(rows.toarray() if hasattr(rows, "toarray") else rows, np.float64)
    written = rows[:, own] @ along[own]
    others = np.sort(rows[:, near] * along[near], axis=1)[:, ::-1][:, :most]
    others = np.maximum(others, 0).sum(axis=1)
    taken = (written < rows @ along) & (others > 0)
    share = np.divide(
        others, others + np.maximum(written, 0), out=np.zeros_like(others), where=taken
    )
    return float(share.mean())


def class_absorption(x: Any, codes: Any, atoms: Any, labels: Any, k: int = 1) -> float:
    """`absorption` of each class against all others, the mean over the classes.

    A class's direction is the mean of its examples less the mean of the others, the probe that reads a
    feature of activations best where one moves it (Marks and Tegmark, "The Geometry of Truth", 2023, section
    5); SAEBench fits a logistic regression in its place.

    Args:
        x: (n, ...) what was encoded, memory-mapped arrays included.
        codes: (n, units), an array or a scipy matrix.
        atoms: (units, ...).
        labels: (n,) classes.
        k: units that stand for a class.

    Returns:
        From 0 to 1.

    Raises:
        NotComputable: for fewer than two classes.

    Example:
        >>> from zoo.evaluation.dictionary import class_absorption
        >>> x = np.array([[1.0, 0.0], [1.6, 0.8], [0.0, 0.0], [0.0, 0.0]])
        >>> atoms = np.array([[1.0, 0.0], [0.6, 0.8]])
        >>> codes = np.array([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0], [0.0, 0.0]])
        >>> round(class_absorption(x, codes, atoms, [1, 1, 0, 0]), 2)
        0.25
    """
    labels = as_labels(labels, np.shape(x)[0])
    classes, places, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if len(classes) < 2:
        raise NotComputable("needs examples of two classes")
    sums = np.zeros((len(classes), int(np.prod(np.shape(x)[1:]))))
    for piece in batches(len(labels), PIECE):
        rows = np.asarray(x[piece], np.float64)
        np.add.at(sums, places[piece], rows.reshape(len(rows), -1))
    others = (sums.sum(axis=0) - sums) / (len(labels) - counts)[:, None]
    directions = sums / counts[:, None] - others
    flat = np.reshape(atoms, (len(atoms), -1))
    shares = [
        absorption(codes, flat, direction, places == index, k)
        for index, direction in enumerate(directions)
    ]
    return float(np.mean(shares))
