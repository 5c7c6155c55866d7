"""SAP: by how much the best unit alone predicts a factor better than the second best."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from zoo.evaluation.bootstrap import Score, intervals
from zoo.evaluation.checks import NotComputable, as_codes, as_factors, undefined
from zoo.evaluation.disentanglement.rows import train_test


def sap(
    codes: Any,
    factors: Any,
    *,
    num_train: int = 10_000,
    num_test: int = 5_000,
    continuous: bool = False,
    jobs: int = -1,
    factor_bins: int | None = None,
    bootstrap: int = 0,
    seed: int = 0,
) -> dict[str, Score]:
    """Separated attribute predictability: mean over factors of S_ak - S_bk, a, b the best units.

    S_jk is the test accuracy of a linear support vector classifier (C = .01, balanced classes) that
    sees unit j alone, or, for continuous factors, the squared correlation of z_j and v_k on the
    training rows.

    Source: Kumar et al. 2018, "Variational Inference of Disentangled Latent Concepts", section 3.
    Sizes and classifier are disentanglement_lib's; on the same rows the values agree.

    Args:
        codes: (n, units).
        factors: (n, factors); discrete, or any numbers where ``continuous``.
        num_train: rows to fit.
        num_test: rows to score; with fewer rows than both ask for, they are divided in the same
            proportion.
        continuous: use the squared correlation.
        jobs: classifiers fitted at a time, in threads; -1 for one a core.
        factor_bins: see `zoo.evaluation.checks.as_factors`.
        bootstrap: resamples of the test rows, the classifiers held fixed (of the training rows,
            where ``continuous``); 0 for no interval.
        seed: of the rows and resamples.

    Returns:
        ``sap``, from 0 to 1; NaN with a warning for one unit.

    Raises:
        NotComputable: for too few rows, or a factor that is constant in the training rows.

    Example:
        >>> from zoo.evaluation.disentanglement import sap
        >>> factors = np.array([[a, b] for a in range(2) for b in range(2)] * 50)
        >>> round(sap(factors.astype(float), factors)["sap"], 1)  # 1 for the own unit, chance for the other
        0.5
    """
    codes = as_codes(codes)
    if codes.shape[1] < 2:
        return {"sap": undefined("sap", "one unit has no second best")}
    if continuous:
        return _continuous(codes, factors, num_train, bootstrap, seed)
    factors = as_factors(factors, len(codes), factor_bins)
    train, test = train_test(len(codes), num_train, num_test, seed)
    correct = predictable(codes[train], factors[train], codes[test], factors[test], jobs=jobs)
    return intervals(
        lambda rows: {"sap": gap(correct[rows].mean(axis=0))},
        len(test),
        bootstrap,
        bounds=(0, 1),
        seed=seed,
    )


def predictable(
    codes_train: np.ndarray,
    factors_train: np.ndarray,
    codes_test: np.ndarray,
    factors_test: np.ndarray,
    *,
    jobs: int = -1,
) -> np.ndarray:
    """Which test rows unit j alone classifies rightly for factor k, (n, units, factors) booleans."""
    from joblib import Parallel, delayed
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.svm import LinearSVC

    constant = factors_train.max(axis=0) == factors_train.min(axis=0)
    if constant.any():
        raise NotComputable(f"factor {int(constant.argmax())} is constant in the training rows")

    def fit(unit: int, factor: int) -> np.ndarray:
        model = LinearSVC(C=0.01, class_weight="balanced", random_state=0)
        model.fit(codes_train[:, [unit]], factors_train[:, factor])
        predicted: Any = model.predict(codes_test[:, [unit]])
        return predicted == factors_test[:, factor]

    shape = (len(codes_test), codes_train.shape[1], factors_train.shape[1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the protocol stops there
        columns: Any = Parallel(jobs, prefer="threads")(
            delayed(fit)(*index) for index in np.ndindex(shape[1:])
        )
    return np.stack(columns, axis=1).reshape(shape)


def gap(scores: np.ndarray) -> float:
    """Mean over factors of the largest minus the second largest of (units, factors) scores.

    Example:
        >>> from zoo.evaluation.disentanglement.sap import gap
        >>> gap(np.array([[1.0, 0.5], [0.75, 0.0]]))  # .25 of the first factor, .5 of the second
        0.375
    """
    ordered = np.sort(scores, axis=0)
    return float((ordered[-1] - ordered[-2]).mean())


def _continuous(codes, factors, num_train, bootstrap, seed) -> dict[str, Score]:
    values = np.asarray(factors, np.float64).reshape(len(factors), -1)
    if len(values) != len(codes) or not np.isfinite(values).all():
        raise ValueError(
            f"Continuous factors must be finite numbers of shape ({len(codes)}, factors); "
            f"received {np.shape(factors)}."
        )
    rows = np.random.default_rng(seed).permutation(len(codes))[:num_train]
    codes, values = codes[rows].astype(np.float64), values[rows]

    def statistics(rows: np.ndarray) -> dict[str, float]:
        z, v = codes[rows] - codes[rows].mean(axis=0), values[rows] - values[rows].mean(axis=0)
        variance = np.outer((z**2).mean(axis=0), (v**2).mean(axis=0))
        squared = (z.T @ v / len(z)) ** 2
        # A unit that does not vary predicts nothing.
        return {
            "sap": gap(np.divide(squared, variance, np.zeros_like(squared), where=variance > 0))
        }

    return intervals(statistics, len(codes), bootstrap, bounds=(0, 1), seed=seed)
