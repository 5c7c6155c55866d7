"""The beta-VAE score: does the difference of two codes tell which factor they share?"""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo.evaluation.bootstrap import Score, means
from zoo.evaluation.checks import as_codes, as_factors, undefined
from zoo.evaluation.disentanglement.rows import SharedValues
from zoo.evaluation.probing import fitted

_BLOCK = 500  # points of `batch_size` pairs that are held at a time


def beta_vae_score(
    codes: Any,
    factors: Any,
    *,
    num_train: int = 10_000,
    num_eval: int = 5_000,
    batch_size: int = 64,
    factor_bins: int | None = None,
    bootstrap: int = 0,
    seed: int = 0,
) -> dict[str, Score]:
    """Accuracy of a linear classifier that names the shared factor of pairs of codes.

    One point: draw a factor k, then ``batch_size`` pairs of rows that share the value of k; its
    features are mean |z - z'| over the pairs, its class is k. A logistic regression is fitted to
    ``num_train`` points and scored on ``num_eval`` others. Chance is 1 / factors.

    Source: Higgins et al. 2017, "beta-VAE", section 3. Sizes and the classifier (scikit-learn's
    defaults) are those of disentanglement_lib; given the same pairs the two agree, but a run there
    draws other pairs, so values scatter by about sqrt(a (1 - a) / num_eval) around the accuracy a.
    Where the grid of factors is incomplete, pairs come from the rows that exist.

    Args:
        codes: (n, units).
        factors: (n, factors), discrete.
        num_train: points to fit.
        num_eval: points to score.
        batch_size: pairs in a point.
        factor_bins: see `zoo.evaluation.checks.as_factors`.
        bootstrap: resamples of the scored points, the classifier held fixed; 0 for no interval.
        seed: of all draws.

    Returns:
        ``beta_vae_score``, from 0 to 1; NaN with a warning for one factor only.

    Example:
        >>> from zoo.evaluation.disentanglement import beta_vae_score
        >>> factors = np.array([[a, b] for a in range(10) for b in range(10)])
        >>> codes = factors + np.random.default_rng(0).normal(scale=0.01, size=(100, 2))
        >>> beta_vae_score(codes, factors, num_train=200, num_eval=100)
        {'beta_vae_score': 1.0}
    """
    codes = as_codes(codes)
    factors = as_factors(factors, len(codes), factor_bins)
    if factors.shape[1] < 2:
        return {"beta_vae_score": undefined("beta_vae_score", "one factor leaves nothing to name")}
    shared, rng = SharedValues(factors), np.random.default_rng(seed)
    train = points(codes, shared, num_train, batch_size, rng)
    test = points(codes, shared, num_eval, batch_size, rng)
    correct = predict(*train, test[0]) == test[1]
    return means({"beta_vae_score": correct}, bootstrap, bounds=(0, 1), seed=seed)


def points(
    codes: np.ndarray, shared: SharedValues, number: int, pairs: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Features (number, units) float64 and shared factors (number,) of so many points.

    Example:
        >>> from zoo.evaluation.disentanglement.beta_vae_score import points
        >>> from zoo.evaluation.disentanglement.rows import SharedValues
        >>> factors = np.array([[a, b] for a in range(4) for b in range(4)])
        >>> rng = np.random.default_rng(0)
        >>> features, shared = points(factors.astype(float), SharedValues(factors), 50, 8, rng)
        >>> bool(np.all(features[np.arange(50), shared] == 0))  # pairs do not differ in what they share
        True
    """
    named = rng.integers(shared.factors.shape[1], size=number)
    features = np.empty((number, codes.shape[1]))
    for start in range(0, number, _BLOCK):
        block = named[start : start + _BLOCK]
        for factor in np.unique(block):
            where = start + np.flatnonzero(block == factor)
            rows = shared.anchors(factor, len(where) * pairs, rng).reshape(-1, pairs)
            others = shared.partners(factor, rows, rng)
            features[where] = np.abs(codes[rows] - codes[others]).mean(axis=1)
    return features, named


def predict(features: np.ndarray, named: np.ndarray, test_features: np.ndarray) -> np.ndarray:
    """Factors that the logistic regression names: (m,) for (m, units) test features."""
    from sklearn.linear_model import LogisticRegression

    # The protocol stops after 100 iterations, on features of any scale.
    return fitted(LogisticRegression(), features, named).predict(test_features)
