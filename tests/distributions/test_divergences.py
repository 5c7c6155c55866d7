"""KL divergences against quadrature, closed forms from the literature, and Monte Carlo."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose
from scipy import integrate, stats
from tensorflow_probability import distributions as tfd

import zoo
from zoo.distributions import infinite_kl
from zoo.distributions.divergences import has_analytic_kl
from zoo.noise import Noise

SCIPY = {"normal": stats.norm, "laplace": stats.laplace, "cauchy": stats.cauchy}
TFP = {"normal": tfd.Normal, "laplace": tfd.Laplace, "cauchy": tfd.Cauchy}
FINITE = [
    ("normal", "normal"),
    ("normal", "laplace"),
    ("laplace", "laplace"),
    ("laplace", "normal"),
    ("cauchy", "cauchy"),
]
PARAMETERS = [
    (0.0, 1.0, 0.0, 1.0),
    (1.5, 0.3, -0.5, 2.0),
    (-2.0, 0.1, 0.0, 1.0),
    (3.0, 2.0, 1.0, 0.5),
]


def kl(q, p, loc, scale, other_loc=0.0, other_scale=1.0):
    first = TFP[q](np.float64(loc), np.float64(scale))
    return float(tfd.kl_divergence(first, TFP[p](np.float64(other_loc), np.float64(other_scale))))


def quadrature(q, p, loc, scale, other_loc, other_scale):
    """KL in the angle t, z = loc + scale tan t, which turns heavy tails into a finite interval."""
    first, second = SCIPY[q](loc, scale), SCIPY[p](other_loc, other_scale)

    def integrand(t):
        z = loc + scale * np.tan(t)
        weight = np.exp(first.logpdf(z)) * scale / np.cos(t) ** 2
        return weight * (first.logpdf(z) - second.logpdf(z)) if weight > 1e-60 else 0.0

    kinks = np.arctan([(other_loc - loc) / scale, 0.0])
    edges = sorted({-np.pi / 2, np.pi / 2, *kinks})
    pieces = itertools.pairwise(edges)
    return sum(
        integrate.quad(integrand, a, b, epsabs=1e-11, epsrel=1e-11, limit=400)[0] for a, b in pieces
    )


@pytest.mark.parametrize("parameters", PARAMETERS, ids=str)
@pytest.mark.parametrize(("q", "p"), FINITE)
def test_closed_forms_equal_quadrature(q, p, parameters):
    assert_allclose(kl(q, p, *parameters), quadrature(q, p, *parameters), rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize(
    ("q", "p", "loc", "scale", "expected"),
    [
        ("normal", "laplace", 0, 1, 0.072093),
        ("normal", "laplace", 1, 0.5, 0.975847),
        ("normal", "laplace", -2, 0.1, 3.576794),
        ("normal", "laplace", 3, 2, 1.698289),
        ("normal", "laplace", 0, np.sqrt(np.pi / 2), 0.048417),
        ("cauchy", "cauchy", 1, 0.5, 0.485508),
        ("cauchy", "cauchy", -2, 0.1, 2.566871),
        ("cauchy", "cauchy", 3, 2, 0.810930),
    ],
)
def test_published_numbers(q, p, loc, scale, expected):
    assert_allclose(kl(q, p, loc, scale), expected, atol=5e-7)


def test_normal_to_laplace_is_never_zero():
    scale = np.linspace(0.5, 2.5, 4001)
    values = tfd.kl_divergence(
        tfd.Normal(np.zeros_like(scale), scale), tfd.Laplace(0.0 * scale, 1.0)
    )
    assert_allclose(scale[np.argmin(values)], np.sqrt(np.pi / 2), atol=1e-3)
    assert_allclose(np.min(values), 0.048417, atol=1e-6)


@pytest.mark.parametrize(("q", "p"), FINITE)
def test_gradients_are_those_of_the_difference_quotient(q, p):
    loc, scale = tf.constant(0.7, tf.float64), tf.constant(0.4, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch([loc, scale])
        value = tfd.kl_divergence(TFP[q](loc, scale), TFP[p](np.float64(-0.2), np.float64(1.3)))
    gradient = [float(g) for g in tape.gradient(value, [loc, scale])]
    h = 1e-5
    other = (-0.2, 1.3)
    expected = [
        (kl(q, p, 0.7 + h, 0.4, *other) - kl(q, p, 0.7 - h, 0.4, *other)) / (2 * h),
        (kl(q, p, 0.7, 0.4 + h, *other) - kl(q, p, 0.7, 0.4 - h, *other)) / (2 * h),
    ]
    assert_allclose(gradient, expected, rtol=1e-6, atol=1e-8)


def test_float32_holds_for_narrow_and_distant_posteriors():
    for loc, scale in [(30.0, 1e-3), (0.0, 1e-4), (1e-4, 5.0)]:
        q = tfd.Normal(np.float32(loc), np.float32(scale))
        for name in ("normal", "laplace"):
            single = float(tfd.kl_divergence(q, TFP[name](np.float32(0), np.float32(1))))
            assert_allclose(single, kl("normal", name, loc, scale), rtol=1e-5)


@pytest.mark.parametrize("p", ["normal", "laplace", "generalized_normal"])
def test_cauchy_posterior_with_light_tails_is_refused(p):
    with pytest.raises(
        ValueError, match=f"infinite for posterior 'cauchy' and prior '{p}'.*'cauchy'"
    ):
        zoo.create("vae", (6,), latents=2, hidden=(4,), posterior="cauchy", prior=p)


def test_which_pairs_are_infinite():
    cauchy = zoo.get("cauchy", "posterior").example((2,))
    normal = zoo.get("normal", "posterior").example((2,))

    def prior(name, **options):
        return zoo.get(name, "prior", **options).distribution(2)

    assert infinite_kl(cauchy, prior("normal")) and infinite_kl(cauchy, prior("laplace"))
    assert infinite_kl(cauchy, prior("generalized_normal", p=1.0))
    assert not infinite_kl(cauchy, prior("generalized_normal", p=0.9))
    assert not infinite_kl(cauchy, prior("cauchy")) and not infinite_kl(cauchy, prior("student_t"))
    assert not any(infinite_kl(normal, prior(name)) for name in ("normal", "laplace", "cauchy"))


@pytest.mark.parametrize("shape", [(2,), (2, 3)])
def test_a_mixture_has_the_tails_of_its_components(shape):
    cauchy = zoo.get("cauchy", "posterior").example(shape)
    mixture = zoo.get("gaussian_mixture", "prior", components=3)
    mixture.build((None, *shape))
    assert infinite_kl(cauchy, mixture.distribution(*shape))
    own = {"latents": 2, "hidden": (4,), "posterior": "cauchy"}
    with pytest.raises(ValueError, match="infinite for posterior 'cauchy' and prior 'gaussian_mi"):
        zoo.create("vae", (6,), prior={"name": "gaussian_mixture", "components": 3}, **own)
    # A mixture of posteriors has their own tails.
    zoo.create("vae", (6,), prior={"name": "vamp", "components": 3}, **own)


def test_a_mixture_is_fitted_to_codes_with_heavy_tails(tmp_path):
    x = np.random.default_rng(0).random((40, 6), np.float32)
    model = zoo.create("cauchy_vae", (6,), latents=2, hidden=(4,))
    fitted = model.fit_prior("gaussian_mixture", x, components=2)
    fitted.save(tmp_path / "fitted.keras")
    assert zoo.load_model(tmp_path / "fitted.keras").generate(3, seed=0).shape == (3, 6)


def test_which_pairs_have_a_closed_form():
    for q in ("normal", "laplace", "cauchy"):
        posterior = zoo.get(q, "posterior").example((2,))
        for p in ("normal", "laplace", "cauchy", "student_t", "generalized_normal"):
            analytic = has_analytic_kl(posterior, zoo.get(p, "prior").distribution(2))
            assert analytic == ((q, p) in FINITE), (q, p)


@pytest.mark.parametrize(("q", "p"), FINITE)
def test_sampled_estimate_is_unbiased(q, p):
    """The mean of many sampled estimates is the closed form, within five standard errors."""
    models = {
        estimator: zoo.create(
            "vae",
            (2,),
            latents=2,
            hidden=(),
            posterior=q,
            prior=p,
            estimator=estimator,
            samples=400 if estimator == "sampled" else 1,
            seed=7,
        )
        for estimator in ("analytic", "sampled")
    }
    x = np.random.default_rng(0).random((4, 2), np.float32)
    models["sampled"].set_weights(models["analytic"].get_weights())
    penalties = {}
    for name, model in models.items():
        noise = Noise(model.seed, 0).fold("evaluation")
        record = model.forward(tf.constant(x), noise, training=False)
        penalties[name] = model.regularizers[0].penalty(record).numpy()
    assert penalties["analytic"].shape == (4,)
    sampled = penalties["sampled"].reshape(4, 400)
    error = sampled.std(axis=1) / np.sqrt(400)
    # A Cauchy draw is cut at 318 scales, where 0.2 % of the mass would lie.
    bias = 0.02 if q == "cauchy" else 0.0
    assert (np.abs(sampled.mean(axis=1) - penalties["analytic"]) < 5 * error + bias).all()
