"""M2: its bounds by hand, and labels that help."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose
from scipy.special import log_softmax

import zoo
from tests.conftest import make_vectors
from zoo.autoencoder.fitting import drawn_codes

OPTIONS = {"classes": 3, "latents": 2, "hidden": (8,), "style_hidden": 6, "seed": 0}


def test_the_loss_is_that_of_the_paper():
    model = zoo.create("semi_supervised_vae", (6,), weight=7.0, **OPTIONS)
    x, y = make_vectors(10, 6), np.array([0, 1, 2, -1, -1, 0, -1, 1, 2, -1])
    batch = model.intake.floats({"x": tf.constant(x), "condition": tf.constant(y)})
    forward = model.forward(batch, zoo.Noise(0, 0), True)
    terms = model.terms(forward)
    features = model.encoder([x, tf.one_hot(y, 3)])
    log_q = log_softmax(model.bottleneck.numbers(features).numpy().astype(float), axis=1)
    code = forward.code.numpy().reshape(10, 3, 5)
    losses = np.zeros((10, 3))
    for label in range(3):
        one_hot = np.tile(np.eye(3, dtype=np.float32)[label], (10, 1))
        loc, scale = (v.numpy() for v in model.bottleneck._style(features, tf.constant(one_hot)))
        assert_allclose(code[:, label, :3], one_hot)
        kl = 0.5 * (loc**2 + scale**2 - 1 - 2 * np.log(scale)).sum(axis=1)
        decoded = model.conditional(code[:, label], condition=y)
        losses[:, label] = -decoded.log_prob(x) + np.log(3) + kl
    labelled = losses[np.arange(10), y] - 7 * log_q[np.arange(10), y]
    unlabelled = (np.exp(log_q) * (losses + log_q)).sum(axis=1)
    assert_allclose(terms["loss"], np.where(y >= 0, labelled, unlabelled).mean(), rtol=1e-4)
    known = y >= 0
    assert_allclose(terms["error"], (log_q.argmax(axis=1) != y)[known].mean(), rtol=1e-5)


@pytest.fixture(scope="module")
def separated():
    """A model of two classes that lie apart, (x, y)."""
    y = np.arange(200) % 2
    noise = 0.02 * np.random.default_rng(0).normal(size=(200, 6))
    x = np.float32(np.where(y[:, None] == 0, 0.1, 0.9) + noise)
    keras.utils.set_random_seed(0)
    options = {"classes": 2, "latents": 2, "hidden": (16,), "likelihood": "normal", "seed": 0}
    model = zoo.create("semi_supervised_vae", (6,), **options)
    model.compile(keras.optimizers.Adam(1e-2))
    model.fit(x, y, epochs=30, verbose=0)
    assert (model.cluster(x) == y).mean() > 0.98
    return model, x, y


def test_a_score_weighs_the_labels_by_their_chances(separated):
    model, x, y = separated
    found = model.score(x, by="probability", samples=20)
    likeliest = model.conditional(model.encode(x)).log_prob(x).numpy()
    for label in range(2):
        assert_allclose(found[y == label].mean(), likeliest[y == label].mean(), atol=0.1)
    assert (found != model.score(x, by="probability", samples=1)).any()


def test_a_prior_is_fitted_to_codes_of_the_labels_that_x_has(separated):
    model, x, y = separated
    ones = x[y == 1]
    codes = drawn_codes(model, ones)
    assert codes.shape == (100, 4) and codes[:, 1].mean() > 0.95
    made = model.fit_prior("gaussian_mixture", ones, components=2).generate(200, seed=0)
    assert made.mean() > 0.7


def test_a_prior_is_fitted_to_one_code_of_each_row():
    model = zoo.create("iwae", (6,), latents=2, hidden=(4,), samples=5)
    assert drawn_codes(model, make_vectors(12, 6)).shape == (12, 2)


def test_a_few_labels_name_the_classes():
    random = np.random.default_rng(0)
    kinds = random.integers(0, 3, 300)
    x = np.float32(np.eye(3)[kinds].repeat(2, axis=1) * 0.8 + 0.1 * random.random((300, 6)))
    y = np.where(np.arange(300) < 15, kinds, -1)
    model = zoo.create("semi_supervised_vae", (6,), **OPTIONS)
    model.compile(keras.optimizers.Adam(1e-2), jit_compile=False)
    history = model.fit(x, y, epochs=12, batch_size=50, verbose=0).history
    assert history["error"][-1] < 0.1
    assert np.mean(model.cluster(x) == kinds) > 0.95  # no labels are asked for
    new = model.generate(50, seed=0, label=2)
    assert np.abs(new.mean(axis=0) - x[kinds == 2].mean(axis=0)).mean() < 0.15


@pytest.mark.parametrize("prior", ["normal", "conditional_normal"])
def test_an_export_takes_the_condition(prior, tmp_path):
    model = zoo.create("conditional_vae", (6,), condition=3, latents=2, hidden=(4,), prior=prior)
    if prior == "conditional_normal":
        model.prior.linear.set_weights(
            [np.float32([[4, 0, 0, 0], [0] * 4, [-4, 0, 0, 0]]), np.zeros(4)]
        )
    model.export(tmp_path / "saved")
    loaded = tf.saved_model.load(str(tmp_path / "saved"))
    y = np.array([0, 2], np.int32)
    served = loaded.generate(np.int32(2), np.int32(5), y)
    assert_allclose(served, model.generate(2, seed=5, condition=y), rtol=1e-4, atol=1e-5)
    x = make_vectors(2, 6)
    assert_allclose(loaded.encode(x, y), model.encode(x, condition=y), rtol=1e-4, atol=1e-5)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="needs the bottleneck 'label_and_style'"):
        zoo.Autoencoder(
            (6,),
            zoo.networks.mlp([4]),
            {"name": "stochastic", "units": 2},
            zoo.networks.mlp([4], (6,)),
            objective="semi_supervised",
        )
    with pytest.raises(ValueError, match="more latents than classes"):
        zoo.bottlenecks.LabelAndStyle(3, classes=3)
    model = zoo.create("semi_supervised_vae", (6,), **OPTIONS)
    model.compile()
    with pytest.raises(ValueError, match="declares a condition"):
        model.fit(make_vectors(20, 6), verbose=0)


def test_what_needs_no_label_is_called_without_one():
    model = zoo.create("semi_supervised_vae", (6,), classes=3, latents=2, hidden=(4,))
    x = np.random.default_rng(0).random((5, 6), np.float32)
    assert_allclose(model(x), model.reconstruct(x), rtol=1e-5)
    assert model.posterior(x) is None and model.conditional(model.encode(x)).batch_shape == (5,)


def test_a_model_that_needs_its_condition_says_so():
    model = zoo.create("conditional_vae", (6,), condition=3, latents=2, hidden=(4,))
    x = np.random.default_rng(0).random((5, 6), np.float32)
    calls = (
        lambda: model.posterior(x),
        lambda: model.conditional(x[:, :2]),
        lambda: zoo.evaluation.evaluate(model, x, verbose=False),
        lambda: zoo.visualization.figures_for(model, x),
    )
    for call in calls:
        with pytest.raises(ValueError, match="declares a condition"):
            call()
    with pytest.raises(ValueError, match=r"Call it with a pair \(x, condition\)"):
        model(x)
    assert model.posterior(x, [0, 1, 2, 0, 1]).batch_shape == (5,)


@pytest.mark.parametrize("kind", ["uint8", "int8", "int64", "float32"])
def test_labels_of_a_stream_are_those_of_an_array(kind):
    """A byte is no -1."""
    x, y = make_vectors(64, 6), (np.arange(64) % 3).astype(kind)
    model = zoo.create("conditional_vae", (6,), condition=3, latents=2, hidden=(4,), seed=0)
    model.compile("adam", jit_compile=False)
    streamed = model.evaluate(tf.data.Dataset.from_tensor_slices((x, y)).batch(32), verbose=0)
    np.testing.assert_allclose(streamed, model.evaluate(x, y, batch_size=32, verbose=0), rtol=1e-5)


@pytest.mark.parametrize(
    ("labels", "error"),
    [
        ((np.arange(64) % 3 + 0.7).astype(np.float32), "must be whole numbers from 0 to 2"),
        ((np.arange(64) % 4).astype(np.uint8), "must be whole numbers from 0 to 2"),
        (np.eye(3, dtype=np.float32)[np.arange(64) % 3], "Turn one-hot rows into labels"),
    ],
    ids=["fractions", "a fourth", "one-hot"],
)
def test_labels_of_a_stream_that_are_no_classes_are_refused(labels, error):
    model = zoo.create("conditional_vae", (6,), condition=3, latents=2, hidden=(4,))
    model.compile("adam", jit_compile=False)
    data = tf.data.Dataset.from_tensor_slices((make_vectors(64, 6), labels)).batch(32)
    with pytest.raises(ValueError, match=error):
        model.fit(data, verbose=0)
