"""How well missing values are filled in, beside the mean and principal components."""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo.data.pixels import as_unit_floats
from zoo.evaluation.checks import as_examples
from zoo.values import positive_int


def scores(
    x: np.ndarray,
    missing: np.ndarray,
    filled: np.ndarray,
    x_train: np.ndarray,
    *,
    components: int = 10,
) -> dict[str, float]:
    """Root mean squared errors over the values that are missing.

    Args:
        x: (n, ...), the whole examples; bytes are divided by 255, as reconstructions come.
        missing: (n, ...), true where a value was hidden from the model.
        filled: (n, ...), what the model fills in, as ``model.reconstruct(x_with_nan)``.
        x_train: (m, ...), whole examples, by which the other two fill in.
        components: principal components.

    Returns:
        ``imputation_error`` of `filled`, ``imputation_error_mean`` of the training mean of each value, and
        ``imputation_error_pca`` of `by_components`.

    Raises:
        ValueError: for shapes that differ, or where nothing is missing.

    Example:
        >>> from zoo.evaluation.imputation import scores
        >>> x = np.random.default_rng(0).normal(size=(50, 1)) * np.ones(4)  # four equal values
        >>> missing = np.arange(200).reshape(50, 4) % 4 == 0
        >>> found = scores(x, missing, filled=x, x_train=x, components=1)
        >>> found["imputation_error"], found["imputation_error_pca"] < 1e-3
        (0.0, True)
        >>> found["imputation_error_mean"] > 0.5
        True
    """
    x, x_train = (as_unit_floats(as_examples(a, n)) for a, n in ((x, "x"), (x_train, "x_train")))
    missing, filled = np.asarray(missing, bool), as_unit_floats(np.asarray(filled))
    if missing.shape != x.shape or filled.shape != x.shape or x_train.shape[1:] != x.shape[1:]:
        raise ValueError(
            f"x, missing and filled must have one shape, and x_train examples of it; received {x.shape}, "
            f"{missing.shape}, {filled.shape} and {x_train.shape}."
        )
    if not missing.any():
        raise ValueError("Nothing is missing; mark what was hidden from the model.")
    whole, train = x.reshape(len(x), -1), x_train.reshape(len(x_train), -1).astype(np.float64)
    hidden = missing.reshape(len(x), -1)
    known = np.where(hidden, np.nan, whole)
    ways: dict[str, Any] = {
        "imputation_error": filled.reshape(len(x), -1),
        "imputation_error_mean": np.broadcast_to(train.mean(axis=0), whole.shape),
        "imputation_error_pca": by_components(known, train, components),
    }
    return {
        name: float(np.sqrt(np.square(values - whole)[hidden].mean()))
        for name, values in ways.items()
    }


def by_components(x: np.ndarray, x_train: np.ndarray, components: int) -> np.ndarray:
    """Missing values as predicted by the principal components, fitted to the values that are there.

    With the mean m and the directions W of the training rows, the row's code is argmin_z ||x - m - W z||^2
    over its observed values, with a ridge of 1e-6 that keeps it bounded where few are.

    Args:
        x: (n, d), NaN where a value is missing.
        x_train: (m, d).
        components: directions, at most as many as there are.

    Returns:
        (n, d), `x` with its gaps filled.

    Example:
        >>> from zoo.evaluation.imputation import by_components
        >>> train = np.random.default_rng(0).normal(size=(50, 1)) * [1.0, 2.0, 3.0]
        >>> by_components(np.array([[1.0, np.nan, 3.0]]), train, 1).round(3).tolist()
        [[1.0, 2.0, 3.0]]
    """
    mean = x_train.mean(axis=0)
    count = min(positive_int(components, "components"), *x_train.shape)
    directions = np.linalg.svd(x_train - mean, full_matrices=False)[2][:count]
    filled = np.array(x, np.float64)
    for row in filled:
        observed = ~np.isnan(row)
        known = directions[:, observed]
        gram = known @ known.T + 1e-6 * np.eye(count)
        code = np.linalg.solve(gram, known @ (row[observed] - mean[observed]))
        row[~observed] = (mean + code @ directions)[~observed]
    return filled
