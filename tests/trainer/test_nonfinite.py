"""A loss that is not a number: the run stops, names the term, and keeps the last good weights."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_array_equal

import zoo
from tests.conftest import make_vectors
from tests.trainer.tiny import tiny
from zoo.trainer.nonfinite import StopOnNonFinite, state_variables


class Spoilt(zoo.Regularizer):
    """1, and from a training step on NaN; its gradient spoils every weight that the code hangs on."""

    def __init__(self, step, name="zz_spoilt", value=float("nan")):
        super().__init__(name=name)
        self.first, self.value = step, value

    def get_config(self):
        return {"step": self.first, "name": self.name, "value": self.value}

    def penalty(self, forward, training=False):
        factor = tf.where(forward.step >= self.first, self.value, 1.0)
        return factor * tf.reduce_mean(tf.square(forward.code))


class Recorder(keras.callbacks.Callback):
    """The state after every epoch."""

    def __init__(self):
        super().__init__()
        self.states = []

    def on_train_begin(self, logs=None):
        self.states.append(values(self.model))

    def on_epoch_end(self, epoch, logs=None):
        self.states.append(values(self.model))


def values(model):
    return [variable.numpy() for variable in state_variables(model)]


def spoilt(step, value=float("nan"), **options):
    model = tiny(regularizers=[Spoilt(step, value=value)])
    model.compile(jit_compile=False, **options)
    return model


# Ten steps an epoch: in the middle of the third epoch, at its start, and in the very first step.
@pytest.mark.parametrize(("step", "epoch"), [(25, 3), (20, 3), (0, 1)])
def test_the_run_stops_and_the_last_good_state_is_back(step, epoch):
    model, recorder, guard = spoilt(step), Recorder(), StopOnNonFinite()
    with pytest.warns(UserWarning, match=f"epoch {epoch}: the term 'zz_spoilt' is nan"):
        history = model.fit(
            make_vectors(), batch_size=16, epochs=6, verbose=0, callbacks=[recorder, guard]
        )
    assert len(history.epoch) == epoch
    assert guard.term == "zz_spoilt" and guard.epoch == epoch - 1
    for now, good in zip(values(model), recorder.states[epoch - 1], strict=True):
        assert_array_equal(now, good)
    assert np.isfinite(model.encode(make_vectors())).all()


def test_fit_guards_of_its_own_accord_and_names_infinity():
    model = spoilt(12, value=float("inf"))
    with pytest.warns(UserWarning, match="the term 'zz_spoilt' is inf"):
        model.fit(make_vectors(), batch_size=16, epochs=3, verbose=0)
    assert int(model.step.numpy()) == 10


def test_a_data_set_is_guarded_too():
    model = spoilt(12)
    dataset = tf.data.Dataset.from_tensor_slices(make_vectors()).batch(16)
    with pytest.warns(UserWarning, match="the term 'zz_spoilt' is nan"):
        model.fit(dataset, epochs=3, verbose=0)
    assert int(model.step.numpy()) == 10


def test_a_model_compiled_anew_is_guarded_with_its_new_optimizer():
    model = spoilt(25)
    model.fit(make_vectors(), batch_size=16, epochs=1, verbose=0)
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), jit_compile=False)
    recorder = Recorder()
    with pytest.warns(UserWarning, match="zz_spoilt"):
        model.fit(make_vectors(), batch_size=16, epochs=4, verbose=0, callbacks=[recorder])
    for now, good in zip(values(model), recorder.states[1], strict=True):
        assert_array_equal(now, good)


class NowAndThen(Spoilt):
    """NaN in one step of five."""

    def penalty(self, forward, training=False):
        factor = tf.where(forward.step % 5 == 2, self.value, 1.0)
        return factor * tf.reduce_mean(tf.square(forward.code))


def test_skipping_counts_and_trains_on():
    model = tiny(regularizers=[NowAndThen(0)])
    model.compile(jit_compile=False, skip_nonfinite=True)
    before = model.evaluate(make_vectors(), verbose=0)[0]
    history = model.fit(make_vectors(), batch_size=16, epochs=2, verbose=0).history
    assert np.allclose(history["skipped"], 0.2)
    assert int(model.step.numpy()) == 20 and int(model.optimizer.iterations.numpy()) == 16
    for series in history.values():
        assert np.isfinite(series).all()
    # Means over the steps that counted, not over all.
    assert abs(history["loss"][0] - before) < 0.1 * before


def test_skipping_everything_stops():
    model = spoilt(10, skip_nonfinite=True)
    model.fit(make_vectors(), batch_size=16, epochs=1, verbose=0)
    weights = [w.numpy() for w in model.model_variables]
    with pytest.warns(UserWarning, match="epoch 1: the term"):
        history = model.fit(make_vectors(), batch_size=16, epochs=3, verbose=0).history
    assert history["skipped"] == [1.0]
    for now, before in zip(model.model_variables, weights, strict=True):
        assert_array_equal(now.numpy(), before)


def test_skipping_spares_critics_and_moving_statistics():
    """One row of 3e38: what it would reach is as it was, and training goes on."""
    encoder = keras.Sequential([keras.layers.Dense(5), keras.layers.BatchNormalization()])
    model = zoo.create(
        "factor_vae",
        (6,),
        latents=2,
        networks=(encoder, keras.Sequential([keras.layers.Dense(6)])),
        likelihood="normal",
        seed=1,
    )
    model.compile("sgd", jit_compile=False, skip_nonfinite=True)
    x = make_vectors(64)
    x[5] = 3e38
    model.fit(x, batch_size=16, epochs=2, verbose=0)
    assert model.history.history["skipped"] == [0.25, 0.25]
    assert all(np.isfinite(value).all() for value in model.get_weights())
    assert np.isfinite(model.encode(make_vectors(8))).all()
    assert np.isfinite(model.history.history["loss"]).all()
