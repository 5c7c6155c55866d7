"""Products with few numbers against those of full matrices."""

import numpy as np
import pytest
import tensorflow as tf

from zoo.networks.sparse_product import of_sparse, with_sparse_gradient


def matrices(few):
    random = np.random.default_rng(0)
    code = random.normal(size=(6, 40)).astype("float32")
    chosen = random.random(code.shape) < (0.03 if few else 0.5)
    other = random.normal(size=(40, 5)).astype("float32")
    return code * chosen, other, random.normal(size=(6, 5)).astype("float32")


def value_and_gradients(product, a, b, upstream):
    a, b = tf.convert_to_tensor(a), tf.convert_to_tensor(b)
    with tf.GradientTape() as tape:
        tape.watch([a, b])
        result = product(a, b)
    return (result, *tape.gradient(result, [a, b], upstream))


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("few", [True, False])
def test_a_sparse_code(few, compiled):
    code, atoms, upstream = matrices(few)
    found = tf.function(value_and_gradients, jit_compile=compiled)(of_sparse, code, atoms, upstream)
    for ours, expected in zip(
        found, (code @ atoms, upstream @ atoms.T, code.T @ upstream), strict=True
    ):
        np.testing.assert_allclose(ours, expected, atol=1e-5)


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("few", [True, False])
def test_a_sparse_gradient(few, compiled):
    upstream, kernel, x = matrices(few)
    found = tf.function(value_and_gradients, jit_compile=compiled)(
        with_sparse_gradient, x, kernel.T, upstream
    )
    for ours, expected in zip(
        found, (x @ kernel.T, upstream @ kernel, x.T @ upstream), strict=True
    ):
        np.testing.assert_allclose(ours, expected, atol=1e-5)


def slopes_of_slopes(product, a, b):
    """Of a sum of squares, and of the squares of its gradient."""
    a, b = tf.convert_to_tensor(a), tf.convert_to_tensor(b)
    with tf.GradientTape() as outer:
        outer.watch([a, b])
        with tf.GradientTape() as tape:
            tape.watch([a, b])
            result = tf.reduce_sum(tf.square(product(a, b)))
        first = tape.gradient(result, [a, b])
        total = tf.add_n([tf.reduce_sum(tf.square(gradient)) for gradient in first])
    return [*first, *outer.gradient(total, [a, b])]


@pytest.mark.parametrize("way", ["eager", "graph", "compiled"])
def test_gradients_of_gradients(way):
    """As a penalty of a Jacobian has them: by TensorFlow's own gradient they failed, or left out zeros."""
    code, atoms, chosen = matrices(few=True)
    x, chosen = chosen @ atoms.T, np.float32(code != 0)
    of = slopes_of_slopes
    if way != "eager":
        of = tf.function(of, jit_compile=way == "compiled", autograph=False)
    for sparse, full, pair in (
        (of_sparse, tf.matmul, (code, atoms)),
        (
            lambda a, b: with_sparse_gradient(a, b) * chosen,
            lambda a, b: tf.matmul(a, b) * chosen,
            (x, atoms @ atoms.T),
        ),
    ):
        for ours, expected in zip(of(sparse, *pair), slopes_of_slopes(full, *pair), strict=True):
            np.testing.assert_allclose(
                ours, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max()
            )


def test_few_numbers_are_computed_in_float32():
    code, atoms, upstream = matrices(few=True)
    found = value_and_gradients(lambda a, b: of_sparse(a, b, tf.bfloat16), code, atoms, upstream)
    np.testing.assert_allclose(found[0], code @ atoms, atol=1e-5)
    # All numbers of the code have a gradient, which is of a full product.
    np.testing.assert_allclose(found[1], upstream @ atoms.T, atol=0.1)
    assert np.abs(found[1] - upstream @ atoms.T).max() > 1e-4


def test_no_number_at_all():
    code, atoms, upstream = matrices(few=True)
    for part in value_and_gradients(of_sparse, 0 * code, atoms, upstream)[::2]:
        assert not np.any(part)


def test_no_row_at_all():
    """As a replica may have: in a graph TensorFlow's sparse product of none ends the process."""
    parts = [tf.zeros(shape) for shape in ((0, 40), (40, 5), (0, 5))]
    found = tf.function(value_and_gradients)(of_sparse, *parts)
    assert [part.shape for part in found] == [(0, 5), (0, 40), (40, 5)]
