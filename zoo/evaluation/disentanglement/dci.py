"""DCI: disentanglement, completeness and informativeness of boosted trees on the codes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from zoo.evaluation.bootstrap import Score, intervals
from zoo.evaluation.checks import NotComputable, as_codes, as_factors, undefined
from zoo.evaluation.disentanglement.rows import train_test


def dci(
    codes: Any,
    factors: Any,
    *,
    num_train: int = 10_000,
    num_test: int = 5_000,
    classifier: Callable[[int], Any] | None = None,
    jobs: int = -1,
    factor_bins: int | None = None,
    bootstrap: int = 0,
    refits: int = 0,
    seed: int = 0,
) -> dict[str, Score]:
    """DCI scores, with R_jk the importance of unit j in a classifier of factor k on the codes.

    dci_disentanglement  sum_j rho_j [1 - H(R_jk / sum_k R_jk)], entropy to the base of the number of
                         factors, rho_j = sum_k R_jk / sum R: 1 where each unit tells of one factor
    dci_completeness     sum_k rho_k [1 - H(R_jk / sum_j R_jk)], entropy to the base of the number of
                         units: 1 where one unit tells all of each factor
    dci_informativeness  mean test accuracy of the classifiers

    Source: Eastwood & Williams 2018, "A Framework for the Quantitative Evaluation of Disentangled
    Representations", section 2. Classifier (scikit-learn's GradientBoostingClassifier at its
    defaults) and sizes are disentanglement_lib's; on the same rows, with the same seed of the trees,
    the values agree. There the trees are not seeded, and break ties between units at random, which
    alone moves a value by about .001 at 7,000 training rows and .005 at 400. With fewer rows than
    both sizes ask for, they are divided in the same proportion.

    Args:
        codes: (n, units).
        factors: (n, factors), discrete.
        num_train: rows to fit.
        num_test: rows to score.
        classifier: from a seed to an unfitted scikit-learn classifier with
            ``feature_importances_``; by default gradient boosting. Its time grows with the number of
            values of a factor; a random forest is faster, but then values are not the protocol's.
        jobs: factors fitted at a time, in threads; -1 for one a core.
        factor_bins: see `zoo.evaluation.checks.as_factors`.
        bootstrap: resamples of the test rows, the classifiers held fixed, for the interval of the
            informativeness; 0 for none.
        refits: resamples of the training rows for the intervals of the other two. Each fits all
            classifiers anew.
        seed: of the rows, the classifiers and the resamples.

    Returns:
        The three scores, from 0 to 1. ``dci_disentanglement`` is NaN with a warning for one factor,
        ``dci_completeness`` for one unit.

    Raises:
        NotComputable: for too few rows, or a factor that is constant in the training rows.

    Example:
        >>> from sklearn.tree import DecisionTreeClassifier
        >>> from zoo.evaluation.disentanglement import dci
        >>> factors = np.array([[a, b] for a in range(10) for b in range(10)] * 3)
        >>> codes = factors + np.random.default_rng(0).normal(scale=0.01, size=(300, 2))
        >>> found = dci(codes, factors, classifier=lambda seed: DecisionTreeClassifier(random_state=seed))
        >>> {name: round(value, 2) for name, value in found.items()}
        {'dci_disentanglement': 1.0, 'dci_completeness': 1.0, 'dci_informativeness': 1.0}
    """
    codes = as_codes(codes)
    factors = as_factors(factors, len(codes), factor_bins)
    train, test = train_test(len(codes), num_train, num_test, seed)
    held_out = codes[test], factors[test]
    importance, correct = importances(
        codes[train], factors[train], *held_out, make=classifier, jobs=jobs, seed=seed
    )

    def refit(rows: np.ndarray) -> dict[str, float]:
        fitted = codes[train[rows]], factors[train[rows]]
        return _concentrations(
            importances(*fitted, *held_out, make=classifier, jobs=jobs, seed=seed)[0]
        )

    def informativeness(rows: np.ndarray) -> dict[str, float]:
        return {"dci_informativeness": float(correct[rows].mean())}

    if factors.shape[1] < 2:
        undefined("dci_disentanglement", "one factor leaves nothing to tell apart")
    if codes.shape[1] < 2:
        undefined("dci_completeness", "one unit leaves nothing to tell apart")
    return {
        **intervals(
            refit,
            len(train),
            refits,
            bounds=(0, 1),
            seed=seed,
            values=_concentrations(importance),
        ),
        **intervals(informativeness, len(test), bootstrap, bounds=(0, 1), seed=seed),
    }


def importances(
    codes_train: np.ndarray,
    factors_train: np.ndarray,
    codes_test: np.ndarray,
    factors_test: np.ndarray,
    *,
    make: Callable[[int], Any] | None = None,
    jobs: int = -1,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Importance of each unit for each factor, and which test rows are classified rightly.

    Args:
        codes_train: (m, units).
        factors_train: (m, factors).
        codes_test: (n, units).
        factors_test: (n, factors).
        make: see ``classifier`` of `dci`.
        jobs: see `dci`.
        seed: of the classifiers.

    Returns:
        (units, factors) importances, the columns sum to 1 (or 0, where no unit helps), and
        (n, factors) booleans.

    Raises:
        NotComputable: for a factor that is constant in the training rows.

    Example:
        >>> from sklearn.tree import DecisionTreeClassifier
        >>> from zoo.evaluation.disentanglement.dci import importances
        >>> factors = np.array([[a, b] for a in range(4) for b in range(4)])
        >>> make = lambda seed: DecisionTreeClassifier(random_state=seed)
        >>> table, right = importances(factors, factors, factors, factors, make=make)
        >>> table.round(3).tolist(), bool(right.all())
        ([[1.0, 0.0], [0.0, 1.0]], True)
    """
    from joblib import Parallel, delayed

    values = [len(np.unique(column)) for column in factors_train.T]
    if min(values) < 2:
        raise NotComputable(f"factor {int(np.argmin(values))} is constant in the training rows")
    make = make or _gradient_boosting

    def fit(factor: int) -> tuple[np.ndarray, np.ndarray]:
        model = make(seed).fit(codes_train, factors_train[:, factor])
        return model.feature_importances_, model.predict(codes_test) == factors_test[:, factor]

    # The longest first, so that the threads (which sklearn's trees leave free) end together.
    order = np.argsort(values)[::-1]
    fitted: Any = Parallel(jobs, prefer="threads")(delayed(fit)(factor) for factor in order)
    columns = [fitted[i] for i in np.argsort(order)]
    return np.stack([c[0] for c in columns], axis=1), np.stack([c[1] for c in columns], axis=1)


def concentration(table: np.ndarray) -> float:
    """Weighted mean over rows of 1 - H(row), H to the base of the row's length, NaN for length 1.

    Rows weigh by their share of the whole table; 0 for a table of zeros.

    Example:
        >>> from zoo.evaluation.disentanglement.dci import concentration
        >>> round(concentration(np.eye(3)), 6), round(concentration(np.ones((3, 3))), 6)
        (1.0, 0.0)
    """
    from scipy.stats import entropy

    if table.shape[1] < 2:
        return float("nan")
    # As in disentanglement_lib: a row of zeros counts as uniform.
    each = 1 - entropy(table + 1e-11, base=table.shape[1], axis=1)
    total = table.sum()
    return float(each @ table.sum(axis=1) / total) if total > 0 else 0.0


def _concentrations(importance: np.ndarray) -> dict[str, float]:
    return {
        "dci_disentanglement": concentration(importance),
        "dci_completeness": concentration(importance.T),
    }


def _gradient_boosting(seed: int) -> Any:
    from sklearn.ensemble import GradientBoostingClassifier

    return GradientBoostingClassifier(random_state=seed)
