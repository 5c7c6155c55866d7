"""UDR: models that disentangle agree with each other; no factors needed."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from zoo.evaluation.checks import as_codes, undefined
from zoo.registry import one_of


def udr(
    codes: Sequence[Any],
    divergences: Sequence[Any] | None = None,
    *,
    correlation: str = "lasso",
    penalty: float = 0.1,
    threshold: float = 0.01,
) -> dict[str, np.ndarray]:
    """Unsupervised disentanglement ranking of models that differ in their seed.

    For each ordered pair of models, R is the matrix of absolute lasso weights that predict the
    (standardised) codes of the second from those of the first, or of absolute rank correlations.
    With r_a = (max_b R_ab)^2 / sum_b R_ab, the pair's score is the mean of r over the rows and over
    the columns, averaged: 1 where informative units pair off one to one (and correlate fully). A
    model's score is the median of its pairs. Units that tell nothing are left out.

    Source: Duan et al. 2020, "Unsupervised Model Selection for Variational Disentangled
    Representation Learning", equations 3 and 4. Lasso weight, threshold and the median are
    disentanglement_lib's; on the same codes and divergences the values agree.

    Args:
        codes: two models or more, each (n, units) of the same n examples in the same order; the
            protocol takes 1,000 examples.
        divergences: for each model (units,), the mean over examples of KL(q(z_j|x) || p(z_j)) in
            nats. Without them a unit is informative where the variance of its code exceeds
            ``threshold``.
        correlation: "lasso" or "spearman".
        penalty: of the lasso.
        threshold: divergence (or variance) above which a unit is informative.

    Returns:
        ``udr``: (models,), one score each; ``pairwise``: (models, models), entry (i, j) predicts j
        from i, the diagonal is NaN. NaN with a warning for a model without an informative unit.

    Raises:
        ValueError: for fewer than two models, or codes or divergences that do not match.

    Example:
        >>> from zoo.evaluation.disentanglement import udr
        >>> codes = np.random.default_rng(0).normal(size=(500, 2))
        >>> found = udr([codes, -codes[:, ::-1]], correlation="spearman")  # the same but for order and sign
        >>> found["udr"].shape, bool(np.all(found["udr"] > 0.9))
        ((2,), True)
    """
    codes = [as_codes(z) for z in codes]
    if len(codes) < 2 or len({len(z) for z in codes}) > 1:
        raise ValueError(
            "UDR needs the codes of two models or more for the same examples; "
            f"received shapes {[z.shape for z in codes]}."
        )
    ways = {"lasso": lambda a, b: _lasso(a, b, penalty), "spearman": _spearman}
    relate = ways[one_of(correlation, "correlation", ways)]
    used = _informative(codes, divergences, threshold)
    standard = [_standardise(z) * keep for z, keep in zip(codes, used, strict=True)]
    pairwise = np.full((len(codes), len(codes)), np.nan)
    for i, first in enumerate(standard):
        for j, second in enumerate(standard):
            if i != j and used[i].any() and used[j].any():
                matrix = relate(first, second)[np.ix_(used[i], used[j])]
                pairwise[i, j] = _relative_strength(matrix)
    for i, keep in enumerate(used):
        if not keep.any():
            undefined(f"udr of model {i}", "none of its units is informative")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a model without any pair stays NaN
        return {"udr": np.nanmedian(pairwise, axis=0), "pairwise": pairwise}


def _informative(codes, divergences, threshold: float) -> list[np.ndarray]:
    if divergences is None:
        return [z.var(axis=0, dtype=np.float64) > threshold for z in codes]
    rates = [np.asarray(rate, np.float64) for rate in divergences]
    if [rate.shape for rate in rates] != [(z.shape[1],) for z in codes]:
        raise ValueError(
            f"Divergences must have one number a unit, {[z.shape[1] for z in codes]} for the models; "
            f"received shapes {[rate.shape for rate in rates]}."
        )
    return [rate > threshold for rate in rates]


def _standardise(codes: np.ndarray) -> np.ndarray:
    from sklearn.preprocessing import StandardScaler

    return StandardScaler().fit_transform(codes.astype(np.float64))


def _lasso(first: np.ndarray, second: np.ndarray, penalty: float) -> np.ndarray:
    from sklearn.linear_model import Lasso

    weights = Lasso(alpha=penalty).fit(first, second).coef_
    return np.abs(np.atleast_2d(weights)).T


def _spearman(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    from scipy.stats import rankdata

    a, b = (_standardise(rankdata(z, axis=0)) for z in (first, second))
    return np.abs(a.T @ b) / len(a)


def _relative_strength(matrix: np.ndarray) -> float:
    """Mean over columns and over rows of max^2 / sum; a column or row of zeros counts as 0."""
    halves = []
    for axis in (0, 1):
        total = matrix.sum(axis=axis)
        largest = matrix.max(axis=axis) ** 2
        halves.append(np.divide(largest, total, out=np.zeros_like(total), where=total > 0).mean())
    return float(np.mean(halves))
