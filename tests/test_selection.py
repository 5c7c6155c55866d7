"""The k largest of a row against NumPy's sort."""

import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo import selection
from zoo.selection import by_bisection, by_groups, by_top_k, keep_largest, kth_largest

WAYS = {
    "top_k": by_top_k,
    "groups": lambda values, k: by_groups(values, k, 8),
    "bisection": by_bisection,
    "chosen": kth_largest,
    "compiled": tf.function(kth_largest, jit_compile=True),
}


def numbers(shape, kind="float32"):
    """Many of them equal, some -0.0 and infinite."""
    values = np.random.default_rng(0).normal(size=shape).round(1)
    values.flat[::7] = -0.0
    values.flat[1::31] = np.inf
    values.flat[2::29] = -np.inf
    return tf.cast(values, kind)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("shape, k", [((3, 70), 1), ((3, 70), 9), ((2, 3, 64), 4), ((1000,), 15)])
def test_the_kth_largest_is_that_of_a_sort(way, kind, shape, k):
    values = numbers(shape, kind)
    found = tf.cast(WAYS[way](values, k), "float64").numpy()
    expected = np.sort(tf.cast(values, "float64").numpy(), axis=-1)[..., [-k]]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("compiled", [False, True])
def test_k_may_be_a_tensor_and_the_rows_may_be_unknown(compiled):
    specs = (tf.TensorSpec((None, 40), "float32"), tf.TensorSpec((), "int32"))
    find = tf.function(kth_largest, input_signature=specs, jit_compile=compiled)
    values = numbers((5, 40))
    for k in (1, 3, 40):
        np.testing.assert_array_equal(
            find(values, tf.constant(k)), np.sort(values.numpy(), axis=-1)[:, [-k]]
        )


def test_groups_of_unknown_width():
    spec = [tf.TensorSpec((None,), "float32"), tf.TensorSpec((), "int32")]
    find = tf.function(lambda v, k: kth_largest(v, k, share=1 / 64), input_signature=spec)
    for n in (3, 64, 1001):
        values, k = numbers((n,)), max(n // 64, 1)
        assert find(values, tf.constant(k)).numpy() == np.sort(values.numpy())[[-k]]


@pytest.mark.parametrize(
    "width, k, name",
    [(64, 1, "by_groups"), (3072, 32, "by_groups"), (64, 3, "by_top_k"), (64, 64, "by_top_k")],
)
def test_what_selects_follows_from_the_share(monkeypatch, width, k, name):
    used = []
    for way in ("by_groups", "by_top_k", "by_bisection"):
        own = getattr(selection, way)
        monkeypatch.setattr(
            selection, way, lambda *a, own=own, way=way: (used.append(way), own(*a))[1]
        )
    kth_largest(numbers((2, width)), k)
    assert used[0] == name


@pytest.mark.parametrize("shape", [(3, 70), (2, 3, 64)])
@pytest.mark.parametrize("k", [4, 9])
def test_xla_sorts_nothing(shape, k):
    find = tf.function(lambda values: kth_largest(values, k), jit_compile=True)
    text = find.experimental_get_compiler_ir(numbers(shape))(stage="optimized_hlo")
    assert " sort(" not in text and (" while(" in text, "TopK" in text) == (k == 9, k == 4)


def test_all_that_tie_are_kept_and_the_gradient_is_the_mask():
    values = tf.Variable([[3.0, -1.0, 2.0, 2.0, -4.0], [0.0, 0.0, 0.0, 0.0, 0.0]])
    mask = np.array([[1, 0, 1, 1, 0], [1, 1, 1, 1, 1]])
    with tf.GradientTape() as tape:
        kept = keep_largest(values, 2)
    np.testing.assert_array_equal(kept, values.numpy() * mask)
    np.testing.assert_array_equal(tape.gradient(kept, values), mask)


def test_what_is_compared_may_be_another_tensor():
    values = np.array([[3.0, -1.0, 2.0, -4.0]], "float32")
    np.testing.assert_array_equal(keep_largest(values, 2, by=np.abs(values)), [[3, 0, 0, -4]])


def test_selection_by_groups_is_exported(tmp_path):
    model = zoo.create("k_sparse_autoencoder", (6,), latents=96, k=2)
    x = np.random.default_rng(0).normal(size=(4, 6)).astype("float32")
    expected = model.encode(x)
    assert ((expected != 0).sum(axis=1) == 2).all()
    model.export(str(tmp_path / "saved"))
    loaded = tf.saved_model.load(str(tmp_path / "saved"))
    np.testing.assert_allclose(loaded.encode(x), expected, atol=1e-6)
    pytest.importorskip("tf2onnx")
    from zoo.exporting import litert, onnx

    for ending, runtime in (("onnx", onnx), ("tflite", litert)):
        path = zoo.exporting.export(model, tmp_path / f"model.{ending}")
        found = runtime.load_file(path)(x)["codes"]
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
