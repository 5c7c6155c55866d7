"""Quantiles of a prior, of a SciPy distribution, or of the codes of data, unit by unit.

Pictures that walk through a code space walk in equal steps of probability: the same figure then
shows as much of a Cauchy prior as of a Normal one (Kingma and Welling 2014, appendix A, figure 4).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo.visualization.drawing.inputs import as_codes

_DRAWS = 20_000_000  # numbers drawn at most where a distribution has no quantile function


def quantiles(source: Any, probabilities: np.ndarray, units: int, seed: int = 0) -> np.ndarray:
    """Marginal quantiles of every unit.

    Args:
        source: a TFP distribution with event (units,) or scalar; a frozen SciPy distribution (it
            has ``ppf``); or codes (n, units), for the quantiles of the aggregate posterior.
        probabilities: (k,), within (0, 1).
        units: length of a code.
        seed: used where a TFP distribution has no quantile function: its quantiles are then those
            of up to 100,000 draws.

    Returns:
        (k, units), float64.

    Raises:
        ValueError: for probabilities outside (0, 1), or a source of another length or kind.

    Example:
        >>> from scipy.stats import norm
        >>> zoo.visualization.quantiles(norm(), np.array([0.025, 0.5, 0.975]), units=1).round(2).tolist()
        [[-1.96], [0.0], [1.96]]
        >>> codes = np.arange(101.0)[:, None]
        >>> zoo.visualization.quantiles(codes, np.array([0.25]), units=1).tolist()
        [[25.0]]
    """
    probabilities = np.asarray(probabilities, np.float64)
    if probabilities.ndim != 1 or not np.all((probabilities > 0) & (probabilities < 1)):
        raise ValueError(
            f"probabilities must be a vector of values within (0, 1); received {probabilities!r}."
        )
    if hasattr(source, "ppf"):
        values = np.asarray(source.ppf(probabilities[:, None]), np.float64)
    elif hasattr(source, "sample"):
        values = _of_tfp(source, probabilities, units, seed)
    else:
        values = np.quantile(as_codes(source, "the source of quantiles"), probabilities, axis=0)
    if values.ndim != 2 or values.shape[1] not in (1, units):
        raise ValueError(
            f"The source of quantiles must have {units} units; received {values.shape[-1]}."
        )
    return np.ascontiguousarray(np.broadcast_to(values, (len(probabilities), units)))


def check_coverage(coverage: float) -> None:
    """Raise a ValueError for a part of a distribution that is not within (0, 1)."""
    if not 0 < coverage < 1:
        raise ValueError(f"coverage must be within (0, 1); received {coverage!r}.")


def central(count: int, coverage: float = 0.95) -> np.ndarray:
    """Probabilities in equal steps over the central part of a distribution.

    Args:
        count: how many.
        coverage: the part, within (0, 1).

    Returns:
        (count,), from (1 - coverage) / 2 to (1 + coverage) / 2; 0.5 for one.

    Raises:
        ValueError: for a coverage outside (0, 1).
    """
    check_coverage(coverage)
    if count == 1:
        return np.array([0.5])
    return np.linspace((1 - coverage) / 2, (1 + coverage) / 2, count)


def midpoints(count: int) -> np.ndarray:
    """(i + 1/2) / count for i = 0 ... count - 1: the middles of equal steps of probability."""
    return (np.arange(count) + 0.5) / count


def _of_tfp(distribution: Any, probabilities: np.ndarray, units: int, seed: int) -> np.ndarray:
    from zoo.tfp import tfd

    base = distribution
    # Both only say that the units are independent; the quantile is their inner distribution's.
    while isinstance(base, (tfd.Independent, tfd.Sample)):
        base = base.distribution
    try:
        values = np.asarray(base.quantile(probabilities[:, None].astype(base.dtype.as_numpy_dtype)))
    except NotImplementedError:
        count = int(np.clip(_DRAWS // units, 1000, 100_000))
        draws = np.asarray(distribution.sample(count, seed=[seed, 0]))
        values = np.quantile(draws.reshape(count, -1), probabilities, axis=0)
    return values.astype(np.float64)
