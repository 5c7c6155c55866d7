"""Hamiltonian steps: their weights are unbiased, whatever the steps, and a bad posterior gains by them."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose
from scipy.stats import multivariate_normal

import zoo
from zoo.batch import Batch
from zoo.evaluation import density

ROWS = 20_000
X = np.float32([[0.9, -0.4, 0.3]])


def model_of(**options):
    """x = W z + b + noise, z ~ N(0, I): p(x) is known. The posterior is too narrow and beside the point."""
    model = zoo.create(
        "hamiltonian_vae",
        (3,),
        latents=2,
        networks=(keras.layers.Dense(4), keras.layers.Dense(3)),
        likelihood={"name": "normal", "scale": 0.7},
        seed=0,
        **options,
    )
    random = np.random.default_rng(1)
    for part in (model.encoder, model.decoder):
        part.set_weights([0.5 * random.normal(size=w.shape) for w in part.weights])
    model.bottleneck.set_weights(
        [0.3 * random.normal(size=w.shape) for w in model.bottleneck.weights]
    )
    kernel, bias = (w.astype("float64") for w in model.decoder.get_weights())
    known = multivariate_normal(bias, kernel.T @ kernel + 0.49 * np.eye(3)).logpdf(X[0])
    return model, known


def bounds(model):
    forward = model.forward(Batch(tf.repeat(X, ROWS, axis=0)), zoo.Noise(0, 0), training=True)
    return model.objective.bound(forward)[0].numpy().astype("float64")


@pytest.mark.parametrize(
    ("steps", "step_size", "tempering"), [(1, 0.2, 1.0), (3, 0.3, 1.0), (3, 0.3, 0.4)]
)
def test_the_weights_have_the_mean_p_of_x(steps, step_size, tempering):
    """So they do with the momentum after the steps, and the volume of its cooling; not otherwise."""
    model, known = model_of(steps=steps, step_size=step_size, tempering=tempering)
    weights = np.exp(bounds(model) - known)
    error = weights.std() / np.sqrt(ROWS)
    assert error < 0.03
    assert abs(weights.mean() - 1) < 4 * error


def test_the_likelihood_that_is_reported_is_p_of_x():
    """Pythae's leaves the momenta out of the weights that they belong to."""
    model, known = model_of(steps=2, step_size=0.2, tempering=0.7)
    found = density.per_example(model, X, samples=2000)
    assert_allclose(found["log_likelihood"], known, atol=0.15)
    assert_allclose(model.score(X, samples=2000), known, atol=0.15)


def test_cooled_steps_bring_a_bad_posterior_nearer():
    """Steps alone keep the energy, and with it the bound; cooling takes it away."""
    found = {}
    for name, options in {
        "still": {"steps": 1, "step_size": 1e-4, "tempering": 1.0},
        "moved": {"steps": 5, "step_size": 0.3, "tempering": 1.0},
        "cooled": {"steps": 5, "step_size": 0.3, "tempering": 0.5},
    }.items():
        model, known = model_of(**options)
        kernel, bias = model.bottleneck.get_weights()
        model.bottleneck.set_weights([kernel, bias + np.float32([2, -2, -1, -1])])
        found[name] = bounds(model).mean()
    assert abs(found["moved"] - found["still"]) < 0.5
    assert found["still"] + 1 < found["cooled"] < known


def test_a_short_step_without_tempering_is_the_elbo():
    model, _ = model_of(steps=1, step_size=1e-5, tempering=1.0)
    forward = model.forward(Batch(tf.repeat(X, 50, axis=0)), zoo.Noise(0, 0), training=True)
    found, reconstruction = model.objective.bound(forward)
    kl = forward.posterior.log_prob(forward.code) - forward.prior.log_prob(forward.code)
    assert_allclose(found, -forward.reconstruction() - kl, atol=1e-3)
    assert_allclose(reconstruction, forward.reconstruction(), atol=1e-3)


def test_step_size_and_tempering_are_learned():
    model, _ = model_of(steps=2, step_size=0.1, tempering=0.5)
    model.compile("adam", jit_compile=False)
    before = [w.numpy() for w in model.objective.weights]
    x = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
    model.fit(x, verbose=0)
    moved = [
        np.abs(w.numpy() - b).max() for w, b in zip(model.objective.weights, before, strict=True)
    ]
    assert len(moved) == 2 and min(moved) > 1e-4


def test_what_does_not_fit_is_refused():
    for options, line in (
        ({"step_size": 0.9}, "step_size must lie between 0 and largest"),
        ({"tempering": 0.0}, "tempering must be above 0 and at most 1"),
        ({"regularizers": ["kl"]}, "leave the regularizer 'kl' out"),
        ({"prior": None}, "needs a stochastic bottleneck and a prior"),
    ):
        with pytest.raises(ValueError, match=line):
            zoo.create("hamiltonian_vae", (3,), latents=2, hidden=(4,), **options)
