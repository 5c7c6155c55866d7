"""How near generated examples lie to real ones, in a feature space."""

from __future__ import annotations

import numpy as np

from zoo.evaluation.checks import NotComputable, as_codes, batches, undefined
from zoo.evaluation.kernel_distance import cubic_kernel, squared_mmd

_BLOCK = 1000


def precision_recall(
    real: np.ndarray, generated: np.ndarray, neighbours: int = 3
) -> tuple[float, float]:
    """Share of generated examples among the real ones, and the reverse.

    A sample's manifold is the union of balls around its points, each reaching to the point's k-th
    nearest neighbour. Precision is the share of generated points on the real manifold, recall the
    share of real points on the generated one.

    Source: Kynkaanniemi et al. 2019, "Improved Precision and Recall Metric", equations 1 and 2, k = 3.

    Args:
        real: (n, d) features; n and m should be equal, since a larger sample has smaller balls.
        generated: (m, d) features.
        neighbours: k.

    Returns:
        Precision and recall, from 0 to 1.

    Raises:
        NotComputable: for k examples or fewer on either side.

    Example:
        >>> from zoo.evaluation.generation import precision_recall
        >>> real = np.random.default_rng(0).normal(size=(100, 2))
        >>> precision_recall(real, real), precision_recall(real, real + 100)
        ((1.0, 1.0), (0.0, 0.0))
    """
    real, generated = _pair(real, generated, neighbours + 1)
    return _share_covered(real, generated, neighbours), _share_covered(generated, real, neighbours)


def frechet_distance(real: np.ndarray, generated: np.ndarray) -> float:
    """||m - m'||^2 + Tr(C + C' - 2 (C C')^(1/2)), m and C the means and covariances of the features.

    The squared 2-Wasserstein distance of the fitted Gaussians; on Inception features it is the FID.

    Source: Heusel et al. 2017, "GANs Trained by a Two Time-Scale Update Rule", equation 6.

    Args:
        real: (n, d) features.
        generated: (m, d) features.

    Returns:
        At least 0, in squared units of the features. Small samples bias it upwards; NaN with a
        warning where a sample has no more rows than features, so that its covariance has no rank.

    Example:
        >>> from zoo.evaluation.generation import frechet_distance
        >>> real = np.random.default_rng(0).normal(size=(100, 2))
        >>> round(frechet_distance(real, real + [3.0, 4.0]), 6)  # the means differ by 5
        25.0
    """
    real, generated = (z.astype(np.float64) for z in _pair(real, generated, 2))
    fewest = min(len(real), len(generated))
    if fewest <= real.shape[1]:
        return undefined(
            "frechet_distance",
            f"{fewest} examples cannot fix a covariance of {real.shape[1]} features",
        )
    difference = real.mean(axis=0) - generated.mean(axis=0)
    first, second = np.atleast_2d(np.cov(real.T)), np.atleast_2d(np.cov(generated.T))
    # The eigenvalues of C C' are those of the symmetric R C' R, R the root of C.
    values, vectors = np.linalg.eigh(first)
    root = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    cross = np.sqrt(np.clip(np.linalg.eigvalsh(root @ second @ root), 0, None)).sum()
    distance = difference @ difference + np.trace(first) + np.trace(second) - 2 * cross
    return max(0.0, float(distance))


def nearest(
    samples: np.ndarray, references: np.ndarray, k: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest references of each sample (Euclidean), nearest first.

    Args:
        samples: (n, d) features, or examples (n, ...), which are flattened.
        references: (m, d), for example the training set.
        k: how many, at most m.

    Returns:
        Indices into ``references`` (n, k) and distances (n, k).

    Raises:
        NotComputable: for fewer than k references.

    Example:
        >>> from zoo.evaluation.generation import nearest
        >>> indices, distances = nearest(np.array([[0.9]]), np.array([[0.0], [1.0], [3.0]]), k=2)
        >>> indices.tolist(), distances.round(6).tolist()
        ([[1, 0]], [[0.1, 0.9]])
    """
    from sklearn.neighbors import NearestNeighbors

    samples, references = _pair(samples, references, 1)
    if len(references) < k:
        raise NotComputable(f"needs {k} references, received {len(references)}")
    search = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(references)
    found = [search.kneighbors(samples[rows]) for rows in batches(len(samples), _BLOCK)]
    distances, indices = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return indices, distances


def scores(
    real: np.ndarray,
    generated: np.ndarray,
    train: np.ndarray | None = None,
    *,
    neighbours: int = 3,
) -> dict[str, float]:
    """All scores of generated examples.

    Args:
        real: (n, d) features of held-out examples.
        generated: (m, d) features of generated examples; both are cut to the smaller number.
        train: (t, d) features of the training examples.
        neighbours: of `precision_recall`.

    Returns:
        ``precision``, ``recall``, ``kernel_distance`` (unbiased MMD^2 with the kernel
        (x . y / d + 1)^3; on Inception features the KID), ``frechet_distance``; with ``train``
        ``training_distance_ratio``, the median distance of generated examples to their nearest
        training example over that of held-out examples: far below 1, samples are copies.

    Example:
        >>> from zoo.evaluation.generation import scores
        >>> random = np.random.default_rng(0)
        >>> real, train = random.normal(size=(200, 2)), random.normal(size=(200, 2))
        >>> scores(real, generated=train, train=train)["training_distance_ratio"]  # copies
        0.0
    """
    real, generated = _pair(real, generated, neighbours + 1)
    size = min(len(real), len(generated))
    real, generated = real[:size], generated[:size]
    precision, recall = precision_recall(real, generated, neighbours)
    result = {
        "precision": precision,
        "recall": recall,
        "kernel_distance": squared_mmd(real, generated, cubic_kernel),
        "frechet_distance": frechet_distance(real, generated),
    }
    if train is not None:
        name = "training_distance_ratio"
        typical = float(np.median(nearest(real, train)[1]))
        # Distances of equal examples are not exactly 0, but as small as the rounding of their norms.
        if typical > 1e-5 * float(np.median(np.linalg.norm(real, axis=1))):
            result[name] = float(np.median(nearest(generated, train)[1])) / typical
        else:
            result[name] = undefined(name, "the held-out examples are training examples")
    return result


def _pair(a: np.ndarray, b: np.ndarray, minimum: int) -> tuple[np.ndarray, np.ndarray]:
    a, b = as_codes(a, minimum), as_codes(b, minimum)
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"Features must have the same width; received {a.shape} and {b.shape}.")
    return a, b


def _share_covered(centres: np.ndarray, points: np.ndarray, neighbours: int) -> float:
    """Share of the points that lie in a ball around a centre."""
    from sklearn.metrics import pairwise_distances

    # The nearest centre of a centre is itself.
    radii = nearest(centres, centres, neighbours + 1)[1][:, -1]
    radii = radii + 1e-6 * np.linalg.norm(centres, axis=1)  # distances of equal points are rounded
    covered = 0
    for rows in batches(len(points), _BLOCK):
        inside = pairwise_distances(points[rows], centres) <= radii
        covered += int(inside.any(axis=1).sum())
    return covered / len(points)
