"""IRS: does a unit stay put when the factors that it does not stand for change?"""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo.evaluation.bootstrap import Score, intervals
from zoo.evaluation.checks import as_codes, as_factors
from zoo.evaluation.disentanglement.mutual_information import discretise
from zoo.evaluation.disentanglement.rows import subset


def irs(
    codes: Any,
    factors: Any,
    *,
    num_train: int = 10_000,
    quantile: float = 0.99,
    bins: int = 20,
    factor_bins: int | None = None,
    bootstrap: int = 0,
    seed: int = 0,
) -> dict[str, Score]:
    """Interventional robustness score.

    With d_jk the mean over the values of factor k of the quantile of |z_j - E[z_j | v_k]| among rows
    with that value, and m_j = max |z_j - E z_j|: sum_j m_j max_k (1 - d_jk / m_j) / sum_j m_j.
    It is 1 where each unit is a function of one factor.

    Source: Suter et al. 2019, "Robustly Disentangled Causal Mechanisms", section 4. The quantile
    (1 is the paper's maximum) and the 20 bins into which factors are cut are disentanglement_lib's;
    on the same rows the values agree. It assumes independent factors: where the grid is incomplete so
    that factors hang together, a unit seems robust against a factor that its own factor implies.

    Args:
        codes: (n, units).
        factors: (n, factors), discrete.
        num_train: at most so many random rows.
        quantile: of the deviations, above 0 and at most 1.
        bins: into which the value indices of each factor are cut.
        factor_bins: see `zoo.evaluation.checks.as_factors`.
        bootstrap: resamples of the rows, 0 for no interval.
        seed: of the rows and resamples.

    Returns:
        ``irs``, from 0 to 1; 0 where no unit varies, as there.

    Example:
        >>> from zoo.evaluation.disentanglement import irs
        >>> factors = np.array([[a, b] for a in range(10) for b in range(10)])
        >>> round(irs(factors.astype(float), factors)["irs"], 3)
        1.0
    """
    codes = as_codes(codes)
    factors = as_factors(factors, len(codes), factor_bins)
    rows = subset(len(codes), num_train, seed)
    codes, values = codes[rows].astype(np.float64), discretise(factors[rows], bins)
    codes = codes[:, codes.var(axis=0) > 0]
    return intervals(
        lambda rows: {"irs": _score(codes[rows], values[rows], quantile)},
        len(codes),
        bootstrap,
        bounds=(0, 1),
        seed=seed,
    )


def _score(codes: np.ndarray, values: np.ndarray, quantile: float) -> float:
    largest = np.abs(codes - codes.mean(axis=0)).max(axis=0, initial=0)
    codes, largest = codes[:, largest > 0], largest[largest > 0]
    if not len(largest):
        return 0.0
    deviations = np.stack([_deviation(codes, factor, quantile) for factor in values.T], axis=1)
    robustness = (1 - deviations / largest[:, None]).max(axis=1)
    return float(np.average(robustness, weights=largest))


def _deviation(codes: np.ndarray, factor: np.ndarray, quantile: float) -> np.ndarray:
    """Mean over the factor's values of the quantile of the deviation within the value, (units,)."""
    groups = [codes[factor == value] for value in np.unique(factor)]
    spread = [np.quantile(np.abs(g - g.mean(axis=0)), quantile, axis=0) for g in groups]
    return np.mean(spread, axis=0)
