"""The mutual information gap, and its supplement that looks from the units."""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo.evaluation.bootstrap import Score, intervals
from zoo.evaluation.checks import as_codes, as_factors, undefined
from zoo.evaluation.disentanglement.mutual_information import (
    discretise,
    entropies,
    mutual_information,
)
from zoo.evaluation.disentanglement.rows import subset


def mig(
    codes: Any,
    factors: Any,
    *,
    num_train: int = 10_000,
    bins: int = 20,
    active_threshold: float = 0.01,
    factor_bins: int | None = None,
    bootstrap: int = 0,
    seed: int = 0,
) -> dict[str, Score]:
    """Mutual information gaps.

    mig      mean over factors k of [I(z_a; v_k) - I(z_b; v_k)] / H(v_k), a and b the two units that
             tell most about v_k: 1 where one unit alone holds each factor
    mig_sup  mean over active units j of the gap between the two largest I(z_j; v_k) / H(v_k) over the
             factors: 1 where each unit holds one factor alone

    Source: Chen et al. 2018, "Isolating Sources of Disentanglement", equation 6, and Li et al. 2020,
    "Progressive Learning and Disentanglement of Hierarchical Representations", section 4. ``mig`` is
    disentanglement_lib's on the same rows; ``mig_sup`` is not in it.

    Args:
        codes: (n, units).
        factors: (n, factors), discrete.
        num_train: at most so many random rows.
        bins: into which each unit is cut, between its extremes.
        active_threshold: units with a variance above it count in ``mig_sup``.
        factor_bins: see `zoo.evaluation.checks.as_factors`.
        bootstrap: resamples of the rows, 0 for no interval.
        seed: of the rows and resamples.

    Returns:
        ``mig`` and ``mig_sup``, from 0 to 1. NaN with a warning: ``mig`` for one unit, ``mig_sup``
        for one factor or no active unit.

    Example:
        >>> from zoo.evaluation.disentanglement import mig
        >>> factors = np.array([[a, b] for a in range(10) for b in range(10)])
        >>> {name: round(value, 3) for name, value in mig(factors.astype(float), factors).items()}
        {'mig': 1.0, 'mig_sup': 1.0}
        >>> mixed = np.stack([factors.sum(axis=1), np.ptp(factors, axis=1)], axis=1)
        >>> mig(mixed, factors)["mig"] < 0.5
        True
    """
    codes = as_codes(codes)
    factors = as_factors(factors, len(codes), factor_bins)
    rows = subset(len(codes), num_train, seed)
    codes, factors = codes[rows], factors[rows]
    units = discretise(codes, bins)
    active = codes.var(axis=0, dtype=np.float64) > active_threshold

    def statistics(rows: np.ndarray) -> dict[str, float]:
        normalised = _normalised_information(units[rows], factors[rows])
        return {"mig": _gap(normalised.T), "mig_sup": _gap(normalised[active])}

    if codes.shape[1] < 2:
        undefined("mig", "one unit has no gap")
    if factors.shape[1] < 2 or not active.any():
        undefined("mig_sup", "needs two factors and an active unit")
    return intervals(statistics, len(codes), bootstrap, bounds=(0, 1), seed=seed)


def _normalised_information(units: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """I(z_j; v_k) / H(v_k), (units, factors); 0 for a factor that is constant in these rows."""
    entropy = entropies(factors)
    information = mutual_information(units, factors)
    return np.divide(information, entropy, out=np.zeros_like(information), where=entropy > 0)


def _gap(table: np.ndarray) -> float:
    """Mean over rows of largest minus second largest entry."""
    if not len(table) or table.shape[1] < 2:
        return float("nan")
    ordered = np.sort(table, axis=1)
    return float((ordered[:, -1] - ordered[:, -2]).mean())
