"""Spheres and balls: densities and divergences by numeric integration, draws against densities."""

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose
from scipy import integrate, special, stats

import zoo
from zoo.distributions.ball import WrappedNormal

COUNT = 20_000


def sphere(units):
    family = zoo.get("power_spherical", "posterior")
    family.build((None, units))
    return family


@pytest.mark.parametrize("units", [2, 3, 10])
@pytest.mark.parametrize("concentration", [1.5, 20.0])
def test_the_divergence_from_the_sphere_is_an_integral(units, concentration):
    """Of f log f over t = mu . z, whose density is (1 + t)^kappa (1 - t^2)^((d - 3) / 2) up to a factor."""
    half = (units - 1) / 2
    beta = stats.beta(half + concentration, half)
    even = stats.beta(half, half)
    expected, _ = integrate.quad(
        lambda u: beta.pdf(u) * (beta.logpdf(u) - even.logpdf(u)), 0, 1, limit=200
    )
    mu = np.eye(units, dtype="float32")[:1]
    member = sphere(units).member((tf.constant(mu), tf.constant([concentration])))
    prior = zoo.get("spherical_uniform", "prior").distribution(units)
    assert zoo.distributions.has_analytic_kl(member, prior)
    assert_allclose(member.kl_divergence(prior), [expected], rtol=1e-3)
    area = np.log(2) + units / 2 * np.log(np.pi) - special.gammaln(units / 2)
    assert_allclose(prior.log_prob(mu), [-area], rtol=1e-4)


@pytest.mark.parametrize("units", [2, 5])
def test_draws_on_the_sphere_lie_around_their_direction(units):
    """E[mu . z] = kappa / (d - 1 + kappa), and its slope by kappa is that of the draws."""
    random, kappa = np.random.default_rng(0), 4.0
    mu = random.normal(size=units)
    mu = np.float32(np.repeat([mu / np.linalg.norm(mu)], COUNT, axis=0))
    concentration = tf.fill([COUNT], kappa)
    with tf.GradientTape() as tape:
        tape.watch(concentration)
        z, member = sphere(units).draw((tf.constant(mu), concentration), zoo.Noise(0, 0))
        along = tf.reduce_sum(z * mu, axis=1)
    assert_allclose(np.linalg.norm(z, axis=1), 1, rtol=1e-4)
    assert_allclose(np.mean(along), kappa / (units - 1 + kappa), atol=0.01)
    across = z - along[:, None] * mu
    assert_allclose(np.mean(across, axis=0), 0, atol=0.02)
    slope = np.mean(tape.gradient(along, concentration))
    assert_allclose(slope, (units - 1) / (units - 1 + kappa) ** 2, rtol=0.05)
    sampled = member.sample(seed=[0, 1])
    own, other = np.mean(member.log_prob(z)), np.mean(member.log_prob(sampled))
    assert_allclose(own, other, atol=0.03)


def test_training_and_use_have_one_concentration():
    """Pythae's has another one in each."""
    model = zoo.create("spherical_vae", (6,), latents=3, hidden=(4,), seed=0)
    x = np.random.default_rng(0).random((5, 6), np.float32)
    trained, used = (
        model.forward(tf.constant(x), zoo.Noise(0, 0), training=training).posterior
        for training in (True, False)
    )
    assert_allclose(trained.concentration, used.concentration, rtol=1e-6)
    assert_allclose(model.posterior(x).concentration, used.concentration, rtol=1e-6)


def test_what_is_not_on_the_sphere_is_refused():
    for options in ({"posterior": "power_spherical"}, {"prior": "spherical_uniform"}):
        with pytest.raises(
            ValueError, match=r"needs the (prior 'spherical_uni|posterior 'power_sph)"
        ):
            zoo.create("vae", (6,), latents=3, hidden=(4,), **options)
    with pytest.raises(ValueError, match="2 units at least"):
        zoo.create("spherical_vae", (6,), latents=1)


@pytest.mark.parametrize("curvature", [0.5, 1.0, 3.0])
def test_a_wrapped_normal_integrates_to_one(curvature):
    """Over the disc, by polar coordinates around its centre."""
    radius = 1 / np.sqrt(curvature)
    loc, scale = np.float32([[0.3 * radius, -0.2 * radius]]), np.float32([[0.5, 0.8]])
    member = WrappedNormal(tf.constant(loc), tf.constant(scale), curvature)
    reach = radius * np.tanh(np.linspace(0, 3.5, 801)[1:])
    angle = np.linspace(0, 2 * np.pi, 241)[:-1]
    r, a = np.meshgrid(reach, angle, indexing="ij")
    points = np.float32(np.stack([r * np.cos(a), r * np.sin(a)], axis=-1).reshape(-1, 2))
    density = np.exp(member.log_prob(points)).reshape(r.shape).mean(axis=1) * 2 * np.pi * reach
    assert_allclose(integrate.trapezoid(density, reach), 1, rtol=5e-3)


def test_one_unit_in_the_ball_is_a_normal_behind_a_hyperbolic_tangent():
    curvature, scale = 2.0, 0.7
    z = np.linspace(-0.65, 0.65, 9, dtype="float32")[:, None]
    tangent = 2 * np.arctanh(np.sqrt(curvature) * z) / np.sqrt(curvature)
    expected = stats.norm(0, scale).logpdf(tangent) + np.log(2 / (1 - curvature * z**2))
    member = WrappedNormal(tf.zeros((1, 1)), tf.fill([1, 1], scale), curvature)
    assert_allclose(member.log_prob(z), expected[:, 0], rtol=1e-4)


def test_draws_in_the_ball_are_from_their_density():
    """The mean log density of draws is that of the members's own; a code far out stays inside."""
    family = zoo.get("wrapped_normal", "posterior", curvature=1.5)
    family.build((None, 3))
    parameters = family.parameters(tf.repeat(np.float32([[1, -2, 0.5, 0, 0.3, -1]]), COUNT, axis=0))
    z, member = family.draw(parameters, zoo.Noise(0, 0))
    other = member.sample(seed=[0, 1])
    assert_allclose(np.mean(z, axis=0), np.mean(other, axis=0), atol=0.01)
    own = np.mean(member.log_prob(z))
    assert_allclose(own, np.mean(member.log_prob(other)), atol=0.03)
    tangent = stats.norm(0, parameters[1][0]).entropy().sum()
    assert own > -tangent  # the ball is narrower than its tangent space
    far = family.parameters(np.float32([[90, -90, 90, 0, 0, 0]]))
    edge, member = family.draw(far, zoo.Noise(0, 1))
    assert np.linalg.norm(edge) < 1 / np.sqrt(1.5)
    assert np.isfinite(member.log_prob(edge)).all()


def test_the_prior_of_the_ball_is_flat_where_the_curvature_vanishes():
    """A ball of nearly no curvature is a plane whose lengths are halved."""
    prior = zoo.get("wrapped_normal", "prior", curvature=1e-4, scale=2.0)
    z = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    expected = stats.norm.logpdf(z, scale=1.0).sum(axis=1)
    assert_allclose(prior.distribution(3).log_prob(z), expected, rtol=2e-3)
    assert_allclose(prior.sample(zoo.Noise(0, 0), COUNT, 3).numpy().std(axis=0), 1, rtol=0.03)
    with pytest.raises(ValueError, match="curvature must be a number above 0"):
        zoo.get("wrapped_normal", "prior", curvature=0)


def test_a_ball_that_is_too_small_for_its_units_is_refused():
    """There the draws of a prior would be cut at the edge, and its divergence from itself not be 0."""
    with pytest.raises(ValueError, match=r"Give curvature=0.55 or less") as refused:
        zoo.create("poincare_vae", (6,), latents=40, hidden=(4,))
    assert "\n" not in str(refused.value)
    prior = zoo.create("poincare_vae", (6,), latents=40, hidden=(4,), curvature=0.55).prior
    draws = prior.sample(zoo.Noise(0, 0), 500, 40)
    distance = 2 * np.arctanh(0.55**0.5 * np.linalg.norm(draws, axis=1)) / 0.55**0.5
    assert_allclose(distance.mean(), stats.chi(40).mean(), rtol=0.02)
