"""Bootstrap intervals: how far a score would move on another sample of the same size."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Score = float | dict[str, float]


def intervals(
    statistics: Callable[[np.ndarray], dict[str, float]],
    n: int,
    resamples: int = 0,
    *,
    level: float = 0.95,
    bounds: tuple[float, float] = (-np.inf, np.inf),
    seed: int = 0,
    values: dict[str, float] | None = None,
) -> dict[str, Score]:
    """Scores, each with its bootstrap interval where resamples are asked for.

    With q the quantiles and m the mean of the scores of rows drawn with replacement, the interval
    around the value v is [v + q(a/2) - m, v + q(1 - a/2) - m], a = 1 - level: the percentile interval
    (Efron & Tibshirani 1993, section 13.3), moved by v - m. Repeated rows bias some scores, as mutual
    information rises, and the move takes that out; for the others m is v.

    Args:
        statistics: from row indices (m,) to the scores by name.
        n: the number of rows.
        resamples: number of draws; 0 gives plain values.
        level: coverage, between 0 and 1.
        bounds: lowest and highest value that the scores can take; limits are clipped to them.
        seed: of the draws.
        values: the scores of all rows, where they are known and costly.

    Returns:
        name -> float, or name -> {"value", "low", "high"}.

    Raises:
        ValueError: for negative resamples or a level outside (0, 1).

    Example:
        >>> from zoo.evaluation.bootstrap import intervals
        >>> values = np.random.default_rng(0).normal(size=400)
        >>> found = intervals(lambda rows: {"mean": float(values[rows].mean())}, n=400, resamples=500)
        >>> round(found["mean"]["high"] - found["mean"]["low"], 1)  # near 2 * 1.96 / sqrt(400)
        0.2
    """
    if resamples < 0 or not 0 < level < 1:
        raise ValueError(
            "Bootstrap needs resamples >= 0 and a level between 0 and 1; "
            f"received {resamples} and {level}."
        )
    values = statistics(np.arange(n)) if values is None else values
    if not resamples:
        return dict(values)
    rng = np.random.default_rng(seed)
    draws = [statistics(rng.integers(n, size=n)) for _ in range(resamples)]
    tail = (1 - level) / 2
    scores: dict[str, Score] = {}
    for name, value in values.items():
        drawn = np.array([draw[name] for draw in draws])
        if np.isnan(value) or np.isnan(drawn).all():
            scores[name] = {"value": value, "low": float("nan"), "high": float("nan")}
            continue
        ends = np.nanquantile(drawn, [tail, 1 - tail]) - np.nanmean(drawn)
        low, high = np.clip(value + ends, *bounds)
        scores[name] = {"value": value, "low": float(low), "high": float(high)}
    return scores


def means(
    columns: dict[str, np.ndarray],
    resamples: int = 0,
    *,
    bounds: tuple[float, float] = (-np.inf, np.inf),
    seed: int = 0,
) -> dict[str, Score]:
    """Means of per-example values, with intervals where resamples are asked for.

    Args:
        columns: name -> (n,) values.
        resamples: as in `intervals`.
        bounds: as in `intervals`.
        seed: as in `intervals`.

    Returns:
        As `intervals`.

    Example:
        >>> from zoo.evaluation.bootstrap import means
        >>> means({"error": np.array([1.0, 2.0, 3.0])})
        {'error': 2.0}
        >>> sorted(means({"error": np.array([1.0, 2.0, 3.0])}, resamples=100)["error"])
        ['high', 'low', 'value']
    """
    n = len(next(iter(columns.values())))
    return intervals(
        lambda rows: {
            name: float(values[rows].mean(dtype=np.float64)) for name, values in columns.items()
        },
        n,
        resamples,
        bounds=bounds,
        seed=seed,
    )
