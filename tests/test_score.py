"""Scores of single rows: in order, by hand, against exact likelihoods; anomalies and missing values."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import mannwhitneyu
from sklearn.decomposition import PCA

import zoo
from tests.conftest import make_vectors
from tests.test_importance_weighted import X, linear_gaussian
from zoo.evaluation import anomaly, imputation

SMALL = {"latents": 2, "hidden": (6,), "seed": 0}


def test_the_bound_comes_to_the_exact_likelihood_of_every_row():
    model, exact = linear_gaussian(1)
    found = model.score(X, samples=2000)
    assert_allclose(found, exact, atol=0.15)
    assert found.dtype == np.float64
    one = model.score(X, samples=1, seed=3)
    assert one.mean() < found.mean()
    assert_array_equal(one, model.score(X, samples=1, seed=3))
    for other in (4, 3 + 2**16, 3 + 2**40):
        assert not np.array_equal(one, model.score(X, samples=1, seed=other))


def test_scores_are_in_the_order_of_x_and_as_many():
    model = zoo.create("vae", (6,), likelihood="normal", **SMALL)
    x = make_vectors(23, 6)
    x[17] += 30
    for by in ("bound", "probability", "error"):
        found = model.score(x, by, samples=3, batch_size=5)
        assert found.shape == (23,) and found.argmin() == 17
    residual = np.square(x - model.reconstruct(x)).sum(axis=1)
    assert_allclose(model.score(x, "error"), -residual, rtol=1e-4)


def test_the_reconstruction_probability_is_the_mean_over_draws():
    model, _ = linear_gaussian(1)
    posterior = model.posterior(X)
    draws = posterior.sample(3000, seed=[0, 1])
    decoded = model.conditional(tf.reshape(draws, (-1, 2)))
    expected = tf.reshape(decoded.log_prob(np.tile(X, (3000, 1))), (3000, -1))
    found = model.score(X, "probability", samples=1500)
    assert_allclose(found, np.mean(expected, axis=0), atol=0.15)


def test_codes_without_noise_conditions_and_several_draws():
    plain = zoo.create("autoencoder", (6,), likelihood="normal", **SMALL)
    x = make_vectors(7, 6)
    expected = plain.conditional(plain.encode(x)).log_prob(x)
    assert_allclose(plain.score(x, "probability"), expected, rtol=1e-4)
    with pytest.raises(ValueError, match="needs a stochastic bottleneck and a prior"):
        plain.score(x)
    with pytest.raises(ValueError, match="Did you mean 'error'"):
        plain.score(x, "errors")
    given = zoo.create("conditional_vae", (6,), condition=3, **SMALL)
    y = np.arange(7) % 3
    assert given.score(x, condition=y, samples=2).shape == (7,)
    # 5 draws of a bottleneck that draws 4 times are 20.
    assert zoo.create("iwae", (6,), samples=4, **SMALL).score(x, samples=5).shape == (7,)


def test_missing_values_count_in_no_score():
    model = zoo.create("vae", (6,), mask="nan", likelihood="normal", **SMALL)
    x = make_vectors(5, 6)
    x[:, 2] = np.nan
    whole = np.where(np.isnan(x), 0.0, x)
    residual = np.square(whole - model.reconstruct(x))[:, [0, 1, 3, 4, 5]].sum(axis=1)
    assert_allclose(model.score(x, "error"), -residual, rtol=1e-4)
    assert np.isfinite(model.score(x, samples=2)).all()


def test_standardized_models_score_and_take_a_fitted_prior():
    model = zoo.create("vae", (6,), standardize=True, likelihood="normal", **SMALL)
    x = make_vectors(30, 6) * 100 + 7
    model.adapt(x)
    deviation = x.std(axis=0)
    # The density of x itself differs by the units alone.
    found, draws = (
        model.score(x, "probability", samples=400),
        model.posterior(x).sample(400, [0, 1]),
    )
    each = model.conditional(tf.reshape(draws, (-1, 2))).log_prob(np.tile(x, (400, 1)))
    expected = np.mean(np.reshape(each, (400, 30)), axis=0) + np.log(deviation).sum()
    assert_allclose(found, expected, atol=0.3)
    fitted = model.fit_prior("gaussian_mixture", x, components=1)
    assert_array_equal(fitted.reconstruct(x), model.reconstruct(x))
    assert fitted.generate(20, seed=0).mean() > 10


def test_a_kind_that_was_held_out_scores_low():
    random = np.random.default_rng(0)
    kinds = random.integers(0, 3, 400)
    x = np.float32(np.eye(3)[kinds].repeat(2, axis=1) * 0.8 + 0.1 * random.random((400, 6)))
    model = zoo.create("vae", (6,), likelihood={"name": "normal", "scale": 0.1}, **SMALL)
    model.compile(keras.optimizers.Adam(1e-2), jit_compile=False)
    model.fit(x[kinds < 2], epochs=12, batch_size=32, verbose=0)
    typical = model.score(x, samples=5)
    found = anomaly.scores(typical, kinds == 2)
    assert found["roc_auc"] > 0.9 and found["average_precision"] > 0.8
    # The chance that an anomaly scores lower is the statistic of Mann and Whitney.
    low, high = typical[kinds == 2], typical[kinds != 2]
    statistic = mannwhitneyu(high, low).statistic / (len(low) * len(high))
    assert_allclose(found["roc_auc"], statistic)
    assert_allclose(found["anomaly_share"], np.mean(kinds == 2))


def test_average_precision_by_hand_and_ties():
    found = anomaly.scores([1, 2, 3, 4, 5], [True, False, True, False, False])
    assert_allclose(found["average_precision"], (1 + 2 / 3) / 2)
    assert anomaly.scores([1, 1, 1, 1], [1, 0, 1, 0])["roc_auc"] == 0.5
    with pytest.raises(ValueError, match="both kinds"):
        anomaly.scores([1.0, 2.0], [True, True])
    with pytest.raises(ValueError, match="a score and true or false"):
        anomaly.scores([1.0, 2.0], [True])


def test_components_fill_in_what_they_know():
    random = np.random.default_rng(0)
    train = np.float64(random.normal(size=(200, 2)) @ random.normal(size=(2, 5)) + 3)
    x = train[:20].copy()
    x[np.arange(20), np.arange(20) % 5] = np.nan
    assert_allclose(imputation.by_components(x, train, 2), train[:20], atol=1e-3)
    # Without gaps a row is left alone; with all values it would be its projection, as scikit-learn's.
    whole = np.concatenate([train[:3], np.full((3, 1), np.nan)], axis=1)
    wider = np.concatenate([train, 2 * train[:, :1]], axis=1)
    projected = PCA(2).fit(wider)
    filled = imputation.by_components(whole, wider, 2)
    expected = projected.inverse_transform(projected.transform(filled))
    assert_allclose(filled, expected, atol=1e-3)


def test_errors_of_missing_values():
    x = make_vectors(30, 4)
    missing = np.zeros((30, 4), bool)
    missing[:, 1] = True
    found = imputation.scores(x, missing, np.zeros((30, 4)), x, components=2)
    assert_allclose(found["imputation_error"], np.sqrt(np.square(x[:, 1]).mean()), rtol=1e-5)
    assert_allclose(found["imputation_error_mean"], x[:, 1].std(), rtol=1e-5)
    with pytest.raises(ValueError, match="Nothing is missing"):
        imputation.scores(x, ~missing & False, x, x)


def test_a_score_of_k_draws_takes_k_whatever_the_model_is_trained_with():
    x = np.random.default_rng(0).random((50, 6)).astype("float32")
    means = {}
    for samples in (1, 5):
        model = zoo.create("vae", (6,), latents=2, hidden=(4,), samples=samples, seed=1)
        for k in (1, 5, 7):
            each = [model.score(x, samples=k, seed=seed).mean() for seed in range(20)]
            means[samples, k] = np.mean(each)
    assert means[1, 5] - means[1, 1] > 0.4  # the bound of 5 draws is as much larger
    for k in (1, 5, 7):
        assert abs(means[5, k] - means[1, k]) < 0.15
