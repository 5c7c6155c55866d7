"""How well examples come back: squared error, PSNR, SSIM and Bernoulli cross-entropy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from zoo.data.pixels import as_unit_floats, full_scale
from zoo.evaluation.bootstrap import Score, intervals
from zoo.evaluation.checks import NotComputable, as_examples, batches

_WINDOW = 11  # of the SSIM, pixels (Wang et al. 2004)


def per_example(
    x: np.ndarray,
    reconstruct: Callable[[np.ndarray], np.ndarray] | np.ndarray,
    *,
    data_range: float | None = None,
    batch_size: int = 500,
) -> dict[str, np.ndarray]:
    """Errors of each example, r the reconstruction of x with d values.

    squared_error           sum (x - r)^2
    mean_squared_error      sum (x - r)^2 / d
    psnr                    10 log10(R^2 / mean_squared_error), decibel, R the data range
    ssim                    structural similarity (Wang et al. 2004, equation 13): Gaussian window of
                            11 pixels (the picture's side, if that is less) and standard deviation
                            1.5, K1 = .01, K2 = .03, mean over positions and channels
    bernoulli_cross_entropy -sum [x log r + (1 - x) log(1 - r)], nats, r clipped to
                            [1e-7, 1 - 1e-7]

    Args:
        x: (n, ...) floats, or uint8 pictures, which are divided by 255. Pictures are
            (n, height, width) or (n, height, width, channels).
        reconstruct: from a batch of x to reconstructions of the same shape, or all of them as an
            array, on the scale of x (uint8 pictures: in [0, 1]).
        data_range: R; by default that of `data_range_of`.
        batch_size: examples that are worked on at a time.

    Returns:
        name -> (n,) float64. ``ssim`` only for pictures of at least 2 x 2 pixels,
        ``bernoulli_cross_entropy`` only where x and the reconstructions lie in [0, 1].

    Raises:
        ValueError: where shapes differ, or x or a reconstruction is not finite.

    Example:
        >>> from zoo.evaluation.reconstruction import per_example
        >>> x = np.zeros((2, 4))
        >>> errors = per_example(x, x + 0.1)
        >>> errors["squared_error"].round(6).tolist(), errors["psnr"].round(6).tolist()
        ([0.04, 0.04], [20.0, 20.0])
    """
    x = np.asarray(x)
    low, high = _limits(x)
    unit = low >= 0 and high <= 1
    data_range = data_range_of(x) if data_range is None else data_range
    columns: dict[str, list[np.ndarray]] = {}
    for rows in batches(len(x), batch_size):
        batch = as_unit_floats(x[rows])
        result = reconstruct(x[rows]) if callable(reconstruct) else reconstruct[rows]
        result = as_unit_floats(np.asarray(result))
        _check_pair(batch, result, rows.start)
        for name, values in _errors(batch, result, data_range, unit).items():
            columns.setdefault(name, []).append(values)
    joined = {name: np.concatenate(values) for name, values in columns.items()}
    # A batch outside [0, 1] has no cross-entropy, so the set has none.
    return {name: values for name, values in joined.items() if len(values) == len(x)}


def scores(
    errors: dict[str, np.ndarray],
    *,
    data_range: float = 1.0,
    bootstrap: int = 0,
    seed: int = 0,
) -> dict[str, Score]:
    """Means over the examples, and the PSNR of the whole set.

    ``psnr`` is the mean of the examples' PSNRs. ``psnr_total`` is the PSNR of the mean squared error
    over all values of all examples, which a few bad examples pull down further.

    Args:
        errors: what `per_example` returned.
        data_range: the R that it used.
        bootstrap: resamples for the intervals, 0 for none.
        seed: of the resamples.

    Returns:
        name -> value, or {"value", "low", "high"} with a bootstrap.

    Example:
        >>> from zoo.evaluation.reconstruction import per_example, scores
        >>> x = np.zeros((2, 4))
        >>> found = scores(per_example(x, np.stack([x[0] + 0.1, x[1] + 1.0])))
        >>> round(found["psnr"], 2), round(found["psnr_total"], 2)
        (10.0, 2.97)
    """

    def statistics(rows: np.ndarray) -> dict[str, float]:
        result = {name: float(values[rows].mean()) for name, values in errors.items()}
        total = float(_psnr(result["mean_squared_error"], data_range))
        first = {name: result.pop(name) for name in ("squared_error", "mean_squared_error", "psnr")}
        return {**first, "psnr_total": total, **result}

    n = len(errors["mean_squared_error"])
    return intervals(statistics, n, bootstrap, seed=seed)


def data_range_of(x: np.ndarray) -> float:
    """The R of the PSNR and the SSIM: 1 for x in [0, 1] and for uint8, else max(x) - min(x).

    Raises:
        ValueError: where x is empty or not finite.
        NotComputable: where x holds one value only, outside [0, 1].

    Example:
        >>> from zoo.evaluation.reconstruction import data_range_of
        >>> data_range_of(np.array([[0.0, 0.5]])), data_range_of(np.array([[-1.0, 2.0]]))
        (1.0, 3.0)
    """
    low, high = _limits(x)
    if low >= 0 and high <= 1:
        return 1.0
    if low == high:
        raise NotComputable("x holds one value only; pass data_range")
    return high - low


def _limits(x: np.ndarray) -> tuple[float, float]:
    x, scale = as_examples(x), full_scale(x.dtype)
    return float(x.min()) / scale, float(x.max()) / scale


def _check_pair(x: np.ndarray, result: np.ndarray, start: int) -> None:
    if x.shape != result.shape:
        raise ValueError(
            f"Reconstructions must have the shape of x, {x.shape}; received {result.shape}."
        )
    if not np.isfinite(result).all():
        raise ValueError(
            f"Reconstructions must be finite; those of x[{start}:{start + len(x)}] hold NaN or "
            "infinity."
        )


def _errors(
    x: np.ndarray, result: np.ndarray, data_range: float, unit: bool
) -> dict[str, np.ndarray]:
    axes = tuple(range(1, x.ndim))
    squared = np.square(x - result).sum(axis=axes, dtype=np.float64)
    mean = squared / np.prod(x.shape[1:])
    errors = {
        "squared_error": squared,
        "mean_squared_error": mean,
        "psnr": _psnr(mean, data_range),
    }
    if x.ndim in (3, 4) and min(x.shape[1:3]) >= 2:
        errors["ssim"] = _ssim(x, result, data_range)
    if unit and result.min() >= 0 and result.max() <= 1:
        # In float32 the upper bound would be 1 - 1.2e-7, and pixels of 0 and 1 counted unlike.
        p = np.clip(result, 1e-7, 1 - 1e-7, dtype=np.float64)
        entropy = x * np.log(p) + (1 - x) * np.log1p(-p)
        errors["bernoulli_cross_entropy"] = -entropy.sum(axis=axes, dtype=np.float64)
    return errors


def _psnr(error: np.ndarray | float, data_range: float) -> np.ndarray:
    with np.errstate(divide="ignore"):  # an exact reconstruction has an infinite ratio
        return 20 * np.log10(data_range) - 10 * np.log10(error)


def _ssim(x: np.ndarray, result: np.ndarray, data_range: float) -> np.ndarray:
    import tensorflow as tf

    if x.ndim == 3:
        x, result = x[..., None], result[..., None]
    window = min(_WINDOW, *x.shape[1:3])
    values = tf.image.ssim(
        tf.constant(x), tf.constant(result), max_val=data_range, filter_size=window
    )
    return values.numpy().astype(np.float64)
