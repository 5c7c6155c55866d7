"""How well clusters agree with classes; labels name clusters and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo.evaluation.bootstrap import Score, intervals
from zoo.evaluation.checks import NotComputable, as_codes, as_labels, undefined


def one_to_one_accuracy(labels: Any, clusters: Any) -> float:
    """Accuracy under the best one-to-one naming of clusters by classes (Hungarian assignment).

    Where there are more clusters than classes, the examples of unnamed clusters count as wrong.

    Source: Kuhn 1955; for clusters, Xie et al. 2016, "Unsupervised Deep Embedding", equation 10.

    Args:
        labels: (n,) true classes.
        clusters: (n,) cluster of each example.

    Returns:
        A share of the examples, from 0 to 1.

    Example:
        >>> from zoo.evaluation.clustering import one_to_one_accuracy
        >>> one_to_one_accuracy(labels=[0, 0, 1, 1], clusters=[1, 1, 0, 0])
        1.0
        >>> one_to_one_accuracy(labels=[0, 0, 1, 1], clusters=[0, 1, 2, 2])
        0.75
    """
    return _one_to_one(_contingency(*_pair(labels, clusters)))


def majority_accuracy(labels: Any, clusters: Any) -> float:
    """Accuracy where each cluster is named by its most frequent class (purity).

    Several clusters may share a name, so it can only rise with the number of clusters; it reaches 1
    where each example is its own cluster.

    Args:
        labels: (n,) true classes.
        clusters: (n,) cluster of each example.

    Returns:
        A share of the examples, from 0 to 1.

    Example:
        >>> from zoo.evaluation.clustering import majority_accuracy
        >>> majority_accuracy(labels=[0, 0, 1, 1], clusters=[0, 1, 2, 2])
        1.0
        >>> majority_accuracy(labels=[0, 0, 1, 1], clusters=[0, 0, 0, 0])
        0.5
    """
    return _majority(_contingency(*_pair(labels, clusters)))


def compare(labels: Any, clusters: Any, *, bootstrap: int = 0, seed: int = 0) -> dict[str, Score]:
    """Agreement of clusters with classes.

    Args:
        labels: (n,) true classes.
        clusters: (n,) cluster of each example, by integers or names.
        bootstrap: resamples of the examples, with the clusters held fixed, for the intervals.
        seed: of the resamples.

    Returns:
        ``one_to_one_accuracy``, ``majority_accuracy``, ``nmi`` (mutual information / mean of the two
        entropies) and ``ari`` (adjusted Rand index). NMI and ARI are NaN, with a warning, where
        there is one class and one cluster only.

    Raises:
        ValueError: where labels and clusters differ in length, or are not one value each.
        NotComputable: without examples.

    Example:
        >>> from zoo.evaluation.clustering import compare
        >>> found = compare(labels=[0, 0, 1, 1], clusters=["a", "a", "b", "b"])
        >>> {name: round(value, 3) for name, value in found.items()}
        {'one_to_one_accuracy': 1.0, 'majority_accuracy': 1.0, 'nmi': 1.0, 'ari': 1.0}
    """
    labels, clusters = _pair(labels, clusters)
    single = labels.max() == clusters.max() == 0

    def statistics(rows: np.ndarray) -> dict[str, float]:
        table = _contingency(labels[rows], clusters[rows])
        return {
            "one_to_one_accuracy": _one_to_one(table),
            "majority_accuracy": _majority(table),
            "nmi": float("nan") if single else _nmi(labels[rows], clusters[rows]),
            "ari": float("nan") if single else _ari(labels[rows], clusters[rows]),
        }

    if single:
        undefined("nmi and ari", "there is one class and one cluster only")
    return intervals(statistics, len(labels), bootstrap, bounds=(-1, 1), seed=seed)


def kmeans(codes: Any, clusters: int, *, restarts: int = 10, seed: int = 0) -> np.ndarray:
    """Clusters of codes by k-means (k-means++ starts, the best of several restarts by inertia).

    Args:
        codes: (n, units).
        clusters: their number, at most n.
        restarts: independent starts.
        seed: of the starts.

    Returns:
        (n,) cluster indices.

    Raises:
        NotComputable: where there are fewer different codes than clusters.

    Example:
        >>> from zoo.evaluation.clustering import compare, kmeans
        >>> labels = np.arange(60) % 3
        >>> codes = 5 * np.eye(3)[labels] + np.random.default_rng(0).normal(size=(60, 3))
        >>> compare(labels, kmeans(codes, 3))["one_to_one_accuracy"]
        1.0
    """
    from sklearn.cluster import KMeans

    codes = as_codes(codes, clusters)
    if len(np.unique(codes, axis=0)) < clusters:
        raise NotComputable(f"needs {clusters} different codes for {clusters} clusters")
    means = KMeans(
        clusters,
        n_init=restarts,  # pyright: ignore[reportArgumentType]  # no str, which the default is
        random_state=seed,
    )
    return means.fit_predict(codes)


def silhouette(codes: Any, clusters: Any, *, limit: int = 2000, seed: int = 0) -> float:
    """Mean silhouette (b - a) / max(a, b): a, b the mean distance to the own and the next cluster.

    Source: Rousseeuw 1987.

    Args:
        codes: (n, units).
        clusters: (n,).
        limit: at most so many random examples, as the cost is quadratic.
        seed: of their choice.

    Returns:
        From -1 to 1; NaN with a warning for fewer than 2 clusters, or as many clusters as examples.

    Example:
        >>> from zoo.evaluation.clustering import silhouette
        >>> codes = np.array([[0.0], [0.0], [9.0], [9.0]])
        >>> silhouette(codes, [0, 0, 1, 1]), silhouette(codes, [0, 1, 0, 1])
        (1.0, -0.5)
    """
    from sklearn.metrics import silhouette_score

    codes = as_codes(codes)
    clusters = as_labels(clusters, len(codes), "clusters")
    rows = np.random.default_rng(seed).permutation(len(codes))[:limit]
    count = len(np.unique(clusters[rows]))
    if not 1 < count < len(rows):
        return undefined("silhouette", f"{len(rows)} examples fall into {count} clusters")
    return float(silhouette_score(codes[rows], clusters[rows]))


def scores(
    codes: Any,
    labels: Any,
    *,
    clusters: dict[str, np.ndarray] | None = None,
    number: int | None = None,
    restarts: int = 10,
    silhouette_limit: int = 2000,
    bootstrap: int = 0,
    seed: int = 0,
) -> dict[str, Score]:
    """Two ways to cluster codes, each compared with the classes.

    ``kmeans`` on the codes, and ``argmax``, the unit with the largest code.

    Args:
        codes: (n, units).
        labels: (n,) true classes, used to name clusters only.
        clusters: further ways, by name: (n,) cluster of each example, for example
            ``{"model": model.cluster(x)}``.
        number: of k-means' clusters; by default the number of classes.
        restarts: of k-means.
        silhouette_limit: see `silhouette`.
        bootstrap: resamples for the intervals of `compare`, 0 for none.
        seed: of k-means, the silhouette's choice and the resamples.

    Returns:
        ``<way>_<measure>``: the measures of `compare` and ``silhouette``; and ``label_silhouette``,
        that of the true classes.

    Raises:
        NotComputable: for one class only, or fewer different codes than clusters.

    Example:
        >>> from zoo.evaluation.clustering import scores
        >>> labels = np.arange(60) % 3
        >>> codes = 5 * np.eye(3)[labels] + np.random.default_rng(0).normal(size=(60, 3))
        >>> found = scores(codes, labels)
        >>> found["kmeans_one_to_one_accuracy"], found["argmax_one_to_one_accuracy"]
        (1.0, 1.0)
    """
    codes = as_codes(codes)
    labels = as_labels(labels, len(codes))
    if labels.max() == 0:
        raise NotComputable("the labels hold one class only")
    ways = {"kmeans": kmeans(codes, number or labels.max() + 1, restarts=restarts, seed=seed)}
    if codes.shape[1] > 1:
        ways["argmax"] = codes.argmax(axis=1)
    result: dict[str, Score] = {}
    for way, assigned in {**ways, **(clusters or {})}.items():
        for name, value in compare(labels, assigned, bootstrap=bootstrap, seed=seed).items():
            result[f"{way}_{name}"] = value
        result[f"{way}_silhouette"] = silhouette(codes, assigned, limit=silhouette_limit, seed=seed)
    result["label_silhouette"] = silhouette(codes, labels, limit=silhouette_limit, seed=seed)
    return result


def _pair(labels: Any, clusters: Any) -> tuple[np.ndarray, np.ndarray]:
    n = len(np.asarray(labels))
    if n == 0:
        raise NotComputable("there are no examples")
    return as_labels(labels, n), as_labels(clusters, n, "clusters")


def _contingency(labels: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    from sklearn.metrics.cluster import contingency_matrix

    return np.asarray(contingency_matrix(labels, clusters))


def _one_to_one(table: np.ndarray) -> float:
    from scipy.optimize import linear_sum_assignment

    return float(table[linear_sum_assignment(table, maximize=True)].sum() / table.sum())


def _majority(table: np.ndarray) -> float:
    return float(table.max(axis=0).sum() / table.sum())


def _nmi(labels: np.ndarray, clusters: np.ndarray) -> float:
    from sklearn.metrics import normalized_mutual_info_score

    return float(normalized_mutual_info_score(labels, clusters))


def _ari(labels: np.ndarray, clusters: np.ndarray) -> float:
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(labels, clusters))
