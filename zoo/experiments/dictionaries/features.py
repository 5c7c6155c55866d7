"""Data of known features, sparse, correlated and in a hierarchy, as a network's activations are."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse, stats

HIGHEST, LOWEST = 0.4, 5e-4  # how often the commonest and the rarest feature are on
CHILDREN, DEPTH = 4, 3
ROOTS_PER_FEATURE = 128 / 16_384
CHUNK_NUMBERS = 1 << 23


class Features(NamedTuple):
    """The features that examples are sums of.

    Attributes:
        directions: (n, d) float64 of norm 1.
        bias: (d,), added to every example.
        probability: (n,) how often each is on, by itself.
        parent: (n,) int, -1 for one without a parent, which is on whatever the others are.
        mean: (n,), of the size of one that is on; `spread` is its standard deviation.
        spread: (n,).
        loadings: (n, rank), of the copula by which features are on together.
    """

    directions: np.ndarray
    bias: np.ndarray
    probability: np.ndarray
    parent: np.ndarray
    mean: np.ndarray
    spread: np.ndarray
    loadings: np.ndarray


def make_features(n: int, d: int, seed: int, rank: int = 25) -> Features:
    """Features by the recipe of Chanin, "SynthSAEBench", 2026, section 3, with fewer of them.

    Feature r of n is on with p_r = p_min + (p_max - p_min) (r^-1/2 - n^-1/2) / (1 - n^-1/2), p_max .4 and
    p_min 5e-4. One in 128 is the root of a tree of 4 children a node and depth 3. Directions begin random and
    take 100 Adam steps towards orthogonality.

    Args:
        n: features, 16,384 in the paper.
        d: dimensions of an example, 768 in the paper.
        seed: of all that is random.
        rank: of the copula.

    Returns:
        See `Features`.

    Example:
        >>> from zoo.experiments.dictionaries.features import make_features
        >>> features = make_features(n=256, d=64, seed=0)
        >>> bool(np.allclose(np.linalg.norm(features.directions, axis=1), 1))
        True
        >>> int((features.parent < 0).sum())  # roots, and features outside of trees
        88
    """
    rng = np.random.default_rng([seed, 1])
    rank_of = np.arange(1, n + 1)
    falling = (rank_of**-0.5 - n**-0.5) / (1 - n**-0.5)
    roots = max(round(n * ROOTS_PER_FEATURE), 1)
    parent = np.full(n, -1)
    level, free = np.arange(roots), roots
    for _ in range(DEPTH):
        children = np.arange(free, min(free + CHILDREN * len(level), n))
        parent[children] = level[(children - free) // CHILDREN]
        level, free = children, free + len(children)
    bias = rng.normal(size=d)
    return Features(
        directions=_apart(rng.normal(size=(n, d))),
        bias=0.5 * bias / np.linalg.norm(bias),
        probability=LOWEST + (HIGHEST - LOWEST) * falling,
        parent=parent,
        mean=np.linspace(5.0, 4.0, n),
        spread=np.abs(rng.normal(0.5, 0.5, size=n)),
        loadings=_loadings(rng, n, rank),
    )


def draw_examples(features: Features, rows: int, seed: int) -> tuple[np.ndarray, sparse.csr_matrix]:
    """Examples and the sizes of the features that they are sums of.

    A child is on only under its parent, and of siblings that are on one stays, by chance; so that each is on
    about as often as its probability says, a child's own is p / p_parent (1 + sum of its siblings' p /
    p_parent), at most 1. A child's size grows with its parent's.

    Args:
        features: what they are made of.
        rows: how many.
        seed: of the draws.

    Returns:
        x, (rows, d) float32, and sizes, a sparse matrix (rows, n) float32, 0 for a feature that is off.

    Example:
        >>> from zoo.experiments.dictionaries.features import draw_examples, make_features
        >>> features = make_features(n=256, d=64, seed=0)
        >>> x, sizes = draw_examples(features, rows=1000, seed=0)
        >>> bool(np.allclose(x, sizes @ features.directions + features.bias, atol=1e-3))
        True
        >>> sizes = sizes.toarray()
        >>> child = int(np.argmax(features.parent >= 0))  # is on only under its parent
        >>> bool(np.all(sizes[sizes[:, child] > 0, features.parent[child]] > 0))
        True
    """
    rng = np.random.default_rng([seed, 2])
    chunk = max(CHUNK_NUMBERS // len(features.mean), 1)
    parts = [
        sparse.csr_matrix(_sizes(features, min(chunk, rows - first), rng))
        for first in range(0, rows, chunk)
    ]
    sizes = sparse.csr_matrix(sparse.vstack(parts))
    x = sizes @ features.directions.astype(np.float32) + features.bias.astype(np.float32)
    return x, sizes


def _loadings(rng: np.random.Generator, n: int, rank: int) -> np.ndarray:
    """Normal numbers of deviation .1; a row that leaves a feature less than 1 % of its own is shortened."""
    loadings = 0.1 * rng.normal(size=(n, rank))
    return loadings * np.sqrt(np.minimum(0.99 / np.square(loadings).sum(axis=1, keepdims=True), 1))


def _sizes(features: Features, rows: int, rng: np.random.Generator) -> np.ndarray:
    n, rank = features.loadings.shape
    common = rng.normal(size=(rows, rank)) @ features.loadings.T
    own = np.sqrt(1 - np.square(features.loadings).sum(axis=1))
    on = common + own * rng.normal(size=(rows, n)) < stats.norm.ppf(_given_parent(features))
    size = features.mean + features.spread * rng.normal(size=(rows, n))
    size = np.maximum(size, 0).astype(np.float32)
    first_children = np.flatnonzero(features.parent >= 0)
    for parent in dict.fromkeys(features.parent[first_children].tolist()):  # parents come first
        children = np.flatnonzero(features.parent == parent)
        chance = np.where(on[:, children], rng.random((rows, len(children))), -1.0)
        stays = np.zeros_like(on[:, children])
        stays[np.arange(rows), chance.argmax(axis=1)] = True
        on[:, children] &= stays & on[:, [parent]]
        size[:, children] *= size[:, [parent]] / features.mean[parent]
    return np.where(on, size, 0).astype(np.float32)


def _given_parent(features: Features) -> np.ndarray:
    """The probability of each where its parent is on."""
    p, parent = features.probability, features.parent
    given = p.copy()
    for child in np.flatnonzero(parent >= 0):
        siblings = (parent == parent[child]) & (np.arange(len(p)) != child)
        above = p[parent[child]]
        given[child] = min(p[child] / above * (1 + p[siblings].sum() / above), 1.0)
    return np.clip(given, 1e-12, 1 - 1e-12)


def _apart(directions: np.ndarray, steps: int = 100, rate: float = 3e-4) -> np.ndarray:
    """Rows of norm 1 after Adam steps on the mean squared cosine of all pairs."""
    rows = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    first, second = np.zeros_like(rows), np.zeros_like(rows)
    for step in range(1, steps + 1):
        cosine = rows @ rows.T
        np.fill_diagonal(cosine, 0)
        gradient = 4 * cosine @ rows
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * np.square(gradient)
        size = np.sqrt(second / (1 - 0.999**step)) + 1e-8
        rows = rows - rate * first / (1 - 0.9**step) / size
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows
