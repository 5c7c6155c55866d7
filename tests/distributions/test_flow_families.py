"""Flows against the change of variables, by the determinant of a Jacobian that the tape computes."""

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose
from scipy.stats import multivariate_normal

import zoo
from tests.conftest import make_vectors
from zoo.distributions.flows import Coupling, InverseAutoregressive, planar, radial

RANDOM = np.random.default_rng(0)


def numbers(*shape, scale=1.0):
    return tf.constant(np.float32(scale * RANDOM.normal(size=shape)))


def log_determinant(move, z):
    with tf.GradientTape() as tape:
        tape.watch(z)
        moved, found = move(z)
    jacobian = tape.batch_jacobian(moved, z).numpy().astype(float)
    sign, expected = np.linalg.slogdet(jacobian)
    assert (sign > 0).all()
    assert_allclose(found, expected, rtol=1e-2, atol=1e-3)
    return moved, jacobian


@pytest.mark.parametrize("move", [planar, radial], ids=["planar", "radial"])
@pytest.mark.parametrize("units", [1, 2, 5])
def test_simple_steps_are_invertible_whatever_their_numbers(move, units):
    """Of pythae's planar step nothing keeps w . u above -1, and one unit fails."""
    width = 2 * units + 1 if move is planar else units + 2
    for scale in (0.01, 1.0, 8.0):
        own = numbers(200, width, scale=scale)
        moved, _ = log_determinant(lambda z, own=own: move(z, own), numbers(200, units))
        assert np.abs(moved).max() < 200  # small w do not throw z far away


def weights(layer, size=0.7):
    layer.set_weights([np.float32(size * RANDOM.normal(size=w.shape)) for w in layer.weights])
    return layer


@pytest.mark.parametrize("kind", [Coupling, InverseAutoregressive])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("units", [1, 4])
def test_network_steps_have_their_determinant_and_inverse(kind, reverse, units):
    flow = kind(8, reverse, context=2)
    flow.build((None, units))
    weights(flow)
    context, z = numbers(30, 2), numbers(30, units)
    moved, jacobian = log_determinant(lambda z: flow.forward(z, context), z)
    back, log_det = flow.inverse(moved, context)
    assert_allclose(back, z, rtol=1e-2, atol=2e-3)
    assert_allclose(log_det, flow.forward(z, context)[1], rtol=1e-2, atol=2e-3)
    other, _ = flow.forward(z, context + 1.0)
    assert (np.abs(other - moved).max(axis=0) > 1e-3).all() or kind is Coupling  # every unit sees x
    if kind is InverseAutoregressive:
        upper = np.tril(jacobian, -1) if reverse else np.triu(jacobian, 1)
        assert_allclose(upper, 0, atol=1e-6)
        if units > 1:
            assert np.abs(jacobian - np.eye(units) * jacobian).max() > 0.01


FAMILIES = {
    "planar": {"steps": 3},
    "radial": {"steps": 3},
    "inverse_autoregressive": {"hidden": 8, "context": 3},
    "coupling": {"hidden": 8, "context": 3},
}


def family_of(name, units=2, size=0.7):
    family = zoo.get(name, kind="posterior", **FAMILIES[name])
    family.build((None, units))
    for layer in family._flatten_layers(include_self=False):
        if layer.weights and not list(layer._flatten_layers(include_self=False)):
            weights(layer, size)
    return family


@pytest.mark.parametrize("name", FAMILIES)
def test_the_density_of_a_draw_is_the_base_over_the_determinant(name):
    family = family_of(name)
    parameters = family.parameters(numbers(20, family.outputs(2)))
    code, member = family.draw(parameters, zoo.Noise(0, 0))
    loc, scale, rest = parameters
    base = loc + scale * zoo.Noise(0, 0).normal(20, 2)
    _, jacobian = log_determinant(lambda e: family.forward(e, rest), base)
    expected = [
        multivariate_normal(m, np.diag(s**2)).logpdf(e)
        for m, s, e in zip(loc.numpy(), scale.numpy().astype(float), base.numpy(), strict=True)
    ]
    assert_allclose(
        member.log_prob(code), expected - np.linalg.slogdet(jacobian)[1], rtol=1e-3, atol=1e-3
    )
    assert member.batch_shape == (20,) and member.event_shape == (2,)
    several = member.sample(3, seed=[0, 1])
    assert member.log_prob(several).shape == (3, 20)


@pytest.mark.parametrize("name", ["inverse_autoregressive", "coupling"])
def test_a_density_is_one_over_the_plane(name):
    family = family_of(name, size=0.4)
    member = family.member(family.parameters(numbers(1, family.outputs(2), scale=0.5)))
    side = np.linspace(-15, 15, 301, dtype=np.float32)
    plane = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 1, 2)
    total = np.exp(member.log_prob(plane)).sum() * (side[1] - side[0]) ** 2
    assert_allclose(total, 1, atol=0.03)


def test_what_needs_another_density_says_so():
    x = make_vectors(8, 6)
    model = zoo.create("planar_vae", (6,), latents=2, hidden=(4,))
    with pytest.raises(NotImplementedError, match="only its own draws have a density"):
        model.posterior(x).log_prob(tf.zeros((8, 2)))
    options = {"latents": 2, "hidden": (4,)}
    for refused in ("minibatch_total_correlation", "dip"):
        with pytest.raises(ValueError, match="needs a posterior"):
            zoo.create("iaf_vae", (6,), regularizers=[refused], **options)
    with pytest.raises(ValueError, match="codes of one axis"):
        zoo.Autoencoder(
            (8, 8, 1),
            *zoo.networks.build_networks("grid", (8, 8, 1), (4,))[:1],
            {"name": "stochastic", "units": 2, "family": "planar", "grid": True},
            zoo.networks.build_networks("grid", (8, 8, 1), (4,))[1],
        )
    # The KL of a flow is that of its draws.
    model.compile()
    found = model.evaluate(x, verbose=0, return_dict=True)
    assert np.isfinite(found["kl"])


def test_mmd_compares_with_draws_of_the_prior_itself():
    """And not with quantiles of what a flow or a mixture is made of."""
    model = zoo.create(
        "wae_mmd", (6,), latents=2, hidden=(4,), prior={"name": "flow", "layers": 1, "hidden": 4}
    )
    model.prior.centre.assign([50.0, -50.0])
    forward = model.forward(tf.constant(make_vectors(16, 6)), zoo.Noise(0, 0), False)
    draws = model.regularizers[0]._draws(forward).numpy()
    assert_allclose(draws.mean(axis=0), [50, -50], atol=2)


def test_total_correlation_is_refused_for_families_of_more_than_a_location_and_a_scale():
    from tensorflow_probability import distributions as tfd

    class Student(zoo.distributions.Family):
        def member(self, parameters):
            return tfd.Independent(tfd.StudentT(5.0, *parameters), 1)

    class Diagonal(zoo.distributions.Family):
        def member(self, parameters):
            return tfd.MultivariateNormalDiag(*parameters)

    dip = [{"name": "dip", "variant": "ii"}]
    with pytest.raises(ValueError, match="a variance, of independent units"):
        zoo.create("vae", (6,), latents=2, hidden=(4,), posterior=Diagonal(), regularizers=dip)
    for family in (Student(), Diagonal()):
        with pytest.raises(ValueError, match="of a location-scale family"):
            zoo.create(
                "vae",
                (6,),
                latents=2,
                hidden=(4,),
                posterior=family,
                regularizers=["minibatch_total_correlation"],
            )
