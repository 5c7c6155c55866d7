"""Modularity (each unit tells of one factor) and explicitness (factors can be read linearly)."""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo.evaluation.bootstrap import Score, intervals
from zoo.evaluation.checks import NotComputable, as_codes, as_factors, undefined
from zoo.evaluation.disentanglement.mutual_information import discretise, mutual_information
from zoo.evaluation.disentanglement.rows import train_test
from zoo.evaluation.probing import fitted


def modularity_explicitness(
    codes: Any,
    factors: Any,
    *,
    num_train: int = 10_000,
    num_test: int = 5_000,
    bins: int = 20,
    factor_bins: int | None = None,
    bootstrap: int = 0,
    seed: int = 0,
) -> dict[str, Score]:
    """Modularity and explicitness.

    modularity    mean over units j of 1 - sum_{k != a} I_jk^2 / [I_ja^2 (factors - 1)], I_jk the
                  mutual information of unit j (cut into bins) and factor k on the training rows, a
                  the factor of which j tells most; 0 for a unit that tells nothing
    explicitness  mean over factors, and over their values, of the test ROC AUC of a logistic
                  regression (one value against the others) on standardised codes: .5 is chance

    Source: Ridgeway & Mozer 2018, "Learning Deep Disentangled Embeddings with the F-Statistic Loss",
    section 3. Sizes and classifier (scikit-learn's defaults) are disentanglement_lib's; on the same
    rows the values agree. It fails where a value is missing from the test rows; here such a value is
    left out of the mean.

    Args:
        codes: (n, units).
        factors: (n, factors), discrete.
        num_train: rows to fit.
        num_test: rows to score; with fewer rows than both ask for, they are divided in the same
            proportion.
        bins: for the mutual information.
        factor_bins: see `zoo.evaluation.checks.as_factors`.
        bootstrap: resamples of training rows (modularity) and of test rows, the classifiers held
            fixed (explicitness); 0 for no intervals.
        seed: of the rows and resamples.

    Returns:
        ``modularity`` and ``explicitness``, from 0 to 1; ``modularity`` is NaN with a warning for one
        factor.

    Raises:
        NotComputable: for too few rows, or a factor that is constant in the training rows.

    Example:
        >>> from zoo.evaluation.disentanglement import modularity_explicitness
        >>> factors = np.array([[a, b] for a in range(3) for b in range(3)] * 200)
        >>> found = modularity_explicitness(factors.astype(float), factors)
        >>> round(found["modularity"], 1), found["explicitness"] > 0.8
        (1.0, True)
    """
    codes = as_codes(codes)
    factors = as_factors(factors, len(codes), factor_bins)
    train, test = train_test(len(codes), num_train, num_test, seed)
    units, train_factors = discretise(codes[train], bins), factors[train]
    if factors.shape[1] < 2:
        undefined("modularity", "one factor leaves nothing to tell apart")
    shares = probabilities(codes[train], train_factors, codes[test])
    return {
        **intervals(
            lambda rows: {
                "modularity": modularity(mutual_information(units[rows], train_factors[rows]))
            },
            len(train),
            bootstrap,
            bounds=(0, 1),
            seed=seed,
        ),
        **intervals(
            lambda rows: {"explicitness": _explicitness(shares, factors[test], rows)},
            len(test),
            bootstrap,
            bounds=(0, 1),
            seed=seed,
        ),
    }


def modularity(information: np.ndarray) -> float:
    """Modularity of (units, factors) mutual information; NaN for one factor.

    Example:
        >>> from zoo.evaluation.disentanglement.modularity_explicitness import modularity
        >>> modularity(np.eye(3)), modularity(np.ones((3, 3)))
        (1.0, 0.0)
    """
    squared = np.square(information)
    largest = squared.max(axis=1)
    others = squared.shape[1] - 1
    if not others:
        return float("nan")
    rest = squared.sum(axis=1) - largest
    spread = np.divide(rest, largest * others, out=np.ones_like(rest), where=largest > 0)
    return float((1 - spread).mean())


def probabilities(
    codes_train: np.ndarray, factors_train: np.ndarray, codes_test: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray]]:
    """For each factor: its values in training (values,), and their probabilities (n, values)."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    scaler: Any = StandardScaler().fit(codes_train)
    z_train, z_test = scaler.transform(codes_train), scaler.transform(codes_test)
    result = []
    for k, factor in enumerate(factors_train.T):
        if factor.min() == factor.max():
            raise NotComputable(f"factor {k} is constant in the training rows")
        model = fitted(LogisticRegression(), z_train, factor)  # the protocol's 100 iterations
        result.append((model.classes_, model.predict_proba(z_test)))
    return result


def _explicitness(shares, factors: np.ndarray, rows: np.ndarray) -> float:
    from sklearn.metrics import roc_auc_score

    means = []
    for (values, probability), factor in zip(shares, factors[rows].T, strict=True):
        truth = factor[:, None] == values
        varies = truth.any(axis=0) & ~truth.all(axis=0)
        if varies.any():
            means.append(roc_auc_score(truth[:, varies], probability[rows][:, varies]))
    return float(np.mean(means)) if means else float("nan")
