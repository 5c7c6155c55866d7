"""Likelihoods of whole numbers against scipy.stats, and the data that they take."""

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal
from scipy import special, stats

import zoo
from zoo.distributions.counts import LOG_MEAN_LIMIT

RANDOM = np.random.default_rng(0)
OUTPUT = RANDOM.normal(size=(5, 4)).astype("float32")
COUNTS = RANDOM.poisson(5.0, (5, 4)).astype("float32")
TOKENS = RANDOM.integers(0, 6, (5, 4))


def built(name, **options):
    likelihood = zoo.get(name, "likelihood", **options)
    likelihood.build((None, 4))
    return likelihood


def model_of(likelihood, shape=(4,), **options):
    return zoo.create("vae", shape, latents=2, hidden=(3,), likelihood=likelihood, **options)


def test_poisson_is_scipys():
    expected = -stats.poisson.logpmf(COUNTS, np.exp(OUTPUT)).sum(axis=1)
    assert_allclose(built("poisson").loss(OUTPUT, COUNTS), expected, rtol=1e-5)
    assert_allclose(built("poisson").mean(OUTPUT), np.exp(OUTPUT), rtol=1e-5)


def test_poisson_keeps_its_digits_where_counts_are_large():
    counts = np.float32([[0, 1, 7, 8], [9, 3e3, 1e5, 3e6]])
    output = tf.constant(np.log(np.float32([[1e-3, 40, 7.5, 5], [30, 3e3, 1.01e5, 3e6]])))
    with tf.GradientTape() as tape:
        tape.watch(output)
        terms = built("poisson").elementwise(output, counts)
    rates = np.exp(output.numpy().astype("float64"))
    assert_allclose(terms, -stats.poisson.logpmf(counts, rates), rtol=1e-4)
    assert_allclose(tape.gradient(terms, output) / rates, 1 - counts / rates, atol=3e-6)


@pytest.mark.parametrize("theta", [0.1, 1.0, 30.0, 1e4])
def test_a_negative_binomial_is_scipys_of_that_mean_and_dispersion(theta):
    """Scipy's has n = theta failures and the chance p = theta / (theta + m)."""
    mean = np.exp(OUTPUT.astype("float64"))
    expected = -stats.nbinom.logpmf(COUNTS, theta, theta / (theta + mean)).sum(axis=1)
    shared, each = built("negative_binomial"), built("negative_binomial", dispersion="each")
    shared.log_dispersion.assign(np.full(4, np.log(theta)))
    given = np.concatenate([OUTPUT, np.full_like(OUTPUT, np.log(theta))], axis=1)
    assert each.decoder_shape((4,)) == (8,)
    for likelihood, output in ((shared, OUTPUT), (each, given)):
        assert_allclose(likelihood.loss(output, COUNTS), expected, rtol=1e-4)
        found = likelihood.distribution(output)
        assert_allclose(likelihood.mean(output), mean, rtol=1e-5)
        assert_allclose(found.variance(), mean + mean**2 / theta, rtol=1e-4)
    if theta == 1e4:
        assert_allclose(shared.loss(OUTPUT, COUNTS), built("poisson").loss(OUTPUT, COUNTS), 2e-3)


def test_no_mean_overflows_and_one_that_is_too_large_comes_back():
    with tf.GradientTape() as tape:
        output = tf.constant([[200.0, -200.0, 0.0, 0.0]])
        tape.watch(output)
        loss = built("negative_binomial").loss(output, COUNTS[:1])
    assert np.isfinite(loss).all()
    slope = tape.gradient(loss, output).numpy()[0]
    assert slope[0] > 0 > slope[1]  # a step against it leads inside
    assert_allclose(built("poisson").mean(output)[0, 0], np.exp(LOG_MEAN_LIMIT), rtol=1e-5)


def test_tokens_are_a_softmax_at_every_place():
    logits = RANDOM.normal(size=(5, 4, 6)).astype("float32")
    likelihood = built("categorical", levels=6)
    chances = special.log_softmax(logits, axis=-1)
    expected = -np.take_along_axis(chances, TOKENS[..., None], axis=-1).sum(axis=(1, 2))
    tokens = TOKENS.astype("float32")
    assert_allclose(likelihood.loss(logits, tokens), expected, rtol=1e-5)
    found = likelihood.distribution(logits)
    assert tuple(found.event_shape) == (4,)
    assert_allclose(found.log_prob(tokens), -expected, rtol=1e-5)
    assert_array_equal(likelihood.mean(logits), logits.argmax(axis=-1))
    assert_array_equal(likelihood.seen(tokens), np.eye(6)[TOKENS])
    assert likelihood.encoder_shape((4,)) == likelihood.decoder_shape((4,)) == (4, 6)


def test_pixels_are_bytes_over_255():
    logits = RANDOM.normal(size=(2, 3, 3, 2 * 256)).astype("float32")
    levels = RANDOM.integers(0, 256, (2, 3, 3, 2))
    pixels = (levels / np.float32(255)).astype("float32")
    likelihood = built("categorical", levels=256, pixels=True)
    chances = special.log_softmax(logits.reshape(2, 3, 3, 2, 256), axis=-1)
    expected = -np.take_along_axis(chances, levels[..., None], axis=-1)[..., 0].sum(axis=(1, 2, 3))
    assert_allclose(likelihood.loss(logits, pixels), expected, rtol=1e-5)
    assert_allclose(likelihood.distribution(logits).log_prob(pixels), -expected, rtol=1e-5)
    mean = (np.exp(chances) * np.arange(256) / 255).sum(axis=-1)
    assert_allclose(likelihood.mean(logits), mean, rtol=1e-4)
    assert_array_equal(likelihood.seen(pixels), pixels)


def test_a_categorical_is_fitted_to_the_shares_of_the_levels():
    """The gradient vanishes where each level's probability is its share of the data."""
    tokens = np.float32([[0], [0], [1], [2]])
    likelihood = built("categorical", levels=3)
    with tf.GradientTape() as tape:
        logits = tf.math.log(tf.constant([[[0.5, 0.25, 0.25]]] * 4))
        tape.watch(logits)
        loss = likelihood.loss(logits, tokens)
    assert_allclose(tf.reduce_sum(tape.gradient(loss, logits), axis=0), np.zeros((1, 3)), atol=1e-6)


@pytest.mark.parametrize("kind", ["int64", "uint16", "float32", "uint8"])
@pytest.mark.filterwarnings("ignore:The bytes of x")
def test_whole_numbers_of_any_type_are_taken_as_they_are(kind):
    model = model_of({"name": "categorical", "levels": 6}, seed=0)
    expected = model.encode(TOKENS.astype("float32"))
    assert_allclose(model.encode(TOKENS.astype(kind)), expected, rtol=1e-6)
    streamed = tf.data.Dataset.from_tensor_slices(TOKENS.astype(kind)).batch(5)
    assert_allclose(model.encode(streamed), expected, rtol=1e-6)
    model.compile("adam", jit_compile=False)
    assert np.isfinite(model.fit(streamed, verbose=0).history["loss"]).all()


REFUSED = {
    "scaled": (COUNTS / 100, "poisson", r"x holds fractions from 0 to 1, .* counts whole numbers"),
    "logarithms": (np.log1p(COUNTS), "negative_binomial", r"x holds fractions, and .* whole"),
    "negative": (COUNTS - 9, "poisson", r"values of x must lie in \[0, inf\]; .* are counted"),
    "tokens": (TOKENS + 1, {"name": "categorical", "levels": 6}, r"must lie in \[0, 5\]"),
    "halves": (TOKENS / 2, {"name": "categorical", "levels": 6}, r"x holds fractions, and"),
    "ratings": (TOKENS, "normal", r"x holds int64; expected uint8 .* or floats"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_counted_is_refused(case):
    x, likelihood, line = REFUSED[case]
    model = model_of(likelihood)
    model.compile("adam", jit_compile=False)
    with pytest.raises(ValueError, match=line):
        model.fit(x, verbose=0)
    with pytest.raises(ValueError, match=line):
        model.fit(tf.data.Dataset.from_tensor_slices(x).batch(5), verbose=0)


def test_pixels_that_a_record_holds_are_not_taken_for_counts():
    model = model_of("poisson", (4, 4, 1))
    pictures = RANDOM.integers(0, 256, (5, 4, 4, 1)).astype("uint8")
    with pytest.raises(ValueError, match=r"bytes are pixels .* counts whole numbers"):
        model.encode(zoo.data.Data("x", "all", pictures))


def test_tokens_have_no_missing_values():
    with pytest.raises(ValueError, match="mask='nan' is for values that the encoder sees"):
        model_of({"name": "categorical", "levels": 6}, mask="nan")
    with pytest.raises(ValueError, match="has the activation 'exponential'"):
        zoo.get("poisson", "likelihood", activation="relu")
