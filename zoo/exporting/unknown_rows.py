"""NaN stays NaN in exported functions: no row of numbers comes out for a row that was none."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def nan_for_unknown(answer: Any, *given: Any, missing: bool = False) -> Any:
    """The answer of a function, with NaN in each row that was given NaN or infinity.

    A layer need not do that by itself: TensorFlow's matrix product with a ReLU makes 0 of NaN. An exported
    function does not raise, since a server gives it rows of several callers at once.

    Args:
        answer: a tensor (rows, ...), or a nest of them.
        *given: what the function was given, nests of (rows, ...); whole numbers are always known.
        missing: whether NaN stands for a missing value in the first, so that infinity alone is refused.

    Returns:
        As `answer`.

    Example:
        >>> from zoo.exporting.unknown_rows import nan_for_unknown
        >>> nan_for_unknown(np.zeros((2, 1), "float32"), np.float32([[1, 2], [3, np.nan]])).numpy()
        array([[ 0.],
               [nan]], dtype=float32)
    """
    known = [
        _known(part, missing and not place)
        for place, nest in enumerate(given)
        for part in map(tf.convert_to_tensor, tf.nest.flatten(nest))
        if part.dtype.is_floating
    ]
    if not known:
        return answer
    rows = known[0] if len(known) == 1 else tf.reduce_all(tf.stack(known), axis=0)

    def of_rows(part: Any) -> tf.Tensor:
        part = tf.convert_to_tensor(part)
        shape = [-1, *[1] * (part.shape.rank - 1)]
        return tf.where(tf.reshape(rows, shape), part, tf.cast(float("nan"), part.dtype))

    return tf.nest.map_structure(of_rows, answer)


def _known(part: tf.Tensor, missing: bool) -> tf.Tensor:
    """(rows,), whether all numbers of a row are finite, in operations that LiteRT and ONNX have."""
    finite = tf.abs(part) <= part.dtype.max
    if missing:
        finite |= tf.math.is_nan(part)
    return tf.reduce_all(finite, axis=list(range(1, part.shape.rank)))
