"""Priors that are learned with the model: mixtures, pseudo-inputs, conditions."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import logsumexp, softmax
from scipy.stats import norm

import zoo
from tests.conftest import make_vectors

SMALL = {"latents": 2, "hidden": (8,), "seed": 0}


def test_a_vamp_prior_is_the_mean_of_the_posteriors_of_its_pseudo_inputs():
    model = zoo.create("vamp_vae", (6,), components=4, **SMALL)
    pseudo = model.prior.pseudo_inputs.numpy()
    posterior = model.posterior(pseudo)
    loc, scale = posterior.distribution.loc.numpy(), posterior.distribution.scale.numpy()
    z = np.float32(np.random.default_rng(0).normal(size=(10, 2)))
    each = norm(loc, scale).logpdf(z[:, None]).sum(axis=-1)
    expected = logsumexp(each, axis=1) - np.log(4)
    assert_allclose(model.prior_distribution().log_prob(z), expected, rtol=1e-4, atol=1e-4)
    # Draws: any component, by the scales of the training; pythae's squash them and go in order.
    model.prior.pseudo_inputs.assign(np.eye(6)[:4])
    draws = model.sample_prior(20_000, 0).numpy()
    posterior = model.posterior(np.eye(6, dtype=np.float32)[:4])
    loc, scale = posterior.distribution.loc.numpy(), posterior.distribution.scale.numpy()
    assert_allclose(draws.mean(axis=0), loc.mean(axis=0), atol=0.04)
    variance = (scale**2 + loc**2).mean(axis=0) - loc.mean(axis=0) ** 2
    assert_allclose(draws.var(axis=0), variance, rtol=0.05)


def test_pseudo_inputs_stay_in_the_range_of_x_and_are_trained():
    model = zoo.create("vamp_vae", (6,), components=3, **SMALL)
    before = model.prior.pseudo_inputs.numpy()
    model.compile(keras.optimizers.Adam(0.3), jit_compile=False)
    model.fit(make_vectors(64, 6), epochs=3, verbose=0)
    after = model.prior.pseudo_inputs.numpy()
    assert np.abs(after - before).max() > 0.1
    assert after.min() >= 0 and after.max() <= 1
    free = zoo.create("vamp_vae", (6,), components=3, likelihood="normal", **SMALL)
    free.prior.pseudo_inputs.assign(np.full((3, 6), 5.0))
    assert_array_equal(free.prior.pseudo_inputs.constraint(tf.constant([5.0])), [5.0])


def test_the_classes_of_a_mixture_are_its_posterior_shares():
    model = zoo.create("vade", (6,), components=3, **SMALL)
    prior = model.prior
    prior.logits.assign([0.0, 1.0, -1.0])
    prior.log_scales.assign(np.log([[1.0, 2.0], [0.5, 1.0], [1.0, 1.0]]))
    z = np.float32(np.random.default_rng(0).normal(size=(10, 2)))
    each = norm(prior.means.numpy(), np.exp(prior.log_scales.numpy())).logpdf(z[:, None])
    shares = softmax(each.sum(axis=-1) + np.array([0.0, 1.0, -1.0]), axis=1)
    found = tf.nn.softmax(prior.classify(tf.constant(z)))
    assert_allclose(found, shares, rtol=1e-3, atol=1e-5)
    density = model.prior_distribution().log_prob(z)
    weights = softmax([0.0, 1.0, -1.0])
    assert_allclose(density, logsumexp(each.sum(axis=-1) + np.log(weights), axis=1), rtol=1e-4)
    x = make_vectors(9, 6)
    classes = np.argmax(prior.classify(tf.constant(model.encode(x))), axis=1)
    assert_array_equal(model.cluster(x), classes)


def test_vade_finds_clusters_that_it_begins_at():
    random = np.random.default_rng(0)
    kinds = random.integers(0, 3, 300)
    x = np.clip(np.eye(3)[kinds].repeat(2, axis=1) * 0.8 + 0.1 * random.random((300, 6)), 0, 1)
    beta = keras.Variable(0.0)
    model = zoo.create("vade", (6,), components=3, beta=beta, **SMALL)
    model.compile(keras.optimizers.Adam(1e-2), jit_compile=False)
    model.fit(np.float32(x), epochs=6, batch_size=50, verbose=0)
    zoo.recipes.start_at_clusters(model, np.float32(x))
    assert model.prior.trainable
    beta.assign(1.0)
    model.fit(np.float32(x), epochs=3, batch_size=50, verbose=0)
    clusters = model.cluster(np.float32(x))
    from zoo.evaluation.clustering import one_to_one_accuracy

    assert one_to_one_accuracy(kinds, clusters) > 0.9
    picture = model.generate(20, seed=0, label=int(clusters[0]))
    own = x[kinds == kinds[0]].mean(axis=0)
    assert np.abs(picture.mean(axis=0) - own).mean() < 0.2
    with pytest.raises(ValueError, match="prior 'gaussian_mixture'"):
        zoo.recipes.start_at_clusters(zoo.create("vae", (6,), **SMALL), np.float32(x))


def test_a_conditional_prior_learns_where_each_class_lies():
    model = zoo.create("conditional_vae", (6,), condition=2, prior="conditional_normal", **SMALL)
    prior = model.prior
    prior.linear.set_weights([np.float32([[3, 0, 0, -1], [-3, 0, 0, 1]]), np.zeros(4)])
    density = model.prior_distribution(tf.eye(2))
    z = np.float32([[1.0, 2.0], [0.5, -1.0]])
    expected = norm([[3, 0], [-3, 0]], np.exp([[0, -1.0], [0, 1.0]])).logpdf(z).sum(axis=1)
    assert_allclose(density.log_prob(z), expected, rtol=1e-4)
    codes = model.sample_prior(4000, 0, condition=tf.repeat(tf.eye(2)[1:], 4000, axis=0)).numpy()
    assert_allclose(codes.mean(axis=0), [-3, 0], atol=0.2)
    assert_allclose(codes.std(axis=0), [1, np.e], rtol=0.05)
    with pytest.raises(ValueError, match="needs a model that declares a condition"):
        zoo.create("vae", (6,), prior="conditional_normal", **SMALL)
    with pytest.raises(ValueError, match="no conditions for its pseudo-inputs"):
        zoo.create("conditional_vae", (6,), condition=2, prior="vamp", **SMALL)


def test_pseudo_inputs_of_a_standardized_model_begin_near_the_middle_of_the_data():
    z = np.float32(np.random.default_rng(0).normal(size=(200, 6)))
    z = (z - z.mean(axis=0)) / z.std(axis=0)
    found = []
    for x, standardize in ((z, False), (1000 + 5 * z, True)):
        model = zoo.create(
            "vamp_vae", (6,), components=5, likelihood="normal", standardize=standardize, **SMALL
        )
        model.compile("adam", jit_compile=False)
        found.append(model.fit(x, epochs=3, verbose=0).history["kl"])
    assert_allclose(found[1], found[0], rtol=0.02)
