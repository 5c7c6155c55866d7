"""Many small clusters merged to classes by what lies next to each other; no label is used."""

from __future__ import annotations

import numpy as np


def nearest(examples: np.ndarray, neighbours: int = 10, components: int = 50) -> np.ndarray:
    """The nearest neighbours of every example, by the principal components of the data.

    Args:
        examples: (n, *event).
        neighbours: k, below n.
        components: principal components that the distance is taken on, fewer for smaller events.

    Returns:
        (n, k) rows of the neighbours.
    """
    from sklearn.decomposition import PCA
    from sklearn.neighbors import NearestNeighbors

    flat = np.reshape(examples, (len(examples), -1)).astype(np.float32)
    if components < min(flat.shape):
        flat = PCA(components, random_state=0).fit_transform(flat)
    return NearestNeighbors(n_neighbors=neighbours).fit(flat).kneighbors(return_distance=False)


def merge_clusters(
    clusters: np.ndarray, near: np.ndarray, classes: int, least: float = 0.0, total: int = 0
) -> np.ndarray:
    """Merge clusters whose examples are neighbours.

    Counts the links of the neighbourhood graph between every two clusters and cuts the graph of clusters
    into `classes` parts by spectral clustering (Ng, Jordan & Weiss, "On Spectral Clustering", 2002).

    Args:
        clusters: (n,) cluster of each example, from 0.
        near: (n, k) neighbours of each example, see `nearest`.
        classes: number of parts.
        least: share of the examples that a cluster needs to take part in the cut; smaller ones go to the
            part that they have the most links with.
        total: number of clusters, where the last ones may hold none of these examples.

    Returns:
        (clusters,) the part of every cluster, 0 for empty ones.

    Raises:
        ValueError: where fewer clusters than classes have an example.
    """
    from sklearn.cluster import SpectralClustering

    sizes = np.bincount(clusters, minlength=total)
    used = np.flatnonzero(sizes)
    if len(used) < classes:
        raise ValueError(
            f"Only {len(used)} clusters hold an example; {classes} classes need as many. Train longer."
        )
    large = max(classes, int((sizes[used] >= least * len(clusters)).sum()))
    core = np.sort(used[np.argsort(-sizes[used], kind="stable")][:large])
    links = np.zeros((len(sizes), len(sizes)))
    np.add.at(links, (np.repeat(clusters, near.shape[1]), clusters[near].ravel()), 1.0)
    links = links + links.T
    parts = np.zeros(len(sizes), np.int64)
    if len(core) == classes:
        parts[core] = np.arange(classes)
    else:
        # Relative to what the two sizes make likely, so that a large cluster does not attract all others.
        between = links[np.ix_(core, core)]
        degree = between.sum(axis=1)
        # The small constant keeps a graph in one piece, as the method needs it.
        affinity = between / np.sqrt(np.outer(degree, degree)) + 1e-6
        cut = SpectralClustering(classes, affinity="precomputed", random_state=0)
        parts[core] = cut.fit_predict(affinity)
    rest = np.setdiff1d(used, core)
    parts[rest] = (links[np.ix_(rest, core)] @ np.eye(classes)[parts[core]]).argmax(axis=1)
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
