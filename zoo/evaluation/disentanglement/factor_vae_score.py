"""The FactorVAE score: is the unit that varies least a function of the factor that is fixed?"""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo.evaluation.bootstrap import Score, means
from zoo.evaluation.checks import as_codes, as_factors, undefined
from zoo.evaluation.disentanglement.rows import SharedValues, subset


def factor_vae_score(
    codes: Any,
    factors: Any,
    *,
    num_train: int = 10_000,
    num_eval: int = 5_000,
    batch_size: int = 64,
    num_variance_estimate: int = 10_000,
    prune_threshold: float = 0.05,
    factor_bins: int | None = None,
    bootstrap: int = 0,
    seed: int = 0,
) -> dict[str, Score]:
    """Accuracy of a majority vote that names the fixed factor from the least varying unit.

    One vote: draw a factor k and one of its values, then ``batch_size`` rows with that value; the
    unit is argmin_j Var(z_j) / Var_all(z_j). The classifier names each unit by the factor that it won
    most often in ``num_train`` votes, and is scored on ``num_eval`` others. Units with a standard
    deviation below ``prune_threshold`` are left out. Chance is about 1 / factors.

    Source: Kim & Mnih 2018, "Disentangling by Factorising", section 4. Sizes and threshold are those
    of disentanglement_lib; given the same rows the two agree, but a run there draws other rows, so
    values scatter by about sqrt(a (1 - a) / num_eval) around the accuracy a. Where the grid of
    factors is incomplete, rows come from those that exist.

    Args:
        codes: (n, units).
        factors: (n, factors), discrete.
        num_train: votes to fit.
        num_eval: votes to score.
        batch_size: rows in a vote.
        num_variance_estimate: rows for Var_all.
        prune_threshold: standard deviation below which a unit has no vote.
        factor_bins: see `zoo.evaluation.checks.as_factors`.
        bootstrap: resamples of the scored votes, the classifier held fixed; 0 for no interval.
        seed: of all draws.

    Returns:
        ``factor_vae_score``, from 0 to 1; 0 where every unit is pruned, as there; NaN with a warning
        for one factor only.

    Example:
        >>> from zoo.evaluation.disentanglement import factor_vae_score
        >>> factors = np.array([[a, b] for a in range(10) for b in range(10)])
        >>> codes = factors + np.random.default_rng(0).normal(scale=0.01, size=(100, 2))
        >>> factor_vae_score(codes, factors, num_train=200, num_eval=100)
        {'factor_vae_score': 1.0}
    """
    name = "factor_vae_score"
    codes = as_codes(codes)
    factors = as_factors(factors, len(codes), factor_bins)
    if factors.shape[1] < 2:
        return {name: undefined(name, "one factor leaves nothing to name")}
    sample = codes[subset(len(codes), num_variance_estimate, seed)]
    variances = sample.var(axis=0, ddof=1, dtype=np.float64)
    active = np.sqrt(variances) >= prune_threshold
    if not active.any():
        return means({name: np.zeros(num_eval)}, bootstrap, bounds=(0, 1), seed=seed)
    codes, variances = codes[:, active], variances[active]
    shared, rng = SharedValues(factors), np.random.default_rng(seed)
    train = votes(codes, variances, shared, num_train, batch_size, rng)
    test = votes(codes, variances, shared, num_eval, batch_size, rng)
    right = correct(train, test, codes.shape[1])
    return means({name: right}, bootstrap, bounds=(0, 1), seed=seed)


def votes(
    codes: np.ndarray,
    variances: np.ndarray,
    shared: SharedValues,
    number: int,
    batch_size: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Fixed factors (number,) and least varying units (number,)."""
    fixed = rng.integers(shared.factors.shape[1], size=number)
    units = np.empty(number, np.int64)
    for factor in np.unique(fixed):
        where = np.flatnonzero(fixed == factor)
        anchors = np.repeat(shared.anchors(factor, len(where), rng)[:, None], batch_size, axis=1)
        rows = shared.partners(factor, anchors, rng)
        for i, chosen in zip(where, rows, strict=True):
            units[i] = np.argmin(codes[chosen].var(axis=0, ddof=1) / variances)
    return fixed, units


def correct(
    train: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray], units: int
) -> np.ndarray:
    """Which test votes the majority of the training votes names rightly, (len(test),) booleans."""
    table = np.zeros((1 + max(train[0].max(), test[0].max()), units), np.int64)
    np.add.at(table, train, 1)
    return table.argmax(axis=0)[test[1]] == test[0]
