"""The regularizers of the disentangling VAEs against NumPy and SciPy."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import special, stats
from tensorflow_probability import distributions as tfd

import zoo
from zoo.noise import Noise


@pytest.fixture
def posterior(rng):
    return rng.normal(size=(7, 3)).astype("float32"), rng.uniform(0.2, 2, (7, 3)).astype("float32")


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def forward_pass(loc, scale, code, step=0):
    q = tfd.Independent(tfd.Normal(loc, scale), 1)
    p = tfd.Independent(tfd.Normal(tf.zeros(loc.shape[1]), tf.ones(loc.shape[1])), 1)
    return zoo.ForwardPass(
        inputs=tf.zeros((len(loc), 2)),
        code=tf.constant(code),
        posterior=q,
        prior=p,
        output=None,
        noise=Noise(0, step),
        step=tf.constant(step, tf.int64),
    )


def test_total_correlation_is_that_of_the_mixture_over_the_batch(posterior, rng):
    loc, scale = posterior
    code = rng.normal(size=loc.shape).astype("float32")
    got = zoo.get("minibatch_total_correlation").penalty(forward_pass(loc, scale, code))
    log_density = stats.norm.logpdf(code[:, None], loc[None], scale[None])
    joint = special.logsumexp(log_density.sum(-1), 1) - np.log(7)
    marginals = special.logsumexp(log_density, 1) - np.log(7)
    np.testing.assert_allclose(got, joint - marginals.sum(-1), rtol=1e-4, atol=1e-5)


def test_total_correlation_of_equal_posteriors_is_zero(rng):
    loc, scale = np.zeros((6, 4), "float32"), np.ones((6, 4), "float32")
    code = rng.normal(size=(6, 4)).astype("float32")
    got = zoo.get("minibatch_total_correlation").penalty(forward_pass(loc, scale, code))
    np.testing.assert_allclose(got, 0, atol=1e-5)


@pytest.mark.parametrize(("variant", "ratio"), [("i", 10.0), ("ii", 1.0)])
def test_dip_is_the_distance_of_the_covariance_from_the_identity(posterior, variant, ratio):
    loc, scale = posterior
    got = zoo.get("dip", variant=variant).penalty(forward_pass(loc, scale, loc))
    covariance = np.cov(loc.T, bias=True)
    if variant == "ii":
        covariance += np.diag((scale**2).mean(0))
    weights = np.where(np.eye(3), ratio, 1.0)
    np.testing.assert_allclose(got, (weights * (covariance - np.eye(3)) ** 2).sum(), rtol=1e-4)


def test_capacity_is_met_at_the_mean_divergence(posterior):
    loc, scale = posterior
    kl = (0.5 * (loc**2 + scale**2 - 1) - np.log(scale)).sum(1).mean()
    forward = forward_pass(loc, scale, loc)
    for capacity in (0.0, float(kl), 30.0):
        got = zoo.get("kl_capacity", capacity=capacity, estimator="analytic")
        got._analytic = True
        assert float(got.penalty(forward)) == pytest.approx(abs(kl - capacity), abs=1e-4)


def test_annealed_capacity_rises_with_the_steps():
    model = zoo.create("annealed_vae", (4,), latents=2, hidden=(4,), capacity=8.0, steps=10)
    capacity = model.regularizers[1].capacity
    assert [float(capacity(step)) for step in (0, 5, 10, 20)] == pytest.approx([0, 4, 8, 8])


@pytest.mark.parametrize("name", ["dip", "minibatch_total_correlation"])
def test_a_deterministic_code_is_refused(name):
    with pytest.raises(ValueError, match=name):
        zoo.create("autoencoder", (4,), latents=2, hidden=(4,), regularizers=[name])


def test_dip_refuses_a_posterior_without_variance():
    with pytest.raises(ValueError, match="variance"):
        zoo.create("cauchy_vae", (4,), latents=2, hidden=(4,), regularizers=["dip"])
