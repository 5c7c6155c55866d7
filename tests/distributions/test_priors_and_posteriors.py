"""Priors and posterior families against scipy.stats."""

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal
from scipy import special, stats
from tensorflow_probability import distributions as tfd

import zoo
from zoo.distributions.families import CAUCHY_MARGIN
from zoo.noise import Noise

PRIORS = [
    ("normal", {"scale": 2.0}, stats.norm(scale=2.0)),
    ("laplace", {"scale": 0.5}, stats.laplace(scale=0.5)),
    ("cauchy", {"scale": 1.5}, stats.cauchy(scale=1.5)),
    ("student_t", {"df": 3.0, "scale": 0.7}, stats.t(3.0, scale=0.7)),
    ("generalized_normal", {"p": 0.5, "scale": 1.3}, stats.gennorm(0.5, scale=1.3)),
]
POSTERIORS = [("normal", stats.norm), ("laplace", stats.laplace), ("cauchy", stats.cauchy)]


@pytest.mark.parametrize(("name", "options", "truth"), PRIORS)
def test_prior_density(name, options, truth):
    z = np.array([[-3.0, 0.2, 1.0], [0.0, 5.0, -0.1]], "float32")
    distribution = zoo.get(name, "prior", **options).distribution(3)
    assert tuple(distribution.event_shape) == (3,) and tuple(distribution.batch_shape) == ()
    assert_allclose(distribution.log_prob(z), truth.logpdf(z).sum(axis=1), rtol=1e-5)


@pytest.mark.parametrize(("name", "options", "truth"), PRIORS)
def test_prior_draws(name, options, truth):
    draws = zoo.get(name, "prior", **options).sample(Noise(5, 0), 4000, 2).numpy()
    assert draws.shape == (4000, 2) and np.isfinite(draws).all()
    for column in draws.T:
        # Heavy tails are cut at probability 0.001 on either side.
        inside = column[np.abs(column) < truth.ppf(1 - 2 * CAUCHY_MARGIN)]
        low, high = truth.cdf([inside.min(), inside.max()])
        uniform = (truth.cdf(inside) - low) / (high - low)
        assert stats.kstest(uniform, "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(stats.rankdata(draws[:, 0]), stats.rankdata(draws[:, 1]))[0, 1]) < 0.06


def test_heavy_tails_are_cut():
    for name, options in (("cauchy", {}), ("student_t", {"df": 1.0})):
        draws = zoo.get(name, "prior", **options).sample(Noise(1, 0), 20000, 1).numpy()
        assert_allclose(np.abs(draws).max(), stats.cauchy.ppf(1 - CAUCHY_MARGIN), rtol=1e-3)


@pytest.mark.parametrize("p", [0.5, 1.0, 2.0])
def test_generalized_normal_is_the_lp_penalty(p):
    """-log p(z) is sum |z / a|^p up to a constant, so the L_P autoencoder is a maximum a posteriori."""
    z = np.random.default_rng(0).normal(size=(50, 4)).astype("float32") * 2
    scale = 1.7
    density = zoo.get("generalized_normal", "prior", p=p, scale=scale).distribution(4).log_prob(z)
    penalty = (np.abs(z / scale) ** p).sum(axis=1)
    constant = 4 * np.log(2 * scale * special.gamma(1 / p) / p)
    assert_allclose(-density - penalty, constant, rtol=1e-4, atol=1e-4)


def test_lp_autoencoders_prior_is_its_penalty():
    alpha, p = 0.3, 0.5
    model = zoo.create("lp_autoencoder", (6,), latents=3, hidden=(4,), p=p, alpha=alpha)
    z = np.random.default_rng(0).normal(size=(20, 3)).astype("float32") * 3
    penalty = alpha * (np.abs(z) ** p).sum(axis=1)
    assert np.ptp(-model.prior_distribution().log_prob(z) - penalty) < 1e-4


@pytest.mark.parametrize(("name", "truth"), POSTERIORS)
def test_posterior_density_and_draws(name, truth):
    family = zoo.get(name, "posterior")
    loc = tf.constant([[1.0, -2.0]])
    scale = tf.constant([[0.5, 3.0]])
    z = np.array([[0.3, 4.0]], "float32")
    expected = truth(loc.numpy(), scale.numpy()).logpdf(z).sum(axis=1)
    assert_allclose(family.member((loc, scale)).log_prob(z), expected, rtol=1e-5)
    draws = family.standard(Noise(3, 0), 5000, 1).numpy()[:, 0]
    inside = draws[np.abs(draws) < truth.ppf(1 - CAUCHY_MARGIN) * 0.999]
    assert stats.kstest(inside, truth.cdf).pvalue > 1e-3


def test_posterior_draws_are_location_plus_scale_times_noise():
    bottleneck = zoo.get("stochastic", "bottleneck", units=3, family="laplace", samples=2)
    bottleneck.build((None, 4))
    features = tf.random.stateless_normal((5, 4), [1, 2])
    code, posterior, *_ = bottleneck.draw(features, Noise(0, 9), tf.constant(0, tf.int64), True)
    base = posterior.distribution
    standard = zoo.get("laplace", "posterior").standard(Noise(0, 9), 10, 3)
    assert_allclose(code, base.loc + base.scale * standard, rtol=1e-5, atol=1e-6)
    # Two draws of an example stand side by side and share a posterior.
    assert_array_equal(base.loc[0::2], base.loc[1::2])
    assert not np.array_equal(code[0::2], code[1::2])


@pytest.mark.parametrize("name", zoo.names("prior"))
@pytest.mark.parametrize("scale", [0, -1, "wide", float("inf")])
def test_a_bad_scale_is_refused(name, scale):
    with pytest.raises(ValueError, match=r"scale|cannot be built"):
        zoo.get(name, "prior", scale=scale)


@pytest.mark.parametrize(
    ("name", "options"),
    [("student_t", {"df": 0}), ("generalized_normal", {"p": -0.5}), ("normal", {"scael": 1})],
)
def test_bad_options_are_refused(name, options):
    with pytest.raises(ValueError, match=next(iter(options))):
        zoo.get(name, "prior", **options)


def mixture():
    spike_and_slab = tfd.Categorical(probs=[0.5, 0.5])
    return tfd.MixtureSameFamily(spike_and_slab, tfd.Normal([0.0, 0.0], [0.1, 1.0]))


class SpikeAndSlab(zoo.distributions.Prior):
    def marginal(self, shape=()):
        return tfd.BatchBroadcast(mixture(), shape)


class Slab(SpikeAndSlab):
    def sample(self, noise, batch, units):
        slab = noise.fold("slab").keep(0.5, batch, units)
        return noise.fold("value").normal(batch, units) * (0.1 + 0.9 * slab)


def test_a_prior_without_quantiles_says_what_to_override():
    model = zoo.create("vae", (6,), latents=2, hidden=(4,), prior=SpikeAndSlab())
    with pytest.raises(ValueError, match=r"has no quantile.*Override 'sample'"):
        model.generate(3)


def test_a_prior_without_quantiles_draws_by_its_own_sample():
    model = zoo.create("vae", (6,), latents=2, hidden=(4,), prior=Slab())
    model.compile(jit_compile=False)
    model.fit(np.random.default_rng(0).random((40, 6), np.float32), verbose=0)
    assert model.generate(3).shape == (3, 6)
    codes = model.prior.sample(Noise(0, 0), 4000, 2).numpy().ravel()
    # Mixture of two normals: its distribution function is the mean of theirs.
    truth = lambda z: (stats.norm(0, 0.1).cdf(z) + stats.norm.cdf(z)) / 2  # noqa: E731
    assert stats.kstest(codes, truth).pvalue > 0.01


def test_mmd_draws_from_a_prior_by_its_own_sample():
    x = np.random.default_rng(0).random((2000, 6), np.float32)
    model = zoo.create("wae_mmd", (6,), latents=2, hidden=(4,), prior=Slab())
    model.compile(jit_compile=False)
    measured = model.evaluate(x, batch_size=2000, verbose=0, return_dict=True)["mmd"]
    draws, codes = np.random.default_rng(1), model.encode(x)
    slab = draws.normal(size=codes.shape).astype(np.float32)
    truth = slab * np.where(draws.random(codes.shape) < 0.5, np.float32(0.1), 1)
    mmd = next(r for r in model.regularizers if r.name == "mmd")
    expected, other = (float(mmd.discrepancy(codes, draw)) for draw in (truth, slab))
    assert abs(measured - expected) < 0.03 < 0.06 < abs(expected - other)


def test_a_posterior_without_quantiles_says_what_to_override():
    class Mixed(zoo.distributions.Family):
        distribution = staticmethod(lambda loc, scale: mixture())

    with pytest.raises(ValueError, match=r"has no quantile.*Override 'standard'"):
        Mixed().standard(Noise(0, 0), 3, 2)


def test_a_posterior_of_one_scale():
    """Its draws are those of SciPy's normal, its KL is (|mu|^2 + s^2 - 1) / 2 - log s a unit."""
    family = zoo.get("constant_normal", "posterior", scale=0.4)
    loc = np.array([[1.5, -0.5]], "float32")
    draws, _ = family.draw(family.parameters(np.repeat(loc, 4000, axis=0)), Noise(0, 0))
    for column, middle in zip(draws.numpy().T, loc[0], strict=True):
        assert stats.kstest(column, stats.norm(middle, 0.4).cdf).pvalue > 1e-3
    model = zoo.create(
        "vae", (6,), latents=2, hidden=(4,), posterior={"name": "constant_normal", "scale": 0.4}
    )
    x = np.random.default_rng(0).random((5, 6), np.float32)
    expected = (model.encode(x) ** 2 + 0.4**2 - 1) / 2 - np.log(0.4)
    found = tfd.kl_divergence(model.posterior(x), model.prior_distribution())
    assert_allclose(found, expected.sum(axis=1), rtol=1e-5)
    for scale in (0, -1.0, float("inf"), float("nan"), True):
        with pytest.raises(ValueError, match="scale of constant_normal must be a number above 0"):
            zoo.get("constant_normal", "posterior", scale=scale)


def test_a_prior_that_cannot_be_drawn_from_says_what_it_lacks():
    class Empty(zoo.distributions.FittedPrior):
        pass

    with pytest.raises(
        NotImplementedError, match=r"Empty must define marginal\(shape\).*or sample"
    ):
        Empty().sample(zoo.Noise(0, 0), 3, 2)
