"""The rows that recipes for dictionaries look at, and the middle of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.trainer.sources import array_of, checked, is_array

if TYPE_CHECKING:
    from zoo.autoencoder import Autoencoder
    from zoo.trainer.byte_scale import ByteScale

# Rows that are read at a time, and of which medians and k-means are taken.
CHUNK = 8192
SAMPLE = 20_000


def sample(array: np.ndarray) -> np.ndarray:
    """At most 20,000 rows, spread evenly over all."""
    return np.asarray(array[:: -(-len(array) // SAMPLE)])


def taken(model: Autoencoder, data: Any, field: str = "x") -> tuple[np.ndarray, ByteScale]:
    """Examples as an array, checked, and how the model divides them where they are bytes.

    Args:
        model: whose examples, or targets, they are.
        data: array (rows, ...), memory-mapped ones included.
        field: "x" or "target".

    Returns:
        The array as it is, and a scale, whose ``divided(rows)`` gives what the model sees of some rows.

    Raises:
        ValueError: for what is no array, or none of such examples.
    """
    shape: Any = model.event_shape if field == "x" else model.target_shape
    name = "x" if field == "x" else "y"
    if not is_array(array_of(data)):
        raise ValueError(
            f"{name} must be an array here; received {type(data).__name__}. A few thousand rows are enough."
        )
    array, scale = checked(array_of(data), shape, name), model.intake.scales[field]
    return scale.taken(array, name) if array.dtype == np.uint8 else array, scale


def geometric_median(rows: Any, iterations: int = 100, tolerance: float = 1e-6) -> np.ndarray:
    """The point whose distances to all rows have the smallest sum.

    Weiszfeld's iteration in the form of Vardi & Zhang, "The multivariate L1-median", 2000, equation 2.6,
    which does not stop at a row that it hits by chance.

    Args:
        rows: (n, d).
        iterations: at most.
        tolerance: of a step, as a share of the mean distance.

    Returns:
        (d,) float64.

    Example:
        >>> from zoo.recipes.dictionaries import geometric_median
        >>> rows = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [90.0, 90.0]])
        >>> geometric_median(rows).round(3).tolist()
        [0.789, 0.789]
    """
    rows = np.asarray(rows, np.float64)
    point = rows.mean(axis=0)
    for _ in range(iterations):
        difference = rows - point
        distance = np.linalg.norm(difference, axis=1)
        apart = distance > 1e-12 * max(distance.max(), 1e-300)
        if not apart.any():
            return point
        weight = 1 / distance[apart]
        pull = weight @ difference[apart]
        strength, here = np.linalg.norm(pull), np.count_nonzero(~apart)
        if strength <= here:  # the rows that lie here outweigh the others
            return point
        move = (1 - here / strength) * pull / weight.sum()
        point = point + move
        if np.linalg.norm(move) < tolerance * distance.mean():
            break
    return point
