"""The k largest of a row without a sort of the row.

What selects depends on where it runs, by cost:

- XLA has an operation for a few of many float32, and sorts every row in all other cases. There the k-th
  largest is found by bisection on the bits of the numbers instead: about 30 passes of counting.
- Elsewhere a row is cut into groups. The k groups with the largest maxima hold the k largest numbers, so that
  `tf.math.top_k` sees few numbers. It is worth its passes where k is 1/32 of a row or less.
- What remains is left to `tf.math.top_k`, unsorted: without XLA every pass of a bisection goes to memory and
  back.

All of them give the same numbers, bit for bit.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from tensorflow.python.ops import control_flow_util

# Up to each share k / n, groups of so many numbers.
_GROUPS = ((1 / 1024, 32), (1 / 64, 16), (1 / 32, 8))
# Up to this share k / n, and so many, XLA's own operation is the faster one.
_FEW_IN_XLA = 1 / 16, 1024
# Whole numbers of the width of a kind of floats.
_BITS = {
    tf.float16: tf.int16,
    tf.bfloat16: tf.int16,
    tf.float32: tf.int32,
    tf.float64: tf.int64,
}


def keep_largest(values: tf.Tensor, k: Any, by: tf.Tensor | None = None) -> tf.Tensor:
    """The k largest numbers of each row, and 0 for the others.

    All numbers that equal the k-th largest are kept, so that a row of ties keeps more than k. The gradient is
    that of what was kept: 1 where a number stays, 0 elsewhere.

    Args:
        values: (..., n).
        k: from 1 to n, a number or a scalar tensor.
        by: (..., n), what is compared; None for the values.

    Returns:
        As `values`.

    Example:
        >>> from zoo.selection import keep_largest
        >>> keep_largest(np.array([[3.0, 1.0, 2.0, 2.0]]), 2).numpy().tolist()
        [[3.0, 0.0, 2.0, 2.0]]
    """
    values = tf.convert_to_tensor(values)
    compared = values if by is None else by
    return tf.where(compared >= kth_largest(compared, k), values, tf.zeros_like(values))


def kth_largest(values: tf.Tensor, k: Any, share: float | None = None) -> tf.Tensor:
    """The k-th largest number of each row, without a gradient.

    Args:
        values: (..., n) floats that are not NaN.
        k: from 1 to n, a number or a scalar tensor.
        share: k / n where k is a tensor and this is known; it decides how, and not what is found.

    Returns:
        (..., 1).

    Example:
        >>> from zoo.selection import kth_largest
        >>> kth_largest(np.array([[3.0, 1.0, 2.0]]), 2).numpy().tolist()
        [[2.0]]
    """
    values = tf.stop_gradient(tf.convert_to_tensor(values))
    width: Any = values.shape[-1]
    if in_xla():
        most, few = _FEW_IN_XLA
        size: Any = width if isinstance(k, int) and values.dtype == tf.float32 else None
        if size is None or k > min(most * size, few):
            return by_bisection(values, k)
        # Of rows in one axis, or it would sort; so would a slice of what it finds.
        found = by_top_k(tf.reshape(values, (-1, width)), k)
        return tf.reshape(found, tf.concat([tf.shape(values)[:-1], [1]], axis=0))
    if share is None and isinstance(k, int) and width is not None:
        share = k / width
    for most, size in _GROUPS:
        if share is not None and share <= most:
            return by_groups(values, k, size)
    return by_top_k(values, k)


def in_xla() -> bool:
    """Whether the graph that is being traced is compiled by XLA.

    Example:
        >>> from zoo.selection import in_xla
        >>> in_xla()
        False
    """
    return bool(control_flow_util.GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph()))


def by_top_k(values: tf.Tensor, k: Any) -> tf.Tensor:
    """`kth_largest` by TensorFlow's own operation.

    Example:
        >>> from zoo.selection import by_top_k
        >>> float(by_top_k(np.array([3.0, 1.0, 2.0]), 3)[0])
        1.0
    """
    largest = tf.math.top_k(values, k, sorted=False).values
    return tf.reduce_min(largest, axis=-1, keepdims=True)


def by_groups(values: tf.Tensor, k: Any, size: int) -> tf.Tensor:
    """`kth_largest` of the numbers in the k groups with the largest maxima.

    Every number above the k-th largest lies in one of these groups: the maximum of its group is above the
    k-th largest too, and fewer than k groups have such a maximum.

    Args:
        values: (..., n).
        k: at most the number of groups.
        size: numbers of a group; the last group may have fewer.

    Returns:
        (..., 1).

    Example:
        >>> from zoo.selection import by_groups
        >>> float(by_groups(np.array([3.0, 1.0, 2.0, 5.0, 4.0]), 2, 2)[0])
        4.0
    """
    values = tf.convert_to_tensor(values)
    shape = tf.shape(values)
    known = values.shape[-1]
    width: Any = shape[-1] if known is None else known
    rows = tf.reshape(values, (-1, width))
    spare = -width % size
    if known is None or spare:
        rows = tf.pad(rows, [[0, 0], [0, spare]], constant_values=values.dtype.min)
    groups = tf.reshape(rows, (-1, (width + spare) // size, size))
    chosen = tf.math.top_k(tf.reduce_max(groups, axis=-1), k, sorted=False).indices
    candidates = tf.gather(groups, chosen, axis=1, batch_dims=1)
    found = by_top_k(tf.reshape(candidates, (-1, k * size)), k)
    return tf.reshape(found, tf.concat([shape[:-1], [1]], axis=0))


def by_bisection(values: tf.Tensor, k: Any) -> tf.Tensor:
    """`kth_largest` by counting how many numbers are at least as large as one between two bounds.

    The bits of floats, read as whole numbers, have the order of the floats once those of negative ones are
    turned. So as many passes as a number has bits find the k-th largest exactly.

    Example:
        >>> from zoo.selection import by_bisection
        >>> float(by_bisection(np.array([3.0, -1.0, 2.0]), 3)[0])
        -1.0
    """
    values = tf.convert_to_tensor(values)
    kind = _BITS[values.dtype]
    bits = tf.bitwise
    one = tf.constant(1, kind)
    keys = _turned(tf.bitcast(values, kind))

    def narrower(low: tf.Tensor, high: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        apart = bits.bitwise_xor(low, high)
        # Half of the sum, rounded up; the sum itself may be too large for its kind.
        middle = bits.bitwise_or(low, high) - bits.right_shift(apart, one)
        enough = tf.math.count_nonzero(keys >= middle, -1, keepdims=True, dtype=tf.int32) >= k
        return tf.where(enough, middle, low), tf.where(enough, high, middle - one)

    first = (
        tf.reduce_min(keys, axis=-1, keepdims=True),
        tf.reduce_max(keys, axis=-1, keepdims=True),
    )
    found, _ = tf.while_loop(lambda low, high: tf.reduce_any(low < high), narrower, first)
    return tf.bitcast(_turned(found), values.dtype)


def _turned(keys: tf.Tensor) -> tf.Tensor:
    """Floats' bits as whole numbers in the floats' order, and back."""
    kind = keys.dtype
    sign = tf.bitwise.right_shift(keys, tf.constant(8 * kind.size - 1, kind))
    return tf.bitwise.bitwise_xor(keys, tf.bitwise.bitwise_and(sign, tf.constant(kind.max, kind)))
