"""The maximum mean discrepancy between two samples: unbiased, for any kernel, in blocks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from zoo.evaluation.checks import NotComputable, batches

Kernel = Callable[[np.ndarray, np.ndarray], np.ndarray]

_BLOCK = 1000


def squared_mmd(a: np.ndarray, b: np.ndarray, kernel: Kernel) -> float:
    """The unbiased estimate of MMD^2 = E k(a, a') + E k(b, b') - 2 E k(a, b).

    Pairs of a point with itself are left out (the U-statistic), so the estimate has the right mean
    for any sample size, and may fall below 0 where the two distributions agree.

    Source: Gretton et al. 2012, "A Kernel Two-Sample Test", equation 3.

    Args:
        a: (n, d) sample of one distribution, n >= 2.
        b: (m, d) sample of the other, m >= 2.
        kernel: from (i, d) and (j, d) to the kernel matrix (i, j).

    Returns:
        MMD^2, in the kernel's units.

    Raises:
        NotComputable: for fewer than two rows in either sample.
        ValueError: for samples of different width.

    Example:
        >>> from zoo.evaluation.kernel_distance import gaussian_kernel, squared_mmd
        >>> a, b = np.random.default_rng(0).normal(size=(2, 500, 2))
        >>> kernel = gaussian_kernel(bandwidth=1.0)
        >>> abs(squared_mmd(a, b, kernel)) < 0.01, squared_mmd(a, b + 3, kernel) > 0.5
        (True, True)
    """
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise ValueError(
            f"Two samples need shapes (n, d) and (m, d); received {a.shape}, {b.shape}."
        )
    if min(len(a), len(b)) < 2:
        raise NotComputable(f"needs two samples of 2 or more; received {len(a)} and {len(b)}")
    return float(_within(a, kernel) + _within(b, kernel) - 2 * _between(a, b, kernel))


def gaussian_kernel(bandwidth: float) -> Kernel:
    """k(x, y) = exp(-||x - y||^2 / (2 h^2)), h the bandwidth, on the scale of the data.

    Example:
        >>> from zoo.evaluation.kernel_distance import gaussian_kernel
        >>> kernel = gaussian_kernel(bandwidth=1.0)
        >>> kernel(np.array([[0.0]]), np.array([[0.0], [2.0]])).round(3).tolist()
        [[1.0, 0.135]]
    """
    from sklearn.metrics.pairwise import rbf_kernel

    return lambda a, b: rbf_kernel(a, b, gamma=0.5 / bandwidth**2)


def cubic_kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """k(x, y) = (x . y / d + 1)^3, the kernel of the KID (Binkowski et al. 2018, section 4).

    Example:
        >>> from zoo.evaluation.kernel_distance import cubic_kernel
        >>> cubic_kernel(np.array([[1.0, 1.0]]), np.array([[1.0, 1.0], [-1.0, 1.0]])).tolist()
        [[8.0, 1.0]]
    """
    from sklearn.metrics.pairwise import polynomial_kernel

    return polynomial_kernel(a, b, degree=3, gamma=1 / a.shape[1], coef0=1)


def median_distance(sample: np.ndarray, limit: int = 1000) -> float:
    """The median distance between two points of a sample: a bandwidth that follows its scale.

    Args:
        sample: (n, d), n >= 2; only the first ``limit`` rows are compared.
        limit: bounds the cost, which grows as its square.

    Returns:
        The median over the pairs, above 0.

    Raises:
        NotComputable: where more than half of the pairs coincide.

    Example:
        >>> from zoo.evaluation.kernel_distance import median_distance
        >>> median_distance(np.array([[0.0], [1.0], [3.0]]))
        2.0
    """
    from scipy.spatial.distance import pdist

    median = float(np.median(pdist(sample[:limit])))
    if not median > 0:
        raise NotComputable("more than half of the samples coincide, so they give no bandwidth")
    return median


def _within(a: np.ndarray, kernel: Kernel) -> float:
    total = 0.0
    for rows in batches(len(a), _BLOCK):
        block = kernel(a[rows], a).astype(np.float64)
        total += block.sum() - np.trace(block, offset=rows.start)
    return total / (len(a) * (len(a) - 1))


def _between(a: np.ndarray, b: np.ndarray, kernel: Kernel) -> float:
    total = sum(kernel(a[rows], b).sum(dtype=np.float64) for rows in batches(len(a), _BLOCK))
    return total / (len(a) * len(b))
