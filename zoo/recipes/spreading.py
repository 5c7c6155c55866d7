"""Label propagation from confident predictions to all examples; no true label is used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

# Cells of so many pixels, with a histogram of the edges' directions each.
CELL = 4
DIRECTIONS = 8


def upright(pictures: np.ndarray) -> np.ndarray:
    """Pictures sheared and shifted so that their second moments stand upright and their mass is central.

    With (x, y) the mean and C the covariance of places weighted by the picture's values, a row at y + d is
    moved by d C_xy / C_yy against the slant (Teow & Loe, "Robust vision-based features and classification
    schemes for off-line handwritten digit recognition", 2002, section 2.1, as deskewing).

    Args:
        pictures: (n, h, w) of at least 0; empty ones stay as they are.

    Returns:
        (n, h, w) float32.

    Example:
        >>> from zoo.recipes.spreading import upright
        >>> slanted = np.eye(8, dtype="float32")[None]
        >>> straight = upright(slanted)
        >>> straight.shape, bool(straight.sum(axis=1).max() > 2)  # one column holds most of the line
        ((1, 8, 8), True)
    """
    from scipy import ndimage

    height, width = pictures.shape[1:]
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    middle = np.array([(height - 1) / 2, (width - 1) / 2])
    changed = np.empty(pictures.shape, np.float32)
    for index, picture in enumerate(pictures.astype(np.float32)):
        mass = picture.sum()
        if mass <= 0:
            changed[index] = picture
            continue
        y, x = (rows * picture).sum() / mass, (columns * picture).sum() / mass
        spread = ((rows - y) ** 2 * picture).sum() / mass
        slant = ((rows - y) * (columns - x) * picture).sum() / mass / (spread + 1e-6)
        turned = np.array([[1.0, 0.0], [slant, 1.0]])
        offset: Any = np.array([y, x]) - turned @ middle
        changed[index] = ndimage.affine_transform(picture, turned, offset, order=1)
    return changed


def edge_histograms(pictures: np.ndarray) -> np.ndarray:
    """Where edges of each direction lie: the root of smooth local histograms of the gradient.

    Dalal & Triggs, "Histograms of Oriented Gradients for Human Detection", 2005, with signed directions, a
    Gaussian in place of cells' borders and one norm for the picture.

    Args:
        pictures: (n, h, w).

    Returns:
        (n, features) float32 of norm 1, or 0 for a picture without an edge.

    Example:
        >>> from zoo.recipes.spreading import edge_histograms
        >>> features = edge_histograms(zoo.data.load("digits", limit=4).inputs[..., 0])
        >>> np.linalg.norm(features, axis=1).round(3).tolist()
        [1.0, 1.0, 1.0, 1.0]
    """
    from scipy import ndimage

    down, right = np.gradient(pictures.astype(np.float32), axis=(1, 2))
    strength = np.hypot(down, right)
    angle = np.arctan2(down, right) * (DIRECTIONS / (2 * np.pi))
    maps = []
    for direction in range(DIRECTIONS):
        away = np.abs((angle - direction + DIRECTIONS / 2) % DIRECTIONS - DIRECTIONS / 2)
        share = ndimage.gaussian_filter(
            strength * np.maximum(1 - away, 0), (0, CELL / 2, CELL / 2), mode="constant"
        )
        maps.append(share[:, CELL // 2 :: CELL, CELL // 2 :: CELL])
    features = np.sqrt(np.maximum(np.stack(maps, axis=1), 0)).reshape(len(pictures), -1)
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    return features / np.maximum(norms, 1e-12)


def neighbour_features(pictures: np.ndarray, piece: int = 5000) -> np.ndarray:
    """`edge_histograms` of `upright` pictures, in which small changes of a digit lie close.

    Args:
        pictures: (n, h, w, channels), uint8 or float; channels are averaged.
        piece: how many are worked on at a time, for memory.

    Returns:
        (n, features) float32.

    Example:
        >>> from zoo.recipes.spreading import neighbour_features
        >>> neighbour_features(zoo.data.load("digits", limit=4).inputs).shape[0]
        4
    """
    flat = pictures.mean(axis=-1, dtype=np.float32)
    parts = [flat[first : first + piece] for first in range(0, len(flat), piece)]
    return np.concatenate([edge_histograms(upright(part)) for part in parts])


def neighbour_graph(features: np.ndarray, neighbours: int = 10) -> Any:
    """How near every example lies to its nearest neighbours.

    w_ij = exp(-||x_i - x_j||^2 / (s_i s_j)) where j is a neighbour of i, s_i the distance from i to the last
    of its neighbours (Zelnik-Manor & Perona, "Self-Tuning Spectral Clustering", 2004), else 0. W + W^T makes
    it symmetric.

    Args:
        features: (n, d).
        neighbours: of each example, below n.

    Returns:
        W + W^T, a SciPy sparse array (n, n).

    Raises:
        ValueError: where there are not more examples than neighbours.

    Example:
        >>> from zoo.recipes.spreading import neighbour_graph
        >>> graph = neighbour_graph(np.array([[0.0], [1.0], [9.0], [10.0]]), neighbours=1)
        >>> (graph.toarray() > 0).astype(int).tolist()
        [[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]]
    """
    from scipy import sparse
    from sklearn.neighbors import NearestNeighbors

    count = len(features)
    if not 0 < neighbours < count:
        raise ValueError(
            f"Expected from 1 to {count - 1} neighbours of each of {count} examples; received {neighbours}."
        )
    found = NearestNeighbors(n_neighbors=neighbours, algorithm="brute").fit(features)
    distances, near = found.kneighbors()
    scales = np.maximum(distances[:, -1], 1e-12)
    weights = np.exp(-(distances**2) / (scales[:, None] * scales[near]))
    graph = sparse.csr_array(
        (weights.ravel(), (np.repeat(np.arange(count), neighbours), near.ravel())), (count, count)
    )
    return graph + graph.T


def spread(
    names: np.ndarray, sure: np.ndarray, graph: Any, alpha: float = 0.9
) -> tuple[np.ndarray, np.ndarray]:
    """Spread the labels of confident examples over the graph of nearest neighbours.

    F <- alpha S F + (1 - alpha) Y until it stays, with Y the confident labels, one-hot, and
    S = D^(-1/2) W D^(-1/2) of the weights W between neighbours, D their sums (Zhou et al., "Learning with
    Local and Global Consistency", 2004, section 2). A confident example may change its label where its
    neighbours contradict it.

    Args:
        names: (n,) class of each example, from 0; those that are not sure are not read.
        sure: (n,) bool.
        graph: (n, n) sparse weights, see `neighbour_graph`.
        alpha: how much neighbours count, in (0, 1).

    Returns:
        The class of every example, (n,) int64, and its share of F, (n,) in [0, 1].

    Raises:
        ValueError: where no example is sure, or the lengths differ.

    Example:
        >>> from zoo.recipes.spreading import neighbour_graph, spread
        >>> features = np.concatenate([np.linspace(0, 1, 20), np.linspace(9, 10, 20)])[:, None]
        >>> sure = np.zeros(40, bool)
        >>> sure[[0, 39]] = True  # one example of each group
        >>> graph = neighbour_graph(features, neighbours=5)
        >>> classes, share = spread(np.repeat([0, 1], 20), sure, graph)
        >>> np.array_equal(classes, np.repeat([0, 1], 20))
        True
    """
    from sklearn.semi_supervised import LabelSpreading

    _check(names, sure, graph)
    spreading = LabelSpreading(
        kernel=lambda *_: graph,  # pyright: ignore[reportArgumentType]  # no str, which the default is
        alpha=alpha,
        max_iter=200,
    )
    spreading.fit(np.zeros((len(names), 1)), np.where(sure, names, -1))
    return spreading.transduction_.astype(np.int64), spreading.label_distributions_.max(axis=1)


def choose_alpha(
    names: np.ndarray,
    sure: np.ndarray,
    graph: Any,
    alphas: Sequence[float],
    parts: int = 10,
    seed: int = 0,
) -> tuple[float, list[float]]:
    """The alpha of `spread` that tells hidden names best; no true label is used.

    The confident examples are cut into parts. Each in turn is taken for unsure, and the names that come to it
    from the rest are compared with its own.

    Args:
        names: as in `spread`.
        sure: likewise, at least two of each part True.
        graph: likewise.
        alphas: to choose from; of equally good ones the first is taken.
        parts: how many, at least 2.
        seed: of which examples are hidden together.

    Returns:
        The alpha, and for each of them the share of names that were told while hidden.

    Raises:
        ValueError: as in `spread`, or where fewer examples are sure.

    Example:
        >>> from zoo.recipes.spreading import choose_alpha, neighbour_graph
        >>> features = np.concatenate([np.linspace(0, 1, 20), np.linspace(9, 10, 20)])[:, None]
        >>> graph = neighbour_graph(features, neighbours=5)
        >>> choose_alpha(np.repeat([0, 1], 20), np.ones(40, bool), graph, [0.5, 0.9])
        (0.5, [1.0, 1.0])
    """
    _check(names, sure, graph)
    known = np.flatnonzero(sure)
    if not 2 <= parts <= len(known) / 2:
        raise ValueError(
            f"Expected 2 parts or more, and two sure examples for each; received {parts} parts and "
            f"{len(known)} sure examples."
        )
    hidden = np.array_split(np.random.default_rng(seed).permutation(known), parts)
    told = []
    for alpha in alphas:
        right = 0
        for part in hidden:
            left = np.array(sure)
            left[part] = False
            found, _ = spread(names, left, graph, alpha)
            right += np.sum(found[part] == names[part])
        told.append(float(right / len(known)))
    return alphas[int(np.argmax(told))], told


def _check(names: np.ndarray, sure: np.ndarray, graph: Any) -> None:
    count = graph.shape[0]
    if graph.shape != (count, count):
        raise ValueError(
            f"Expected a graph, (n, n), as neighbour_graph(features) gives it; received {graph.shape}."
        )
    if len(names) != count or len(sure) != count or not np.any(sure):
        raise ValueError(
            f"Expected a name and a mark for each of {count} examples, and at least one sure one; received "
            f"{len(names)} names, {len(sure)} marks, {int(np.sum(sure))} of them sure."
        )
