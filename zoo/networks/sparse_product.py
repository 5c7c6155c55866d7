"""Products with a matrix that is mostly zeros, such as a sparse code or its gradient.

Where at most one number in 16 is not 0, and XLA does not compile the step, the others are left out: for 32 of
3,072 units such a product takes a quarter of the time, the search for the numbers included. The results are
those of `tf.matmul` but for the rounding of sums.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from zoo.selection import in_xla

# One number in so many, at the most, is not 0 where the search for them pays.
SPARSE = 16
# One in so many, where the number is known before: with 25 of 1,000 units and 784 inputs the search costs
# more than it saves (a step of a k-sparse autoencoder takes 1.1 times as long), with 32 of 3,072 it pays.
FEW = 64


def of_sparse(code: tf.Tensor, matrix: tf.Tensor, dtype: Any = tf.float32) -> tf.Tensor:
    """The product code @ matrix, where rows of the code are mostly zeros.

    Args:
        code: (batch, units) float32.
        matrix: (units, size) float32.
        dtype: what a product of full matrices is computed in.

    Returns:
        (batch, size) float32.

    Example:
        >>> from zoo.networks.sparse_product import of_sparse
        >>> code = np.zeros((2, 20), "float32")
        >>> code[1, 3] = 2
        >>> of_sparse(code, np.ones((20, 3), "float32")).numpy().tolist()
        [[0.0, 0.0, 0.0], [2.0, 2.0, 2.0]]
    """
    return _Few(code).times(matrix, dtype)


def with_sparse_gradient(
    inputs: tf.Tensor, kernel: tf.Tensor, dtype: Any = tf.float32
) -> tf.Tensor:
    """The product inputs @ kernel, of whose numbers few have a gradient.

    Args:
        inputs: (batch, size) float32.
        kernel: (size, units) float32.
        dtype: what a product of full matrices is computed in.

    Returns:
        (batch, units) float32.

    Example:
        >>> from zoo.networks.sparse_product import with_sparse_gradient
        >>> with_sparse_gradient(np.ones((1, 2), "float32"), np.eye(2, dtype="float32")).numpy().tolist()
        [[1.0, 1.0]]
    """

    @tf.custom_gradient
    def product(inputs: tf.Tensor, kernel: tf.Tensor) -> tuple[tf.Tensor, Callable]:
        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            numbers = _Few(upstream)
            of_inputs = numbers.times(tf.transpose(kernel), dtype)
            return of_inputs, tf.transpose(numbers.times(inputs, dtype, transposed=True))

        return product_in(inputs, kernel, dtype), gradient

    result: Any = product(inputs, kernel)
    return result


class _Few:
    """A matrix (rows, columns) of which few numbers are not 0, as is found out in every step."""

    def __init__(self, matrix: tf.Tensor):
        self.matrix = matrix
        # TensorFlow's gradient of its sparse product, which a tape within a tape asks for, fails or leaves
        # out the numbers that are 0: no tape sees what is computed of this.
        self._still = tf.stop_gradient(matrix)
        if in_xla():
            return
        found = tf.math.count_nonzero(self._still, dtype=tf.int32)
        # TensorFlow's sparse product of no rows, which a replica may have, divides by 0 and ends the process.
        self.few = (found <= tf.size(matrix) // SPARSE) & (tf.size(matrix) > 0)
        self.places, self.values = tf.cond(self.few, self._search, self._nothing)

    def times(self, other: tf.Tensor, dtype: Any, transposed: bool = False) -> tf.Tensor:
        """This matrix, which may be transposed, @ other; it has gradients of any order."""

        @tf.custom_gradient
        def product(matrix: tf.Tensor, other: tf.Tensor) -> tuple[tf.Tensor, Callable]:
            def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
                pair = (other, upstream) if transposed else (upstream, other)
                of_matrix = product_in(*pair, dtype, transpose_b=True)
                return of_matrix, self.times(upstream, dtype, not transposed)

            return self._product(tf.stop_gradient(other), dtype, transposed), gradient

        result: Any = product(self.matrix, other)
        return result

    def _product(self, other: tf.Tensor, dtype: Any, transposed: bool) -> tf.Tensor:
        matrix = self._still

        def full() -> tf.Tensor:
            return product_in(matrix, other, dtype, transpose_a=transposed)

        def of_few() -> tf.Tensor:
            rows = tf.raw_ops.SparseTensorToCSRSparseMatrix(
                indices=self.places,
                values=self.values,
                dense_shape=tf.shape(matrix, out_type=tf.int64),
            )
            return tf.raw_ops.SparseMatrixMatMul(a=rows, b=other, transpose_a=transposed)

        return full() if in_xla() else tf.cond(self.few, of_few, full)

    def _search(self) -> tuple[tf.Tensor, tf.Tensor]:
        places = tf.where(tf.not_equal(self._still, 0))
        return places, tf.gather_nd(self._still, places)

    def _nothing(self) -> tuple[tf.Tensor, tf.Tensor]:
        return tf.zeros((0, 2), tf.int64), tf.zeros((0,), self.matrix.dtype)


def product_in(a: tf.Tensor, b: tf.Tensor, dtype: Any, **transposed: Any) -> tf.Tensor:
    """The product of two matrices computed in a type, float32.

    Example:
        >>> from zoo.networks.sparse_product import product_in
        >>> float(product_in(np.array([[1.001]]), np.array([[2.0]]), "bfloat16")[0, 0])
        2.0
    """
    product: Any = tf.matmul(tf.cast(a, dtype), tf.cast(b, dtype), **transposed)
    return tf.cast(product, tf.float32)
