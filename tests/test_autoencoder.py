"""One forward pass, one step: what the model computes, against the same in NumPy and SciPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal
from scipy import special, stats

import zoo
from tests.conftest import make_vectors
from zoo.noise import Noise


def build(name="vae", **options):
    keras.utils.set_random_seed(0)
    return zoo.create(name, (6,), **{"latents": 2, "hidden": (4,), "seed": 9, **options})


def affine(layer, x):
    return x @ layer.kernel.numpy() + layer.bias.numpy()


def layers(network):
    return [layer for layer in network.layers if isinstance(layer, keras.layers.Dense)]


def parameters(model, x):
    """Location and scale of q(z|x), in NumPy."""
    (hidden,) = layers(model.encoder)
    features = np.maximum(affine(hidden, x), 0)
    loc, raw = np.split(affine(model.bottleneck.dense, features), 2, axis=-1)
    return loc, np.log1p(np.exp(raw + np.log(np.e - 1))) + 1e-6


def logits(model, z):
    hidden, last = layers(model.decoder)
    return affine(last, np.maximum(affine(hidden, z), 0))


def test_the_posterior_and_the_code():
    x = make_vectors(20)
    model = build()
    loc, scale = parameters(model, x)
    assert_allclose(model.encode(x), loc, rtol=1e-5, atol=1e-6)
    posterior = model.posterior(x)
    assert_allclose(posterior.mean(), loc, rtol=1e-5, atol=1e-6)
    assert_allclose(posterior.stddev(), scale, rtol=1e-5)
    z = np.ones((20, 2), "float32")
    assert_allclose(
        posterior.log_prob(z), stats.norm(loc, scale).logpdf(z).sum(axis=1), rtol=1e-4, atol=1e-4
    )


def test_decoding_and_the_conditional():
    z = np.random.default_rng(0).normal(size=(7, 2)).astype("float32")
    model = build()
    p = special.expit(logits(model, z))
    assert_allclose(model.decode(z), p, rtol=1e-5, atol=1e-6)
    assert_allclose(model.conditional(z).mean(), p, rtol=1e-5, atol=1e-6)
    binary = (p > 0.5).astype("float32")
    expected = stats.bernoulli(p).logpmf(binary).sum(axis=1)
    assert_allclose(model.conditional(z).log_prob(binary), expected, rtol=1e-4)


def test_evaluation_is_the_evidence_lower_bound():
    """With the noise of the evaluation, every term computed by hand."""
    x = make_vectors(40)
    model = build(beta=3.0)
    model.compile(jit_compile=False)
    loc, scale = parameters(model, x)
    uniform = Noise(9, 0).fold("evaluation").fold("code").uniform(40, 2).numpy()
    p = special.expit(logits(model, loc + scale * stats.norm.ppf(uniform)).astype("float64"))
    reconstruction = -(x * np.log(p) + (1 - x) * np.log1p(-p)).sum(axis=1).mean()
    kl = (-np.log(scale) + (scale**2 + loc**2) / 2 - 0.5).sum(axis=1).mean()
    terms = model.evaluate(x, verbose=0, return_dict=True)
    assert_allclose(terms["reconstruction"], reconstruction, rtol=1e-4)
    assert_allclose(terms["kl"], kl, rtol=1e-4)
    assert_allclose(terms["loss"], reconstruction + 3 * kl, rtol=1e-4)


def test_a_step_of_gradient_descent():
    """One step of plain gradient descent moves the last bias by the rate times its gradient."""
    x = make_vectors(32)
    model = build("autoencoder", likelihood="squared_error")
    model.compile(keras.optimizers.SGD(0.1), jit_compile=False)
    last = layers(model.decoder)[-1]
    before = last.bias.numpy()
    expected = before - 0.1 * 2 * (model.reconstruct(x) - x).mean(axis=0)
    model.fit(x, batch_size=32, epochs=1, verbose=0)
    assert_allclose(last.bias.numpy(), expected, rtol=1e-5, atol=1e-6)


def test_several_samples_average_their_terms():
    x = make_vectors(30)
    one, many = build(), build(samples=50)
    many.set_weights(one.get_weights())
    terms = []
    for model in (one, many):
        model.compile(jit_compile=False)
        terms.append(model.evaluate(x, verbose=0, return_dict=True))
    assert_allclose(terms[0]["kl"], terms[1]["kl"], rtol=1e-5)
    record = many.forward(tf.constant(x), Noise(0, 0), training=True)
    assert record.code.shape == (1500, 2) and record.inputs.shape == (1500, 6)
    assert_array_equal(record.inputs[:50], np.repeat(x[:1], 50, axis=0))
    draws = tf.reshape(record.code, (30, 50, 2))
    loc, scale = parameters(one, x)
    error = np.abs(draws.numpy().mean(axis=1) - loc) / (scale / np.sqrt(50))
    assert error.max() < 4.5


def test_training_corrupts_what_the_encoder_sees_and_judges_the_clean_input():
    x = make_vectors(30)
    model = build("denoising_autoencoder", level=0.5)
    noise = Noise(0, 0)
    trained = model.forward(tf.constant(x), noise, training=True)
    tested = model.forward(tf.constant(x), noise, training=False)
    assert_array_equal(trained.inputs, x)
    assert_allclose(tested.code, model.encode(x), rtol=1e-5, atol=1e-6)
    masked = x * noise.fold("corruption").keep(0.5, 30, 6).numpy()
    assert_allclose(trained.code, model.encode(masked), rtol=1e-5, atol=1e-6)


def test_every_regularizer_draws_numbers_of_its_own():
    class Draws(zoo.Regularizer):
        def penalty(self, forward, training=False):
            return forward.noise.uniform(tf.shape(forward.code)[0])

    model = build(regularizers=[Draws(name="first"), Draws(name="second")])
    model.compile(jit_compile=False)
    terms = model.evaluate(make_vectors(40), verbose=0, return_dict=True)
    assert terms["first"] != terms["second"]


def test_a_penalty_of_units_is_refused():
    class Squares(zoo.Regularizer):
        def penalty(self, forward, training=False):
            return tf.square(forward.code)

    model = build(regularizers=[Squares(name="squares")])
    model.compile(jit_compile=False)
    with pytest.raises(ValueError, match=r"term 'squares' must be one number for each.*\(32, 2\)"):
        model.evaluate(make_vectors(40), batch_size=40, verbose=0)


def test_a_regularizer_without_a_penalty_is_named():
    class Forgotten(zoo.Regularizer):
        pass

    model = build(regularizers=[Forgotten(name="forgotten")])
    model.compile(jit_compile=False)
    with pytest.raises(NotImplementedError, match="Forgotten must define penalty"):
        model.fit(make_vectors(40), verbose=0)


def test_weights_follow_a_schedule_of_the_training_step():
    warm_up = keras.optimizers.schedules.PiecewiseConstantDecay([9], [0.0, 2.0])
    model = build(beta=warm_up)
    model.compile(jit_compile=False)
    x = make_vectors(160)
    history = model.fit(x, batch_size=16, epochs=2, verbose=0).history
    weight = (np.array(history["loss"]) - history["reconstruction"]) / history["kl"]
    assert_allclose(weight, [0.0, 2.0], atol=1e-4)


def test_losses_of_a_users_own_layers_count():
    def networks():
        keras.utils.set_random_seed(1)
        regularizer = keras.regularizers.L2(0.5)
        encoder = keras.Sequential([keras.layers.Dense(4, kernel_regularizer=regularizer)])
        return encoder, keras.Sequential([keras.layers.Dense(6)])

    model = build("autoencoder", hidden=None, networks=networks())
    model.compile(jit_compile=False)
    terms = model.evaluate(make_vectors(20), verbose=0, return_dict=True)
    squares = np.square(layers(model.encoder)[0].kernel.numpy()).sum()
    assert_allclose(terms["loss"] - terms["reconstruction"], 0.5 * squares, rtol=1e-4)


def test_a_layer_of_a_users_own_may_draw_and_normalise():
    """Dropout and batch normalisation know whether they train."""
    encoder = keras.Sequential(
        [keras.layers.Dense(4), keras.layers.BatchNormalization(), keras.layers.Dropout(0.5)]
    )
    model = build(
        "autoencoder", hidden=None, networks=(encoder, keras.Sequential([keras.layers.Dense(6)]))
    )
    model.compile(jit_compile=False)
    x = make_vectors(64)
    assert_array_equal(model.encode(x), model.encode(x))
    model.fit(x, batch_size=16, verbose=0)
    moving = encoder.layers[1].moving_mean.numpy()
    assert np.abs(moving).max() > 0


def test_generated_examples_are_decoded_draws_of_the_prior():
    model = build(prior={"name": "laplace", "scale": 2.0})
    codes = model.sample_prior(500, 3).numpy()
    assert stats.kstest(codes.ravel(), stats.laplace(scale=2.0).cdf).pvalue > 1e-3
    assert_allclose(model.generate(500, seed=3), model.decode(codes), rtol=1e-6)
    assert_allclose(model.generate(500, seed=3, batch_size=7), model.decode(codes), 1e-5, 1e-6)
    # The model's own seed counts too.
    other = build(prior={"name": "laplace", "scale": 2.0}, seed=10)
    assert not np.array_equal(other.sample_prior(500, 3), codes)


def test_two_models_of_one_seed_train_alike_and_of_two_seeds_do_not():
    x = make_vectors(64)
    losses = []
    for seed in (4, 4, 5):
        model = build(seed=seed)
        model.compile(jit_compile=False)
        losses.append(model.fit(x, batch_size=16, epochs=2, verbose=0).history["loss"])
    assert losses[0] == losses[1] != losses[2]


def test_the_model_says_its_objective_and_its_sizes():
    model = build("laplace_vae")
    assert "KL(N(mu(x), sigma(x)) || Laplace(0, 1))" in model.formula
    assert model.units == 2 and model.event_shape == (6,)
    assert model.count_params() == sum(int(np.prod(w.shape)) for w in model.weights)
