"""Subclasses with a step of their own: `update`, what it adds, and what it must not leave out."""

import keras
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

import zoo
from tests.conftest import make_vectors

X = make_vectors(24)
RATE = 0.01


class Lagging(zoo.Autoencoder):
    """The encoder takes two steps of its own before that of all weights, as on docs/plugins.md."""

    def update(self, batch, noise):
        own = self.encoder.trainable_variables
        for index in range(2):
            with tf.GradientTape() as tape:
                terms = self.terms(self.passes(batch, noise.fold(index), training=True))
                loss = terms["loss"] * noise.share
            self.optimizer.apply(tape.gradient(loss, own), own)
        return {**super().update(batch, noise), "ahead": terms["loss"], "two": 2}


def linear(kind=zoo.Autoencoder, **options):
    """x -> x A B, with the squared error."""
    keras.utils.set_random_seed(0)
    encoder = keras.Sequential([keras.layers.Dense(3, use_bias=False)])
    decoder = keras.Sequential([keras.layers.Dense(6, use_bias=False)])
    bottleneck = {"name": "deterministic", "units": 3, "use_bias": False}
    bottleneck["kernel_initializer"] = "identity"
    model = kind((6,), encoder, bottleneck, decoder, likelihood="squared_error", **options)
    model.bottleneck.trainable = False
    return model


def gradients(a, b):
    """The loss and its gradients in A and B."""
    error = X @ a @ b - X
    scale = 2 / len(X)
    return (error**2).sum() / len(X), scale * X.T @ error @ b.T, scale * (X @ a).T @ error


def fitted(model, **options):
    with model.distribute_strategy.scope():
        model.compile(keras.optimizers.SGD(RATE), jit_compile=False)
    return model.fit(X, batch_size=len(X), epochs=1, verbose=0, shuffle=False, **options).history


def matrices(model):
    return model.encoder.get_weights()[0], model.decoder.get_weights()[0]


def expected_of(model):
    """The loss before the second step ahead, and the matrices after all."""
    a, b = matrices(model)
    losses = []
    for _ in range(2):
        loss, of_a, _ = gradients(a, b)
        losses.append(loss)
        a = a - RATE * of_a
    loss, of_a, of_b = gradients(a, b)
    return losses[1], loss, a - RATE * of_a, b - RATE * of_b


def test_a_step_of_ones_own_is_what_trains_and_its_terms_are_metrics():
    model = linear(Lagging)
    ahead, loss, a, b = expected_of(model)
    history = fitted(model, validation_data=X)
    for found, wanted in zip(matrices(model), (a, b), strict=True):
        assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
    assert_allclose([history["ahead"][0], history["loss"][0]], [ahead, loss], rtol=1e-5)
    assert history["two"] == [2.0]
    assert "val_ahead" not in history


def test_a_step_of_ones_own_is_the_same_on_two_devices(two_devices):
    with two_devices.scope():
        model = linear(Lagging)
    ahead, _, a, b = expected_of(model)
    history = fitted(model)
    for found, wanted in zip(matrices(model), (a, b), strict=True):
        assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
    assert_allclose(history["ahead"][0], ahead, rtol=1e-5)


class Short(zoo.Autoencoder):
    def update(self, batch, noise):
        return {"loss": super().update(batch, noise)["loss"]}


class Rows(zoo.Autoencoder):
    def update(self, batch, noise):
        return {**super().update(batch, noise), "rows": batch.x[:, 0]}


class Nothing(zoo.Autoencoder):
    def update(self, batch, noise):
        super().update(batch, noise)


class Plain(zoo.Autoencoder):
    """Has what the zoo's step gives, without calling it."""

    def update(self, batch, noise):
        return self.terms(self.passes(batch, noise, training=True))


class Otherwise(zoo.Autoencoder):
    def measure(self, batch, noise, present):
        return {**super().measure(batch, noise, present), "more": tf.constant(1.0)}


class InKerasWay(zoo.Autoencoder):
    def train_step(self, data):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(self(data) - data))
        own = self.trainable_variables
        self.optimizer.apply(tape.gradient(loss, own), own)
        return {"loss": loss}


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (Short, r"update\(\) must give all terms of the loss; 'reconstruction' is missing"),
        (Rows, r"update\(\) must give scalars; its term 'rows' has the shape \(\d+,\)"),
        (Nothing, r"update\(\) must give a dict of terms, 'loss' among them; received None"),
        (Otherwise, "Evaluation gives the term 'more', which training does not"),
        (InKerasWay, r"What one step does is update\(batch, noise\), which may be your own"),
    ],
)
def test_what_a_step_must_give_is_said(kind, message):
    with pytest.raises(ValueError, match=message):
        fitted(linear(kind), validation_data=X)


def test_updates_are_left_out_by_the_zoos_step_alone():
    model = linear(Plain)
    model.compile(jit_compile=False, skip_nonfinite=True)
    with pytest.raises(ValueError, match="skip_nonfinite=True is done by the zoo's own step"):
        model.fit(X, verbose=0)
    model = linear(Lagging)
    model.compile(jit_compile=False, skip_nonfinite=True)
    history = model.fit(X, verbose=0).history
    assert history["skipped"] == [0.0]
    assert history["two"] == [2.0]


class Around(zoo.Autoencoder):
    """Adds logs around the zoo's steps, as one does in Keras."""

    def train_step(self, data):
        return {**super().train_step(data), "seven": tf.constant(7.0)}

    def test_step(self, data):
        return {**super().test_step(data), "eight": tf.constant(8.0)}


def test_logs_beside_the_terms_are_kept():
    plain, own = (fitted(linear(kind), validation_data=X) for kind in (zoo.Autoencoder, Around))
    assert own.pop("seven") == [7.0]
    assert own.pop("val_eight") == [8.0]
    assert own == plain


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        (
            lambda f: {"loss": f.reconstruction()},
            r"its term 'loss' has the shape \(\d*,?\)|scalars",
        ),
        (
            lambda f: {"reconstruction": f.mean(f.reconstruction())},
            "'loss' among them; received 'r",
        ),
        (lambda f: f.mean(f.reconstruction()), "must give a dict of terms"),
    ],
)
def test_what_an_objective_must_give_is_said(terms, message):
    class Own(zoo.objectives.Objective):
        def terms(self, forward):
            return terms(forward)

    with pytest.raises(ValueError, match=f"The objective Own must give .*{message}|{message}"):
        fitted(linear(objective=Own()))


def test_an_objective_may_report_whole_numbers():
    class Own(zoo.objectives.Objective):
        def terms(self, forward):
            rows = tf.shape(forward.inputs)[0]
            return {"loss": forward.mean(forward.reconstruction()), "rows": rows}

    assert fitted(linear(objective=Own()))["rows"] == [24.0]
