"""Codes of several levels: densities, divergences and draws against SciPy, and the use of every level."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose
from scipy.stats import multivariate_normal, norm

import zoo
from zoo.distributions.hierarchy import Hierarchy, kl_of_levels


def chain(weight, scale):
    """z_2 ~ N(0, 1), z_1 ~ N(weight z_2, scale^2): a Gaussian of known covariance."""

    def level(number, above):
        if number == 1:
            return tfd_normal(tf.zeros(1), 1.0)
        return tfd_normal(weight * above, scale)

    cross = [[weight**2 + scale**2, weight], [weight, 1.0]]
    return Hierarchy(2, 2, level), multivariate_normal(np.zeros(2), cross)


def tfd_normal(loc, scale):
    from zoo.tfp import tfd

    return tfd.Normal(loc, scale)


def test_the_density_and_draws_of_a_chain_are_those_of_its_gaussian():
    pair, expected = chain(0.8, 0.5)
    z = np.random.default_rng(0).normal(size=(3, 4, 2)).astype("float32")
    assert_allclose(pair.log_prob(z), expected.logpdf(z), rtol=1e-5)
    draws = pair.sample(20_000, seed=1).numpy()
    assert_allclose(np.cov(draws.T), expected.cov, atol=0.03)


def test_the_divergence_along_draws_is_that_of_the_gaussians():
    q, p = chain(0.3, 0.4), chain(0.8, 0.5)
    z = q[0].sample(50_000, seed=2)
    along = Hierarchy(2, 2, q[0].level, (50_000,), (z, q[0].along(z)))
    found = zoo.distributions.has_analytic_kl(along, p[0])
    assert found
    known = float(tf.reduce_mean(along.kl_divergence(p[0])))
    inverse = np.linalg.inv(p[1].cov)
    ratio = np.linalg.slogdet(p[1].cov)[1] - np.linalg.slogdet(q[1].cov)[1]
    expected = 0.5 * (np.trace(inverse @ q[1].cov) - 2 + ratio)
    assert_allclose(known, expected, rtol=0.02)
    sampled = along.log_prob(z) - p[0].log_prob(z)
    assert float(tf.math.reduce_std(along.kl_divergence(p[0]))) < float(tf.math.reduce_std(sampled))
    with pytest.raises(NotImplementedError, match="along no draw"):
        kl_of_levels(q[0], p[0])


@pytest.fixture(scope="module")
def model():
    return zoo.create(
        "hierarchical_vae", (6,), latents=2, levels=3, hidden=(5,), level_hidden=4, seed=0
    )


def test_the_prior_is_the_product_of_its_levels(model):
    z = np.random.default_rng(0).normal(size=(5, 6)).astype("float32")
    networks = model.prior.networks
    expected = norm.logpdf(z[:, 4:]).sum(axis=1)
    for number, above in ((0, z[:, 2:]), (1, z[:, 4:])):
        level = networks.level(number, above)
        part = z[:, 2 * number : 2 * number + 2]
        expected += norm.logpdf(part, level.loc.numpy(), level.scale.numpy()).sum(axis=1)
    assert_allclose(model.prior_distribution().log_prob(z), expected, rtol=1e-5)


def test_draws_of_the_prior_are_from_its_density(model):
    drawn, sampled = model.sample_prior(20_000, 0).numpy(), model.prior_distribution()
    again = sampled.sample(20_000, seed=0).numpy()
    assert_allclose(drawn.mean(axis=0), again.mean(axis=0), atol=0.04)
    assert_allclose(np.cov(drawn.T), np.cov(again.T), atol=0.06)


def test_the_density_of_a_posterior_is_that_of_its_draws(model):
    x = np.random.default_rng(0).random((4, 6)).astype("float32")
    posterior = model.posterior(x)
    z = posterior.sample(7, seed=0)
    assert z.shape == (7, 4, 6)
    by_row = [model.posterior(x[i : i + 1]).log_prob(z[:, i : i + 1]) for i in range(4)]
    assert_allclose(posterior.log_prob(z), tf.concat(by_row, axis=1), rtol=1e-4, atol=1e-4)
    scores = zoo.evaluation.density.per_example(model, x, samples=10)
    assert np.isfinite(scores["elbo"]).all()


def test_levels_must_share_out_the_units():
    with pytest.raises(ValueError, match="multiple of levels=3"):
        zoo.get("hierarchical", "bottleneck", units=4, levels=3)
    with pytest.raises(ValueError, match="3 levels needs codes of one axis"):
        zoo.create("vae", (6,), latents=4, prior={"name": "hierarchical", "levels": 3})


def test_both_levels_are_used_where_the_data_have_both():
    """Four far clusters, and within each a place on a line that the cluster turns."""
    random = np.random.default_rng(0)
    kind, place = random.integers(0, 4, 1000), random.normal(size=1000)
    centres = 3 * np.float32([[1, 1, 0, 0], [1, -1, 0, 0], [-1, 1, 0, 0], [-1, -1, 0, 0]])
    lines = np.float32([[0, 0, 1, 1], [0, 0, 1, -1], [0, 0, -1, 1], [0, 0, 1, 0]])
    x = centres[kind] + lines[kind] * place[:, None] + 0.1 * random.normal(size=(1000, 4))
    likelihood = {"name": "normal", "scale": 0.3}
    model = zoo.create(
        "hierarchical_vae", (4,), latents=1, hidden=(32,), likelihood=likelihood, seed=1
    )
    model.compile(keras.optimizers.Adam(5e-3), jit_compile=False)
    model.fit(np.float32(x), batch_size=50, epochs=15, verbose=0)
    found = model.evaluate(np.float32(x), return_dict=True, verbose=0)
    assert found["kl_1"] > 0.5 and found["kl_2"] > 0.5, found
    assert_allclose(found["kl"], found["kl_1"] + found["kl_2"], rtol=1e-4)
