"""Likelihoods against scipy.stats."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose
from scipy import special, stats

import zoo
from zoo.distributions.likelihoods import LOG_SCALE_LIMIT

SHAPE = (5, 4, 3, 2)


def arrays():
    random = np.random.default_rng(0)
    return random.normal(size=SHAPE).astype("float32"), random.random(SHAPE).astype("float32")


def built(name, **options):
    likelihood = zoo.get(name, "likelihood", **options)
    likelihood.build((None, *SHAPE[1:]))
    return likelihood


def per_example(values):
    return values.reshape(len(values), -1).sum(axis=1)


def test_bernoulli_is_the_log_probability_of_binary_pictures():
    logits, pictures = arrays()
    binary = (pictures > 0.5).astype("float32")
    expected = -per_example(stats.bernoulli.logpmf(binary, special.expit(logits)))
    assert_allclose(built("bernoulli").loss(logits, binary), expected, rtol=1e-5)


def test_bernoulli_is_the_cross_entropy_of_grey_pictures():
    logits, pictures = arrays()
    p = special.expit(logits.astype("float64"))
    expected = -per_example(pictures * np.log(p) + (1 - pictures) * np.log1p(-p))
    assert_allclose(built("bernoulli").loss(logits, pictures), expected, rtol=1e-5)


def test_bernoulli_is_finite_for_large_logits():
    logits = np.array([[1e4, -1e4]], "float32")
    assert_allclose(built("bernoulli").loss(logits, np.array([[1.0, 0.0]], "float32")), [0.0])
    assert_allclose(built("bernoulli").loss(logits, np.array([[0.0, 1.0]], "float32")), [2e4])


@pytest.mark.parametrize("kind", [tf.float32, tf.bfloat16])
@pytest.mark.parametrize("target", [0.0, 0.3, 1.0])
def test_bernoulli_and_its_gradient_are_those_of_float64(target, kind):
    sizes = np.concatenate([np.linspace(0, 120, 481), 10.0 ** np.arange(3, 38)])
    logits = tf.cast(np.concatenate([-sizes, sizes]), kind)
    known = logits.numpy().astype("float64")  # what is left of them in that type
    x = np.float32(target)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        terms = built("bernoulli").elementwise(
            tf.cast(logits, tf.float32), tf.fill(logits.shape, x)
        )
    slope = tape.gradient(terms, logits).numpy().astype("float64")
    x = np.float64(x)
    assert_allclose(terms, np.logaddexp(0, known) - x * known, rtol=1e-6, atol=1.2e-7)
    tolerance = 2e-7 if kind == tf.float32 else 2**-8
    assert_allclose(slope, special.expit(known) - x, rtol=tolerance, atol=1e-7)


def test_bernoulli_of_a_logit_that_is_not_a_number_is_none_either():
    broken = np.array([[np.nan, 0.0]], "float32")
    assert np.isnan(built("bernoulli").loss(broken, np.zeros((1, 2), "float32")))


@pytest.mark.parametrize("scale", [0.3, 1.0, 2.5])
@pytest.mark.parametrize(("name", "family"), [("normal", stats.norm), ("laplace", stats.laplace)])
def test_scaled_likelihoods_are_log_densities(name, family, scale):
    output, pictures = arrays()
    expected = -per_example(family.logpdf(pictures, output, scale))
    assert_allclose(built(name, scale=scale).loss(output, pictures), expected, rtol=1e-5)


def test_squared_error_is_a_normal_less_its_constant():
    output, pictures = arrays()
    likelihood = built("squared_error")
    expected = per_example((output - pictures) ** 2)
    assert_allclose(likelihood.loss(output, pictures), expected, rtol=1e-5)
    density = stats.norm.logpdf(pictures, output, np.sqrt(0.5))
    assert_allclose(likelihood.distribution(output).log_prob(pictures), per_example(density), 1e-5)
    constant = 0.5 * np.log(np.pi) * np.prod(SHAPE[1:])
    assert_allclose(expected + constant, -per_example(density), rtol=1e-5)


@pytest.mark.parametrize("name", ["bernoulli", "normal", "laplace", "squared_error"])
def test_loss_is_the_distributions_for_sum_and_its_average_for_mean(name):
    output, pictures = arrays()
    pictures = (pictures > 0.5).astype("float32")
    total, average = built(name), built(name, reduction="mean")
    assert_allclose(
        total.loss(output, pictures), average.loss(output, pictures) * np.prod(SHAPE[1:]), 1e-5
    )
    distribution = total.distribution(output)
    assert tuple(distribution.batch_shape) == SHAPE[:1]
    assert tuple(distribution.event_shape) == SHAPE[1:]
    assert_allclose(total.mean(output), distribution.mean(), rtol=1e-5, atol=1e-6)
    if name != "squared_error":
        assert_allclose(total.loss(output, pictures), -distribution.log_prob(pictures), rtol=1e-5)


def test_activation_gives_the_location():
    output, pictures = arrays()
    likelihood = built("squared_error", activation="sigmoid")
    expected = per_example((special.expit(output) - pictures) ** 2)
    assert_allclose(likelihood.loss(output, pictures), expected, rtol=1e-5)
    assert_allclose(likelihood.mean(output), special.expit(output), rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "best"), [("normal", np.std), ("laplace", lambda e: np.abs(e).mean())]
)
def test_learned_scale_finds_the_maximum_likelihood(name, best):
    likelihood = built(name, scale="learned")
    errors = np.random.default_rng(1).normal(scale=0.2, size=(50, 20)).astype("float32")
    errors -= errors.mean()
    output, pictures = tf.zeros_like(errors), tf.constant(errors)

    def loss_and_slope(scale):
        likelihood.log_scale.assign(np.log(scale))
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(likelihood.loss(output, pictures)) / 20
        return float(loss), float(tape.gradient(loss, likelihood.log_scale.value))

    least, slope = loss_and_slope(best(errors))
    assert_allclose(slope, 0, atol=1e-4)
    assert loss_and_slope(0.9 * best(errors))[0] > least < loss_and_slope(1.1 * best(errors))[0]


@pytest.mark.parametrize("sign", [-1, 1])
def test_learned_scale_has_bounds(sign):
    likelihood = built("normal", scale="learned")
    likelihood.log_scale.assign(sign * 100.0)
    assert_allclose(float(likelihood.current_scale()), np.exp(sign * LOG_SCALE_LIMIT), rtol=1e-6)


def test_a_learned_scale_is_read_in_the_scope_of_several_devices(two_devices):
    with two_devices.scope():
        assert float(built("normal", scale="learned").current_scale()) == 1


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("inward", [False, True])
def test_a_learned_scale_comes_back_from_its_bound(sign, inward):
    """Past a bound the loss pushes on or back, and the gradient is that of the bound only for the latter."""
    likelihood = built("normal", scale="learned")
    likelihood.log_scale.assign(sign * (LOG_SCALE_LIMIT + 0.05))
    size = np.exp((sign if inward else -sign) * -LOG_SCALE_LIMIT)  # of the errors
    errors = tf.fill([4, 6], tf.constant(size, tf.float32))
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(likelihood.loss(tf.zeros_like(errors), errors)) / 6
    slope = float(tape.gradient(loss, likelihood.log_scale.value))
    expected = 1 - np.exp(-2 * sign * LOG_SCALE_LIMIT) * size**2  # d(log s + e^2 / 2 s^2) / d log s
    assert_allclose(slope, expected if inward else 0.0, rtol=1e-4)


@pytest.mark.parametrize("scale", [0, -1.0, "learnt", float("nan"), None])
def test_a_bad_scale_is_refused(scale):
    with pytest.raises(ValueError, match="scale"):
        zoo.get("normal", "likelihood", scale=scale)


def test_a_bad_reduction_is_refused():
    with pytest.raises(ValueError, match=r"'sum'.*received 'total'"):
        zoo.get("bernoulli", "likelihood", reduction="total")


def test_half_precision_output_is_judged_in_float32():
    output, pictures = arrays()
    rounded = tf.cast(output, tf.bfloat16)
    for name in ("bernoulli", "normal", "laplace", "squared_error"):
        likelihood = built(name)
        exact = likelihood.loss(tf.cast(rounded, tf.float32), pictures)
        assert likelihood.loss(rounded, pictures).dtype == tf.float32
        assert_allclose(likelihood.loss(rounded, pictures), exact, rtol=1e-6)


@pytest.mark.parametrize("name", ["normal", "laplace"])
def test_a_density_has_no_root(name):
    with pytest.raises(ValueError, match="'root' is for squared errors"):
        zoo.get(name, "likelihood", reduction="root")


def test_bernoulli_has_one_activation():
    assert zoo.get("bernoulli", "likelihood", activation="sigmoid").bounds == (0.0, 1.0)
    with pytest.raises(ValueError, match="'bernoulli' has the activation 'sigmoid'"):
        zoo.get("bernoulli", "likelihood", activation="relu")


@pytest.mark.parametrize("last", ["sigmoid", "softmax"])
def test_a_decoder_that_ends_in_a_sigmoid_is_refused_under_bernoulli(last):
    layers = keras.layers

    def networks():
        decoder = [layers.Dense(4), layers.Dense(16, activation=last), layers.Reshape((4, 4, 1))]
        return keras.Sequential([layers.Flatten(), layers.Dense(4)]), keras.Sequential(decoder)

    with pytest.raises(
        ValueError, match=f"decoder ends in a {last}, and the likelihood 'bernoulli'"
    ):
        zoo.create("vae", (4, 4, 1), latents=2, networks=networks())
    zoo.create("vae", (4, 4, 1), latents=2, networks=networks(), likelihood="squared_error")
