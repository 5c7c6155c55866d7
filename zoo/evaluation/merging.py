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

    Example:
        >>> from zoo.evaluation.merging import nearest
        >>> examples = np.array([[0.0], [0.1], [5.0], [5.1]])
        >>> nearest(examples, neighbours=1)[:, 0].tolist()
        [1, 0, 3, 2]
    """
    from sklearn.decomposition import PCA
    from sklearn.neighbors import NearestNeighbors

    flat = np.reshape(examples, (len(examples), -1)).astype(np.float32)
    if components < min(flat.shape):
        flat = PCA(components, random_state=0).fit_transform(flat)
    return NearestNeighbors(n_neighbors=neighbours).fit(flat).kneighbors(return_distance=False)


def merge_clusters(
    clusters: np.ndarray, near: np.ndarray, classes: int, total: int = 0
) -> np.ndarray:
    """Merge many small clusters whose examples are neighbours.

    Counts the links of the neighbourhood graph between every two clusters and cuts the graph of clusters
    into `classes` parts by spectral clustering (Ng, Jordan & Weiss, "On Spectral Clustering", 2002).

    Args:
        clusters: (n,) cluster of each example, from 0.
        near: (n, k) neighbours of each example, see `nearest`.
        classes: number of parts.
        total: number of clusters, where the last ones may hold none of these examples.

    Returns:
        (clusters,) the part of every cluster, 0 for empty ones.

    Raises:
        ValueError: where fewer clusters than classes have an example.

    Example:
        >>> from zoo.evaluation.merging import merge_clusters, nearest
        >>> examples = np.concatenate([np.linspace(0, 1, 20), np.linspace(9, 10, 20)])[:, None]
        >>> clusters = np.repeat([0, 1, 2, 3], 10)
        >>> parts = merge_clusters(clusters, nearest(examples, neighbours=5), classes=2)
        >>> bool(parts[0] == parts[1] != parts[2] == parts[3])
        True
    """
    from sklearn.cluster import SpectralClustering

    used, links = _linked(clusters, near, classes)
    parts = np.zeros(max(total, used.max() + 1), np.int64)
    if len(used) == classes:
        parts[used] = np.arange(classes)
        return parts
    # Relative to what the two sizes make likely, so that a large cluster does not attract all others.
    degree = links.sum(axis=1)
    # The small constant keeps a graph in one piece, as the method needs it.
    affinity = links / np.sqrt(np.outer(degree, degree)) + 1e-6
    cut = SpectralClustering(classes, affinity="precomputed", random_state=0)
    parts[used] = cut.fit_predict(affinity)
    return parts


def absorb_clusters(
    clusters: np.ndarray, near: np.ndarray, classes: int, total: int = 0
) -> np.ndarray:
    """Merge a few clusters of very different size, one pair after the other.

    Merges the two clusters a and b with the largest share of links

        links(a, b) / min(degree(a), degree(b))

    of the neighbourhood graph until `classes` are left, so that a fragment goes to what surrounds it, however
    small it is; `merge_clusters` may keep it and put two classes together instead.

    Args:
        clusters: as in `merge_clusters`.
        near: likewise.
        classes: likewise.
        total: likewise.

    Returns:
        (clusters,) the part of every cluster, 0 for empty ones.

    Raises:
        ValueError: where fewer clusters than classes have an example.

    Example:
        >>> from zoo.evaluation.merging import absorb_clusters, nearest
        >>> examples = np.concatenate([np.linspace(0, 1, 20), np.linspace(9, 10, 20)])[:, None]
        >>> clusters = np.repeat([0, 1, 2], [18, 2, 20])  # the second is a fragment of the first
        >>> parts = absorb_clusters(clusters, nearest(examples, neighbours=5), classes=2)
        >>> bool(parts[0] == parts[1] != parts[2])
        True
    """
    used, links = _linked(clusters, near, classes)
    part = np.arange(len(used))
    while len(links) > classes:
        degree = links.sum(axis=1)
        share = links / np.minimum.outer(degree, degree)
        np.fill_diagonal(share, -1.0)
        kept, gone = sorted(np.unravel_index(share.argmax(), share.shape))
        links[kept] += links[gone]
        links[:, kept] += links[:, gone]
        links = np.delete(np.delete(links, gone, 0), gone, 1)
        part = np.where(part == gone, kept, part - (part > gone))
    parts = np.zeros(max(total, used.max() + 1), np.int64)
    parts[used] = part
    return parts


def _linked(clusters: np.ndarray, near: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """The clusters with examples, and the links between every two of them."""
    used, compact = np.unique(clusters, return_inverse=True)
    if len(used) < classes:
        raise ValueError(
            f"Only {len(used)} clusters hold an example; {classes} classes need as many. Train longer."
        )
    links = np.zeros((len(used), len(used)))
    np.add.at(links, (np.repeat(compact, near.shape[1]), compact[near].ravel()), 1.0)
    return used, links + links.T


def renaming(clusters: np.ndarray, reference: np.ndarray, classes: int) -> np.ndarray:
    """The one-to-one renaming under which `clusters` agrees best with `reference` (Hungarian).

    Args:
        clusters: (n,) from 0 to classes - 1.
        reference: (n,) likewise.
        classes: their number.

    Returns:
        (classes,) the name in `reference` of every cluster.

    Example:
        >>> from zoo.evaluation.merging import renaming
        >>> names = renaming(np.array([0, 0, 1, 2]), reference=np.array([2, 2, 0, 1]), classes=3)
        >>> names.tolist()
        [2, 0, 1]
    """
    from scipy.optimize import linear_sum_assignment

    table = np.zeros((classes, classes))
    np.add.at(table, (clusters, reference), 1)
    return linear_sum_assignment(table, maximize=True)[1]
