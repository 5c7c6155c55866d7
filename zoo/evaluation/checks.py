"""What every metric asks of its input: finite codes, labels and factors of the right length."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data.scaling import divide
from zoo.values import is_missing


class NotComputable(ValueError):
    """The data are sound, but a group of metrics cannot be computed from them; the text says why."""


def as_codes(codes: Any, minimum: int = 2) -> np.ndarray:
    """Codes as a matrix of finite floats.

    Args:
        codes: shape (n, units); further axes, as of a feature map, are flattened into units.
        minimum: the fewest rows that the caller can work with.

    Returns:
        (n, units), float32 unless it was float64 already.

    Raises:
        ValueError: for fewer than two axes, no units, or a code that is not a finite number.
        NotComputable: for fewer rows than ``minimum``.

    Example:
        >>> from zoo.evaluation.checks import as_codes
        >>> as_codes(np.zeros((5, 2, 2, 3))).shape  # of a feature map
        (5, 12)
    """
    array = np.asarray(codes)
    if array.ndim < 2 or array.dtype.kind not in "fiub":
        raise ValueError(
            "Codes must be numbers of shape (n, units); "
            f"received shape {array.shape}, dtype {array.dtype}."
        )
    if array.size == 0 and len(array):
        raise ValueError(f"Codes need at least one unit; received shape {array.shape}.")
    if len(array) < minimum:
        raise NotComputable(f"needs at least {minimum} codes, received {len(array)}")
    array = array.reshape(len(array), -1)
    if array.dtype.kind != "f" or array.itemsize < 4:
        array = array.astype(np.float32)
    bad = ~np.isfinite(array).all(axis=1)
    if bad.any():
        raise ValueError(
            f"Codes must be finite; {bad.sum()} of {len(array)} rows hold NaN or infinity, "
            f"the first is row {bad.argmax()}. Look for a diverged model or unscaled inputs."
        )
    return array


def as_examples(x: Any, name: str = "x") -> np.ndarray:
    """Examples as an array of finite numbers, (n, ...) with n at least 1, as they are.

    Raises:
        ValueError: for anything else.

    Example:
        >>> from zoo.evaluation.checks import as_examples
        >>> as_examples([[0.0, 1.0], [2.0, 3.0]]).shape
        (2, 2)
    """
    x = np.asarray(x)
    if x.ndim < 2 or not len(x) or x.dtype.kind not in "fiub":
        raise ValueError(
            f"{name} must be numbers of shape (n, ...), n >= 1; "
            f"received shape {x.shape}, dtype {x.dtype}."
        )
    # The extremes are NaN or infinite where any value is, and cost no copy.
    if x.dtype.kind == "f" and not np.isfinite([x.min(), x.max()]).all():
        raise ValueError(f"{name} must be finite; it holds NaN or infinity.")
    return x


def as_seen(model: Any, x: np.ndarray) -> np.ndarray:
    """Examples on the scale that a model sees; bytes that it divides by 255 stay bytes, as in all measures.

    Args:
        model: anything; the folder of an export says what it divides bytes by.
        x: (n, *event).

    Returns:
        x itself, or float32 where x holds bytes that the model divides by another number.

    Example:
        >>> from zoo.evaluation.checks import as_seen
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,), likelihood="normal", scale=1)
        >>> as_seen(model, np.full((2, 6), 9, np.uint8)).max()
        np.float32(9.0)
    """
    if x.dtype == np.uint8 and isinstance(model, str | os.PathLike):
        return _as_export_sees(Path(model) / "inputs.json", x)
    intake = getattr(model, "intake", None)
    if intake is None or x.dtype != np.uint8 or x.shape[1:] != intake.event_shape:
        return x
    scale = intake.scales["x"]
    taken = scale.taken(x, "x")
    return taken if scale.divisor in (None, 255.0) else scale.divided(taken)


def _as_export_sees(description: Path, x: np.ndarray) -> np.ndarray:
    if not description.is_file():
        return x
    divisor = json.loads(description.read_text())["x"]["bytes_divided_by"]
    return x if divisor in (None, 255.0) else divide(x, divisor)


def as_labels(labels: Any, n: int, name: str = "labels") -> np.ndarray:
    """Labels as class indices 0, 1, ... in the order of the sorted label values.

    Args:
        labels: (n,) or (n, 1) integers, booleans or strings; one class each.
        n: the number of examples they belong to.
        name: how an error calls them.

    Returns:
        (n,) int64.

    Raises:
        ValueError: for another length, one-hot rows, NaN or None.

    Example:
        >>> from zoo.evaluation.checks import as_labels
        >>> as_labels(["dog", "cat", "dog"], n=3).tolist()
        [1, 0, 1]
    """
    array = np.asarray(labels)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise ValueError(
            f"{name} must have shape ({n},), one class each; received {array.shape}. "
            "Turn one-hot rows into classes with argmax(axis=1)."
        )
    if len(array) != n:
        raise ValueError(f"{name} must match the {n} examples; received {len(array)}.")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(f"{name} hold NaN or infinity; leave out the examples without a label.")
    if array.dtype == object and any(map(is_missing, array)):
        raise ValueError(f"{name} hold None or NaN; leave out the examples without a label.")
    return np.unique(array, return_inverse=True)[1].reshape(-1)


def as_factors(factors: Any, n: int, bins: int | None = None) -> np.ndarray:
    """Factors of variation as value indices, one column each; constant columns are left out.

    Args:
        factors: (n, factors) or (n,); any numbers or strings, few distinct values in each column.
        n: the number of codes they belong to.
        bins: where given, columns with more distinct values are cut into so many bins of equal
            width.

    Returns:
        (n, kept factors) int64, values 0 ... number of values - 1.

    Raises:
        ValueError: for another length, NaN, or a column that looks continuous (more than n / 2
            distinct values) where ``bins`` is not given.
        NotComputable: where no factor varies.

    Warns:
        UserWarning: for constant factors, which no score can see.

    Example:
        >>> from zoo.evaluation.checks import as_factors
        >>> as_factors(np.array([[10, 0.5], [30, 0.5], [10, 1.5], [30, 1.5]]), n=4).tolist()
        [[0, 0], [1, 0], [0, 1], [1, 1]]
    """
    array = np.asarray(factors)
    array = array[:, None] if array.ndim == 1 else array
    if array.ndim != 2 or len(array) != n:
        raise ValueError(
            f"Factors must have shape ({n}, factors) to match the {n} codes; received {array.shape}."
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError("Factors hold NaN or infinity; leave out those examples.")
    columns = []
    for j, column in enumerate(array.T):
        values, indices = np.unique(column, return_inverse=True)
        numeric = np.asarray(values.tolist()).dtype.kind in "fiub"
        if bins is not None and numeric and len(values) > bins:
            values, column = values.astype(np.float64), column.astype(np.float64)
            edges = np.linspace(values[0], values[-1], bins + 1)[1:-1]
            indices = np.unique(np.digitize(column, edges), return_inverse=True)[1]
        elif len(values) > max(n / 2, 2):
            raise ValueError(
                f"Factor {j} looks continuous: {len(values)} distinct values in {n} rows. "
                "Pass factor_bins, for example 20, to cut it into bins."
            )
        columns.append(indices.reshape(-1))
    indices = np.stack(columns, axis=1).astype(np.int64)
    constant = np.flatnonzero(indices.max(axis=0) == 0)
    if len(constant) == indices.shape[1]:
        raise NotComputable("no factor varies")
    if len(constant):
        warnings.warn(
            f"Factors {constant.tolist()} are constant and left out of the scores.", stacklevel=3
        )
    return np.delete(indices, constant, axis=1)


def batches(n: int, size: int) -> Iterator[slice]:
    """Slices that cover range(n) in steps of ``size``."""
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))


def undefined(metric: str, reason: str) -> float:
    """NaN for a metric that has no value here, with a warning that says why."""
    warnings.warn(f"{metric} is NaN: {reason}.", stacklevel=3)
    return float("nan")
