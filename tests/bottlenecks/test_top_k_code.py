"""The k-sparse code against NumPy."""

import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.noise import Noise


def keep_largest(z, k):
    threshold = np.sort(z, axis=1)[:, -k][:, None]
    return np.where(z >= threshold, z, 0)


@pytest.fixture
def model():
    return zoo.create("k_sparse_autoencoder", (6,), latents=8, k=3)


@pytest.fixture
def x():
    return np.random.default_rng(0).normal(size=(10, 6)).astype("float32")


def test_the_k_largest_are_kept(model, x):
    kernel, bias = (w.numpy() for w in model.bottleneck.dense.weights)
    np.testing.assert_allclose(model.encode(x), keep_largest(x @ kernel + bias, 3), atol=1e-6)
    assert ((model.encode(x) != 0).sum(1) == 3).all()


def test_encoding_keeps_alpha_times_k(x):
    model = zoo.create("k_sparse_autoencoder", (6,), latents=8, k=2, alpha=2.4)
    assert ((model.encode(x) != 0).sum(1) == 5).all()  # round(4.8)


def test_gradient_of_the_tied_weights(model, x):
    """DW = 2 e zz^T + 2 x (mask * W^T e)^T with e = x_hat - x; columns never kept get exactly zero."""
    layer = model.bottleneck.dense
    layer.kernel.assign(np.random.default_rng(1).normal(size=(6, 8)))
    layer.bias.assign([0, 0, 0, 0, 0, 0, -100, -100])
    with tf.GradientTape() as tape:
        record = model.forward(tf.constant(x), Noise(0, 0), training=True)
        loss = model.terms(record)["loss"]
    gradient = tape.gradient(loss, layer.kernel.value).numpy()
    kernel, bias = layer.kernel.numpy(), layer.bias.numpy()
    code = keep_largest(x @ kernel + bias, 3)
    error = code @ kernel.T + model.decoder.biases[0].numpy() - x
    expected = 2 * error.T @ code + 2 * x.T @ ((code != 0) * (error @ kernel))
    np.testing.assert_allclose(gradient, expected / len(x), rtol=1e-4, atol=1e-4)
    assert (gradient[:, 6:] == 0).all()


@pytest.mark.parametrize("k", [0, -1, 2.5, 9])
def test_bad_k(k):
    with pytest.raises(ValueError, match="k"):
        zoo.create("k_sparse_autoencoder", (6,), latents=8, k=k)
