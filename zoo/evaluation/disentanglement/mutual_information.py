"""Mutual information of units and factors, from counts; units are cut into bins first."""

from __future__ import annotations

import numpy as np


def discretise(codes: np.ndarray, bins: int = 20) -> np.ndarray:
    """Bins of equal width between the smallest and the largest value of each unit.

    Args:
        codes: (n, units).
        bins: their number.

    Returns:
        (n, units) int64, from 0 to bins - 1. A constant unit falls into one bin.

    Example:
        >>> from zoo.evaluation.disentanglement.mutual_information import discretise
        >>> discretise(np.array([[0.0], [0.4], [1.0]]), bins=2).tolist()
        [[0], [0], [1]]
    """
    # The edges of np.histogram, which refuses a unit that varies by the last digits of its type alone.
    edges = [np.linspace(unit.min(), unit.max(), bins + 1)[1:-1] for unit in codes.T]
    columns = [np.digitize(unit, own) for unit, own in zip(codes.T, edges, strict=True)]
    return np.stack(columns, axis=1)


def mutual_information(units: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """I(z_j; v_k) = sum p(z, v) log[p(z, v) / (p(z) p(v))] of the counted shares, nats.

    Args:
        units: (n, units) non-negative integers.
        factors: (n, factors) non-negative integers.

    Returns:
        (units, factors) float64. Counting makes it too large by about (cells - 1) / (2 n).

    Example:
        >>> from zoo.evaluation.disentanglement.mutual_information import mutual_information
        >>> factors = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
        >>> mutual_information(factors, factors).round(3).tolist()  # log 2 of the own, 0 of the other
        [[0.693, 0.0], [0.0, 0.693]]
    """
    return np.array([[_information(unit, factor) for factor in factors.T] for unit in units.T])


def entropies(factors: np.ndarray) -> np.ndarray:
    """H(v_k) = -sum p log p of each column: (n, factors) non-negative integers -> (factors,) nats.

    Example:
        >>> from zoo.evaluation.disentanglement.mutual_information import entropies
        >>> entropies(np.array([[0, 0], [0, 1], [1, 2], [1, 3]])).round(3).tolist()  # log 2, log 4
        [0.693, 1.386]
    """
    shares = [np.bincount(column) / len(column) for column in factors.T]
    return np.array([-(p[p > 0] * np.log(p[p > 0])).sum() for p in shares])


def _information(unit: np.ndarray, factor: np.ndarray) -> float:
    width = int(factor.max()) + 1
    counts = np.bincount(unit * width + factor, minlength=(int(unit.max()) + 1) * width)
    joint = counts.reshape(-1, width) / len(unit)
    independent = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    used = joint > 0
    information = float((joint[used] * np.log(joint[used] / independent[used])).sum())
    # What is left of independent columns is rounding, which the ratios of modularity would blow up.
    return information if information > 1e-12 else 0.0
