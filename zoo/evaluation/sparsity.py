"""How sparse codes are, and what each unit stands for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from zoo.data.pixels import as_unit_floats
from zoo.evaluation.bootstrap import Score, intervals
from zoo.evaluation.checks import as_codes, undefined

THRESHOLD = 0.01
"""A unit is active in a code above this share of the root mean square of all codes."""
DEAD = 0.001
"""A unit is dead that is active in no more than this share of the codes."""


def hoyer(codes: np.ndarray) -> np.ndarray:
    """(sqrt(d) - ||z||_1 / ||z||_2) / (sqrt(d) - 1) of each row: 0 for equal magnitudes, 1 for one.

    Source: Hoyer 2004, "Non-negative Matrix Factorization with Sparseness Constraints", section 3.1.

    Args:
        codes: (n, d), d >= 2.

    Returns:
        (n,); NaN for a row of zeros.

    Example:
        >>> from zoo.evaluation.sparsity import hoyer
        >>> hoyer(np.array([[1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 5.0, 0.0]])).tolist()
        [0.0, 1.0]
    """
    magnitude = np.abs(as_codes(codes, 1)).astype(np.float64)
    root = np.sqrt(magnitude.shape[1])
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = magnitude.sum(axis=1) / np.linalg.norm(magnitude, axis=1)
        return (root - ratio) / (root - 1)


def gini(codes: np.ndarray) -> np.ndarray:
    """1 - 2 sum_k (|z|_(k) / ||z||_1) (d - k + 1/2) / d of each row, |z|_(1) <= ... <= |z|_(d).

    0 for equal magnitudes, 1 - 1/d where one unit is active.

    Source: Hurley & Rickard 2009, "Comparing Measures of Sparsity", table I.

    Args:
        codes: (n, d).

    Returns:
        (n,); NaN for a row of zeros.

    Example:
        >>> from zoo.evaluation.sparsity import gini
        >>> gini(np.array([[1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 5.0, 0.0]])).round(6).tolist()
        [0.0, 0.75]
    """
    magnitude = np.sort(np.abs(as_codes(codes, 1)).astype(np.float64), axis=1)
    d = magnitude.shape[1]
    weight = (d - np.arange(1, d + 1) + 0.5) / d
    with np.errstate(invalid="ignore"):
        return 1 - 2 * (magnitude @ weight) / magnitude.sum(axis=1)


def treves_rolls(codes: np.ndarray, axis: int = 1) -> np.ndarray:
    """(mean |z|)^2 / mean z^2: the smaller, the sparser; 1 for equal magnitudes, 1/d for one active.

    Source: Treves & Rolls 1991, "What determines the capacity of autoassociative memories in the
    brain?"; |z| for their non-negative rates.

    Args:
        codes: (n, d).
        axis: 1 for each code over the units (population), 0 for each unit over the codes (lifetime).

    Returns:
        (n,) or (d,); NaN where all are zero.

    Example:
        >>> from zoo.evaluation.sparsity import treves_rolls
        >>> treves_rolls(np.array([[1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 5.0, 0.0]])).tolist()
        [1.0, 0.25]
    """
    magnitude = np.abs(as_codes(codes, 1)).astype(np.float64)
    with np.errstate(invalid="ignore"):
        return magnitude.mean(axis=axis) ** 2 / np.square(magnitude).mean(axis=axis)


def one_active(codes: np.ndarray, share: float = 0.9) -> np.ndarray:
    """Which codes have max_j |z_j| / sum_j |z_j| > share: (n, d) -> (n,) booleans.

    Example:
        >>> from zoo.evaluation.sparsity import one_active
        >>> one_active(np.array([[1.0, 1.0, 1.0, 1.0], [0.0, 0.1, 5.0, 0.0]])).tolist()
        [False, True]
    """
    magnitude = np.abs(as_codes(codes, 1)).astype(np.float64)
    return magnitude.max(axis=1) > share * magnitude.sum(axis=1)


def activity(codes: np.ndarray, threshold: float = THRESHOLD) -> np.ndarray:
    """Which entries are active: |z_ij| > threshold * sqrt(mean z^2), the mean over all entries.

    The threshold follows the scale of the codes, since most models can shrink it for nothing.

    Args:
        codes: (n, d).
        threshold: a share of the root mean square of all entries.

    Returns:
        (n, d) booleans, False everywhere for codes that are all zero.

    Example:
        >>> from zoo.evaluation.sparsity import activity
        >>> activity(np.array([[1.0, 0.0, 0.001], [0.0, -1.0, 0.5]])).tolist()
        [[True, False, False], [False, True, True]]
    """
    codes = as_codes(codes, 1)
    scale = np.sqrt(np.square(codes, dtype=np.float64).mean())
    return np.abs(codes) > threshold * scale


def scores(
    codes: np.ndarray,
    *,
    threshold: float = THRESHOLD,
    dead: float = DEAD,
    dense: float = 0.5,
    share: float = 0.9,
    bootstrap: int = 0,
    seed: int = 0,
) -> dict[str, Score]:
    """Sparsity of a set of codes.

    Args:
        codes: (n, d), n >= 2, d >= 2.
        threshold: above which share of the codes' root mean square an entry is active, see
            `activity`.
        dead: a unit is dead that is active in no more than this share of the codes.
        dense: a unit is dense that is active in more than this share of the codes.
        share: of `one_active`.
        bootstrap: resamples for the intervals, 0 for none.
        seed: of the resamples.

    Returns:
        Means over the codes of ``hoyer``, ``gini``, ``treves_rolls`` and ``l0`` (active units in a
        code); over the units that are not dead of ``treves_rolls_lifetime`` and ``kurtosis`` (excess
        kurtosis of the unit over the codes, 0 for a Gaussian); ``dead_units``, ``dense_units``;
        ``one_active_share``. Codes of zeros count in none of the first three.
        NaN with a warning where nothing is left to average.

    Raises:
        NotComputable: for fewer than 2 codes.

    Example:
        >>> from zoo.evaluation.sparsity import scores
        >>> found = scores(np.array([[1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 2.0, 0.0]]))
        >>> found["l0"], found["dead_units"], found["one_active_share"]
        (1.0, 1.0, 1.0)
    """
    codes = as_codes(codes)
    n, d = codes.shape
    active = activity(codes, threshold)
    rows_of = {
        "hoyer": hoyer(codes) if d > 1 else np.full(n, np.nan),
        "gini": gini(codes),
        "treves_rolls": treves_rolls(codes),
        "l0": active.sum(axis=1).astype(np.float64),
        "one_active_share": one_active(codes, share).astype(np.float64),
    }

    def statistics(rows: np.ndarray) -> dict[str, float]:
        result = {name: _mean(values[rows]) for name, values in rows_of.items()}
        frequency = active[rows].mean(axis=0)
        live = codes[rows][:, frequency > dead]
        result["treves_rolls_lifetime"] = _mean(treves_rolls(live, 0)) if live.size else np.nan
        result["kurtosis"] = _mean(_kurtosis(live)) if live.size else np.nan
        result["dead_units"] = float((frequency <= dead).sum())
        result["dense_units"] = float((frequency > dense).sum())
        return result

    result = intervals(statistics, n, bootstrap, seed=seed)
    missing = [name for name, value in statistics(np.arange(n)).items() if np.isnan(value)]
    if missing:
        undefined(", ".join(missing), "one unit has no sparsity" if d == 1 else "no unit varies")
    return result


def decoded_units(
    decode: Callable[[np.ndarray], np.ndarray],
    units: int,
    amplitude: float | np.ndarray = 1.0,
    centre: np.ndarray | None = None,
) -> np.ndarray:
    """The picture of each unit: decode(centre + amplitude * e_j), e_j the unit vector.

    Source: Pyle, "A Sparse VAE", figures of single latents.

    Args:
        decode: from (units, units) codes to (units, ...) pictures.
        units: the number of units.
        amplitude: how far to move, one number or (units,), for example 3 standard deviations.
        centre: (units,), zeros by default.

    Returns:
        (units, ...) float32, one picture each.

    Example:
        >>> from zoo.evaluation.sparsity import decoded_units
        >>> weights = np.arange(6.0).reshape(2, 3)
        >>> decoded_units(lambda codes: codes @ weights, units=2, amplitude=3.0).tolist()
        [[0.0, 3.0, 6.0], [9.0, 12.0, 15.0]]
    """
    codes = np.eye(units, dtype=np.float32) * np.asarray(amplitude, np.float32)
    if centre is not None:
        codes = codes + np.asarray(centre, np.float32)
    return np.asarray(decode(codes.astype(np.float32)))


def mean_active_inputs(x: np.ndarray, codes: np.ndarray, top: int = 25) -> np.ndarray:
    """The picture of each unit where there is no decoder: the mean of the inputs that drive it most.

    Args:
        x: (n, ...); uint8 pictures are divided by 255.
        codes: (n, units).
        top: how many inputs, those with the largest |z_j|, to average.

    Returns:
        (units, ...) float32.

    Raises:
        ValueError: where x and codes differ in length.

    Example:
        >>> from zoo.evaluation.sparsity import mean_active_inputs
        >>> x = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
        >>> codes = np.array([[5.0, 0.0], [0.0, 5.0], [0.0, 4.0]])
        >>> mean_active_inputs(x, codes, top=2)[1].tolist()
        [1.0, 0.5]
    """
    codes = as_codes(codes, 1)
    if len(x) != len(codes):
        raise ValueError(f"x must match the {len(codes)} codes; received {len(x)}.")
    top = min(top, len(codes))
    order = np.argpartition(-np.abs(codes), top - 1, axis=0)[:top]
    return np.stack([as_unit_floats(np.asarray(x)[rows]).mean(axis=0) for rows in order.T])


def _kurtosis(codes: np.ndarray) -> np.ndarray:
    from scipy.stats import kurtosis

    varies = codes.max(axis=0) > codes.min(axis=0)
    return kurtosis(codes[:, varies].astype(np.float64), axis=0)


def _mean(values: np.ndarray) -> float:
    values = values[~np.isnan(values)]
    return float(values.mean()) if len(values) else float("nan")
