"""Keras's contract with callbacks: single steps where one asks for them, blocks where none does."""

import keras
import pytest
from numpy.testing import assert_allclose

from tests.conftest import make_vectors
from tests.trainer.tiny import tiny

X = make_vectors(160)  # 10 steps of 16


class Counts(keras.callbacks.Callback):
    """What a callback is told."""

    def __init__(self):
        super().__init__()
        self.batches, self.losses = [], []

    def on_train_batch_end(self, batch, logs=None):
        self.batches.append(batch)
        self.losses.append(float(logs["loss"]))


def plain():
    model = keras.Sequential([keras.layers.Dense(2), keras.layers.Dense(6)])
    model.compile("sgd", "mse")
    return model


def ours(jit=False):
    model = tiny(name="autoencoder")
    model.compile("sgd", jit_compile=jit)
    return model


def fit(model, **options):
    data = (X, X) if isinstance(model, keras.Sequential) else (X,)
    return model.fit(*data, **{"batch_size": 16, "verbose": 0, **options})


def files(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("options", [{"epochs": 2}, {"epochs": 2, "steps_per_epoch": 4}])
def test_a_callback_of_batches_sees_the_steps_that_keras_shows(options):
    expected, seen = Counts(), Counts()
    fit(plain(), callbacks=[expected], **options)
    model = ours()
    fit(model, callbacks=[seen], **options)
    assert seen.batches == expected.batches
    assert int(model.step.numpy()) == len(expected.batches)


def test_single_steps_are_the_steps_of_blocks():
    blocks, steps = ours(), ours()
    history = fit(blocks, epochs=2).history
    assert_allclose(
        fit(steps, epochs=2, callbacks=[Counts()]).history["loss"], history["loss"], 1e-6
    )
    for one, other in zip(blocks.get_weights(), steps.get_weights(), strict=True):
        assert_allclose(one, other, rtol=1e-6, atol=1e-7)


def test_a_callback_of_batches_may_stop_after_a_step():
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 2

    model = ours()
    fit(model, epochs=5, callbacks=[Stop()])
    assert int(model.step.numpy()) == 3


@pytest.mark.parametrize("save_freq", [5, pytest.param(15, marks=pytest.mark.long), "epoch"])
def test_checkpoints_by_steps_are_those_of_keras(save_freq, tmp_path):
    found = []
    for name, model in (("keras", plain()), ("zoo", ours())):
        folder = tmp_path / name
        folder.mkdir()
        saver = keras.callbacks.ModelCheckpoint(
            str(
                folder / "{epoch}-{batch}.weights.h5"
                if save_freq != "epoch"
                else folder / "{epoch}.weights.h5"
            ),
            save_freq=save_freq,
            save_weights_only=True,
        )
        fit(model, epochs=3, callbacks=[saver])
        found.append(files(folder))
    assert found[0] == found[1] and found[0]


def test_blocks_are_kept_where_no_callback_needs_steps(tmp_path, monkeypatch):
    calls = []

    class Blocks(keras.callbacks.Callback):
        sees_blocks = True

        def on_train_batch_end(self, batch, logs=None):
            calls.append(batch)

    keras_own = [
        keras.callbacks.ModelCheckpoint(str(tmp_path / "m.keras")),
        keras.callbacks.EarlyStopping("loss"),
        keras.callbacks.TerminateOnNaN(),
        keras.callbacks.CSVLogger(str(tmp_path / "log.csv")),
        keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: None),
        keras.callbacks.TensorBoard(str(tmp_path / "tb")),
    ]
    fit(ours(), callbacks=[Blocks(), *keras_own])
    assert len(calls) == 1
    calls.clear()
    fit(
        ours(),
        callbacks=[
            Blocks(),
            keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: None),
        ],
    )
    assert len(calls) == 10


def test_tensorboard_by_steps_writes_what_keras_writes(tmp_path):
    from tensorflow.python.summary.summary_iterator import summary_iterator

    counts = []
    for name, model in (("keras", plain()), ("zoo", ours())):
        board = keras.callbacks.TensorBoard(str(tmp_path / name), update_freq=5)
        fit(model, epochs=2, callbacks=[board])
        (path,) = (tmp_path / name / "train").glob("events*")
        tags = [v.tag for event in summary_iterator(str(path)) for v in event.summary.value]
        counts.append(sum(tag == "batch_loss" for tag in tags))
    assert counts[0] == counts[1] > 0


def test_steps_per_epoch_goes_through_the_data_before_it_begins_anew():
    """Two and a half epochs of four steps are one pass: every row has been seen once after ten steps."""
    seen = []

    class Rows(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(int(self.model.step.numpy()))

    model = ours()
    fit(model, epochs=5, steps_per_epoch=4, callbacks=[Rows()])
    assert seen == [4, 8, 12, 16, 20]
    whole = ours()
    fit(whole, epochs=2)
    for one, other in zip(model.get_weights(), whole.get_weights(), strict=True):
        assert_allclose(one, other, rtol=1e-6, atol=1e-7)


def test_steps_per_epoch_resumes_within_a_pass():
    through, stopped = ours(), ours()
    fit(through, epochs=5, steps_per_epoch=4)
    fit(stopped, epochs=2, steps_per_epoch=4)
    fit(stopped, epochs=5, initial_epoch=2, steps_per_epoch=4)
    for one, other in zip(through.get_weights(), stopped.get_weights(), strict=True):
        assert_allclose(one, other, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("jit", [False, True])
def test_single_batches(jit):
    """train_on_batch is a step of fit, test_on_batch is evaluate, predict_on_batch is predict."""
    stepped, fitted = ours(jit), ours(jit)
    for first in range(0, 160, 80):
        terms = stepped.train_on_batch(X[first : first + 80], return_dict=True)
    history = fit(fitted, batch_size=80, shuffle=False).history
    for one, other in zip(stepped.get_weights(), fitted.get_weights(), strict=True):
        assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    assert set(terms) == set(history)
    expected = fitted.evaluate(X, batch_size=160, verbose=0)
    assert_allclose(fitted.test_on_batch(X), expected, rtol=1e-5)
    assert_allclose(fitted.predict_on_batch(X), fitted.predict(X, verbose=0), rtol=1e-5)


def test_fit_within_the_scope_of_a_strategy(two_devices):
    with two_devices.scope():
        model = tiny(name="autoencoder")
        model.compile("sgd")
        history = model.fit(X, batch_size=16, epochs=2, verbose=0).history
        model.evaluate(X, verbose=0)
    one = ours()
    assert_allclose(fit(one, epochs=2).history["loss"], history["loss"], rtol=1e-5)
    with pytest.raises(ValueError, match="train_on_batch works on one replica"):
        model.train_on_batch(X)


def test_learning_rates_answer_between_steps():
    class Zero(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 4:
                self.model.optimizer.learning_rate = 0.0

    model, short = ours(), ours()
    fit(model, shuffle=False, callbacks=[Zero()])
    short.fit(X[:80], batch_size=16, shuffle=False, verbose=0)
    for one, other in zip(model.trainable_weights, short.trainable_weights, strict=True):
        assert_allclose(one.numpy(), other.numpy(), rtol=1e-6, atol=1e-7)
