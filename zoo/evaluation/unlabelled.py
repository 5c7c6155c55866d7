"""How good clusters are where no example has a label: neighbours, sizes, and agreement between seeds."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from zoo.evaluation import clustering


def neighbour_agreement(clusters: np.ndarray, near: np.ndarray) -> float:
    """How far neighbours share a cluster, beyond what the clusters' sizes make likely; no label is used.

        (a - sum_k p_k^2) / (1 - sum_k p_k^2)

    with a the share of pairs of neighbours in one cluster and p_k the share of the examples in cluster k.
    Clusters that cut through dense regions have a small value.

    Args:
        clusters: (n,) cluster of each example, from 0.
        near: (n, k) neighbours of each example, see `zoo.evaluation.merging.nearest`.

    Returns:
        At most 1, which clusters without any neighbours across them have; about 0 for clusters by chance,
        and 0 for a single one, which tells nothing.

    Example:
        >>> from zoo.evaluation.merging import nearest
        >>> from zoo.evaluation.unlabelled import neighbour_agreement
        >>> examples = np.concatenate([np.linspace(0, 1, 20), np.linspace(9, 10, 20)])[:, None]
        >>> near = nearest(examples, neighbours=5)
        >>> neighbour_agreement(np.repeat([0, 1], 20), near)
        1.0
        >>> round(neighbour_agreement(np.arange(40) % 2, near), 1)
        -0.2
    """
    shares = np.bincount(clusters) / len(clusters)
    chance = float(np.sum(shares**2))
    if chance == 1:
        return 0.0
    together = float(np.mean(clusters[near] == clusters[:, None]))
    return (together - chance) / (1 - chance)


def balance(clusters: np.ndarray, classes: int) -> float:
    """Entropy of the clusters' shares of the examples over that of even ones, -sum_k p_k log p_k / log K.

    Args:
        clusters: (n,) cluster of each example, from 0.
        classes: K, how many clusters there might be, at least 2.

    Returns:
        From 0, where all examples are in one cluster, to 1.

    Raises:
        ValueError: for a cluster beyond K.

    Example:
        >>> from zoo.evaluation.unlabelled import balance
        >>> balance(np.array([0, 1, 2, 3]), classes=4), balance(np.array([0, 0, 1, 1]), classes=4)
        (1.0, 0.5)
    """
    if np.max(clusters) >= classes:
        raise ValueError(
            f"clusters must be below classes={classes}, from 0; received {np.max(clusters)}."
        )
    shares = np.bincount(clusters, minlength=classes) / len(clusters)
    return float(-np.sum(shares * np.log(np.where(shares, shares, 1))) / np.log(classes))


def seed_agreement(clusterings: Sequence[np.ndarray]) -> float:
    """Mean normalised mutual information between the clusters that each two models give the same examples.

    What differs from seed to seed is not in the data (Ben-Hur, Elisseeff & Guyon, "A stability based method
    for discovering structure in clustered data", 2002).

    Args:
        clusterings: (n,) clusters of the same examples, by two models or more.

    Returns:
        From 0 to 1; two models with one cluster each count as 0.

    Example:
        >>> from zoo.evaluation.unlabelled import seed_agreement
        >>> first = np.array([0, 0, 1, 1, 2, 2])
        >>> round(seed_agreement([first, 2 - first]), 3)
        1.0
    """
    pairs = itertools.combinations(clusterings, 2)
    return float(np.mean([_shared_information(first, second) for first, second in pairs]))


def _shared_information(first: np.ndarray, second: np.ndarray) -> float:
    if max(np.ptp(first), np.ptp(second)) == 0:
        return 0.0
    found: dict[str, Any] = clustering.compare(first, second)
    return found["nmi"]
