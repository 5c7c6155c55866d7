"""Clusters of an over-clustering merged to classes, and cluster names made to agree; no label is used."""

from __future__ import annotations

import numpy as np


def merge_clusters(
    codes: np.ndarray, clusters: np.ndarray, classes: int, neighbours: int = 10
) -> np.ndarray:
    """Merge clusters whose examples lie next to each other.

    Counts the links of the k-nearest-neighbour graph of the codes between every two clusters and cuts the
    graph of clusters into `classes` parts by spectral clustering (Ng, Jordan & Weiss 2002).

    Args:
        codes: (n, units).
        clusters: (n,) cluster of each code, from 0.
        classes: number of parts, at most the number of clusters.
        neighbours: k.

    Returns:
        (clusters,) the part of every cluster, 0 for the empty ones.

    Raises:
        ValueError: where fewer clusters than classes have an example.
    """
    from sklearn.cluster import SpectralClustering
    from sklearn.neighbors import NearestNeighbors

    used, compact = np.unique(clusters, return_inverse=True)
    if len(used) < classes:
        raise ValueError(
            f"Only {len(used)} clusters hold an example; {classes} classes need as many. Train longer."
        )
    search = NearestNeighbors(n_neighbors=neighbours).fit(codes)
    near = search.kneighbors(return_distance=False)
    links = np.zeros((len(used), len(used)))
    np.add.at(links, (np.repeat(compact, neighbours), compact[near].ravel()), 1.0)
    links = links + links.T
    # Relative to what the two sizes make likely, so that a large cluster does not attract all others.
    degree = links.sum(axis=1)
    affinity = links / np.sqrt(np.outer(degree, degree))
    parts = np.zeros(clusters.max() + 1, np.int64)
    if len(used) == classes:
        parts[used] = np.arange(classes)
    else:
        cut = SpectralClustering(classes, affinity="precomputed", random_state=0)
        parts[used] = cut.fit_predict(affinity)
    return parts


def renaming(clusters: np.ndarray, reference: np.ndarray, classes: int) -> np.ndarray:
    """The one-to-one renaming under which `clusters` agrees best with `reference` (Hungarian).

    Args:
        clusters: (n,) from 0 to classes - 1.
        reference: (n,) likewise.
        classes: their number.

    Returns:
        (classes,) the name in `reference` of every cluster.
    """
    from scipy.optimize import linear_sum_assignment

    table = np.zeros((classes, classes))
    np.add.at(table, (clusters, reference), 1)
    return linear_sum_assignment(table, maximize=True)[1]
