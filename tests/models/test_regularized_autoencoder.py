"""Regularized autoencoders against NumPy."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import zoo
from tests.conftest import make_vectors


def test_the_loss_of_rae_l2_is_that_of_the_paper():
    x = make_vectors(20, 6)
    model = zoo.create("rae_l2", (6,), latents=2, hidden=(5,), beta=0.3, decay=0.02, seed=1)
    model.compile(jit_compile=False)
    terms = model.evaluate(x, verbose=0, return_dict=True)
    z, again = model.encode(x), model.reconstruct(x)
    kernels = [w for w in model.decoder.get_weights() if w.ndim > 1]
    expected = np.square(x - again).sum(axis=1).mean() + 0.3 * 0.5 * np.square(z).sum(axis=1).mean()
    expected += 0.02 * sum(np.square(w).sum() for w in kernels)
    assert_allclose(terms["loss"], expected, rtol=1e-4)
    with pytest.raises(ValueError, match="needs a decoder with kernels of its own"):
        zoo.create("rae_l2", (6,), latents=2, hidden=(), networks="tied")


def test_the_gradient_penalty_of_rae_is_the_decoders_alone():
    """Pythae differentiates through the encoder: with twice its kernels it finds four times as much."""
    x = make_vectors(400, 6)
    model = zoo.create("rae_gp", (6,), latents=2, hidden=(), probes=4, seed=1)
    model.compile(jit_compile=False)
    first = model.evaluate(x, verbose=0, return_dict=True)["decoder_jacobian"]
    kernel = next(w for w in model.decoder.get_weights() if w.ndim > 1)
    assert_allclose(first, np.square(kernel).sum(), rtol=0.1)
    model.bottleneck.dense.kernel.assign(2 * model.bottleneck.dense.kernel.value)
    again = model.evaluate(x, verbose=0, return_dict=True)["decoder_jacobian"]
    assert_allclose(again, first, rtol=1e-4)
