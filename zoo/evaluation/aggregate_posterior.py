"""Codes of a whole set against the prior: active units, MMD, divergence of each unit."""

from __future__ import annotations

import numpy as np

from zoo.evaluation.checks import NotComputable, as_codes
from zoo.evaluation.kernel_distance import gaussian_kernel, median_distance, squared_mmd


def active_units(codes: np.ndarray, threshold: float = 0.01) -> np.ndarray:
    """Which units tell examples apart: Var_x(E_q[z_j | x]) > threshold.

    Source: Burda et al. 2016, "Importance Weighted Autoencoders", section 5.2.

    Args:
        codes: (n, units) means of the posterior.
        threshold: variance above which a unit is active.

    Returns:
        (units,) booleans.

    Example:
        >>> from zoo.evaluation.aggregate_posterior import active_units
        >>> codes = np.array([[0.0, 1.0], [0.0, 2.0], [0.01, 3.0]])
        >>> active_units(codes).tolist()
        [False, True]
    """
    return as_codes(codes).var(axis=0, dtype=np.float64) > threshold


def marginal_divergences(
    codes: np.ndarray, prior_samples: np.ndarray, bins: int = 100
) -> np.ndarray:
    """KL(q(z_j) || p(z_j)) of each unit, from histograms.

    Half of the bins' edges are quantiles of the codes, half of the prior samples. With q_b and p_b
    the shares of codes and of prior samples in bin b, the estimate is sum_b q_b log(q_b / p_b) -
    (bins - 1) / (2 n), the last term the bias of an entropy of n draws (Miller 1955), and never
    below 0. Bins blur the densities, so it lies below the true divergence, far below where the unit
    hardly varies (log(bins / 2) for a constant one). It needs samples only, so it serves any prior.

    Args:
        codes: (n, units) draws of the aggregate posterior.
        prior_samples: (m, units) draws of the prior, m much larger than ``bins``.
        bins: the number of bins.

    Returns:
        (units,) nats.

    Raises:
        NotComputable: for fewer than 2 codes or 10 prior samples a bin.
        ValueError: where the two have different numbers of units.

    Example:
        >>> from zoo.evaluation.aggregate_posterior import marginal_divergences
        >>> random = np.random.default_rng(0)
        >>> codes = random.normal(loc=[0.0, 1.0], size=(10_000, 2))  # KL(N(1, 1) || N(0, 1)) = 1/2
        >>> marginal_divergences(codes, random.normal(size=(10_000, 2))).round(1).tolist()
        [0.0, 0.5]
    """
    codes, prior_samples = as_codes(codes), as_codes(prior_samples)
    if codes.shape[1] != prior_samples.shape[1]:
        raise ValueError(
            f"Codes have {codes.shape[1]} units, prior samples {prior_samples.shape[1]}."
        )
    if len(prior_samples) < 10 * bins:
        raise NotComputable(
            f"needs 10 prior samples for each of {bins} bins; received {len(prior_samples)}"
        )
    return np.array(
        [_divergence(q, p, bins) for q, p in zip(codes.T, prior_samples.T, strict=True)]
    )


def scores(
    codes: np.ndarray,
    samples: np.ndarray,
    prior_samples: np.ndarray,
    *,
    bandwidth: float | None = None,
    limit: int = 2000,
    bins: int = 100,
    threshold: float = 0.01,
) -> dict[str, float]:
    """How the codes of a set lie under the prior.

    Args:
        codes: (n, units) means of the posterior.
        samples: (n, units) one draw of q(z|x) for each x; the codes of a deterministic encoder.
        prior_samples: (m, units) draws of the prior.
        bandwidth: of the MMD's Gaussian kernel; by default the median distance between prior draws.
        limit: the MMD takes so many of each sample, as its cost is quadratic.
        bins: of `marginal_divergences`.
        threshold: of `active_units`.

    Returns:
        ``active_units``, ``aggregate_mmd2`` (MMD^2, see `kernel_distance`), ``aggregate_kl`` and
        ``aggregate_kl_max`` (sum and maximum over the units of KL(q(z_j) || p(z_j)), nats).

    Example:
        >>> from zoo.evaluation.aggregate_posterior import scores
        >>> random = np.random.default_rng(0)
        >>> means = random.normal(size=(2000, 2)) * [0.9, 0.0]
        >>> draws = means + random.normal(size=(2000, 2)) * [0.4, 1.0]
        >>> found = scores(means, draws, random.normal(size=(2000, 2)))
        >>> sorted(found)
        ['active_units', 'aggregate_kl', 'aggregate_kl_max', 'aggregate_mmd2']
        >>> found["active_units"], found["aggregate_kl"] < 0.1
        (1.0, True)
    """
    samples, prior_samples = as_codes(samples), as_codes(prior_samples)
    divergences = marginal_divergences(samples, prior_samples, bins)
    bandwidth = median_distance(prior_samples) if bandwidth is None else bandwidth
    return {
        "active_units": float(active_units(codes, threshold).sum()),
        "aggregate_mmd2": squared_mmd(
            samples[:limit], prior_samples[:limit], gaussian_kernel(bandwidth)
        ),
        "aggregate_kl": float(divergences.sum()),
        "aggregate_kl_max": float(divergences.max()),
    }


def _divergence(q: np.ndarray, p: np.ndarray, bins: int) -> float:
    levels = np.linspace(0, 1, bins // 2 + 1)[1:-1]
    # A discrete distribution has repeated quantiles, which make one edge.
    edges = np.unique(np.concatenate([np.quantile(q, levels), np.quantile(p, levels)]))
    p_share = np.bincount(np.digitize(p, edges), minlength=len(edges) + 1) / len(p)
    q_share = np.bincount(np.digitize(q, edges), minlength=len(edges) + 1) / len(q)
    used = q_share > 0
    # A bin without a prior sample counts as if it held half of one.
    ratio = q_share[used] / np.maximum(p_share[used], 0.5 / len(p))
    biased = float((q_share[used] * np.log(ratio)).sum())
    return max(0.0, biased - len(edges) / (2 * len(q)))
