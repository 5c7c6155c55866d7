"""What users of Keras have met with callbacks, copies, checkpoints and optimizers, tried here.

Each test names the report that it follows.
"""

import copy
import pickle

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

import zoo
from tests.conftest import make_vectors
from tests.trainer.tiny import tiny

X = make_vectors(64)


def ready(optimizer="sgd", **options):
    model = tiny(**options)
    model.compile(optimizer, jit_compile=False)
    return model


def fit(model, **options):
    return model.fit(X, **{"batch_size": 16, "verbose": 0, **options}).history


def assert_same_weights(first, second, **tolerance):
    for one, other in zip(first.get_weights(), second.get_weights(), strict=True):
        assert_allclose(one, other, **{"rtol": 1e-6, "atol": 1e-7, **tolerance})


class Evaluates(keras.callbacks.Callback):
    """Evaluates other data within an epoch, and at its end."""

    def __init__(self, data):
        super().__init__()
        self.data, self.found = data, []

    def on_train_batch_end(self, batch, logs=None):
        if batch == 1:
            self.model.evaluate(self.data, verbose=0)

    def on_epoch_end(self, epoch, logs=None):
        self.found.append(self.model.evaluate(self.data, verbose=0))


def test_an_evaluation_within_an_epoch_leaves_its_means_alone():
    """keras-team/keras issue 16526 and tensorflow issue 42994."""
    expected = fit(ready(), epochs=2)
    history = fit(ready(), epochs=2, callbacks=[Evaluates(X[:8])])
    for name in expected:
        assert_allclose(history[name], expected[name], rtol=1e-5)


def test_an_evaluation_by_a_callback_is_of_its_own_data():
    """tensorflow issues 43262 and 44736: they were those of validation_data."""
    model, callback = ready(), Evaluates(X[:8] / 2)
    history = fit(model, validation_data=X[8:], callbacks=[callback])
    assert_allclose(callback.found[-1], model.evaluate(X[:8] / 2, verbose=0), rtol=1e-5)
    assert_allclose(history["val_loss"][-1], model.evaluate(X[8:], verbose=0)[0], rtol=1e-5)


@pytest.mark.parametrize("jit", [False, True])
def test_moving_averages_are_validated_and_left_behind(jit):
    """keras-team/keras pull request 18978: SwapEMAWeights."""
    histories, models = [], []
    for swap in ([], [keras.callbacks.SwapEMAWeights()]):
        model = tiny(name="autoencoder")
        model.compile(keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9), jit_compile=jit)
        histories.append(fit(model, epochs=2, validation_data=X, callbacks=swap))
        models.append(model)
    assert_allclose(histories[0]["loss"], histories[1]["loss"], rtol=1e-5)
    assert histories[0]["val_loss"] != histories[1]["val_loss"]
    assert_same_weights(*models, rtol=1e-5)
    averages = models[0].optimizer._model_variables_moving_average
    for variable, average in zip(models[0].trainable_variables, averages, strict=True):
        variable.assign(average)
    expected = models[0].evaluate(X, verbose=0)[0]
    # At the end of a fit Keras leaves the averages in the weights, so that both give it.
    assert_allclose(histories[1]["val_loss"][-1], expected, rtol=1e-5)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_fitted_model_is_copied(copied):
    """keras-team/keras pull request 14748, tensorflow pull request 39609."""
    model = ready("adam")
    fit(model)
    model.encode(X)
    twin = copied(model)
    assert_allclose(twin.encode(X), model.encode(X), rtol=1e-6)
    fit(model)
    fit(twin)
    assert_same_weights(twin, model)


def test_a_model_is_cloned():
    """keras-team/keras issue 1765."""
    model = ready()
    fit(model)
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    assert_allclose(clone.encode(X), model.encode(X), rtol=1e-6)


def test_doubles_by_default():
    """tensorflow issue 53406, deepchem issue 2265."""
    keras.config.set_floatx("float64")
    try:
        model = ready(name="info_vae", regularizers=["hoyer"])
        assert np.isfinite(fit(model)["loss"]).all()
        assert model.encode(X).dtype == model.generate(2).dtype == np.float32
    finally:
        keras.config.set_floatx("float32")


class Stops(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            raise KeyboardInterrupt


def test_a_backup_is_restored_with_the_optimizer(tmp_path):
    """keras-team/keras issue 19389: a new process, whose optimizer has made no step."""
    through = ready("adam")
    fit(through, epochs=3)
    with pytest.raises(KeyboardInterrupt):
        backup = keras.callbacks.BackupAndRestore(str(tmp_path))
        fit(ready("adam"), epochs=3, callbacks=[backup, Stops()])
    resumed = ready("adam")
    fit(resumed, epochs=3, callbacks=[keras.callbacks.BackupAndRestore(str(tmp_path))])
    assert_same_weights(resumed, through)


def test_a_checkpoint_of_tensorflow_holds_model_and_optimizer(tmp_path):
    """tensorflow issue 33969."""
    model = ready("adam")
    fit(model)
    saved = tf.train.Checkpoint(model=model).save(tmp_path / "c")
    other = ready("adam")
    tf.train.Checkpoint(model=other).restore(saved).assert_existing_objects_matched()
    fit(model)
    fit(other)
    assert_same_weights(other, model)


def test_an_optimizer_of_another_model_is_refused():
    """mrosol/Nonlincausality pull request 12, yzhao062/pyod issue 459: Unknown variable."""
    optimizer = keras.optimizers.Adam()
    first, second = tiny(), tiny()
    first.compile(optimizer, jit_compile=False)
    first.compile(optimizer, jit_compile=False)  # its own again
    fit(first)
    with pytest.raises(
        ValueError, match="optimizer was built for other weights: those of another model"
    ) as caught:
        second.compile(optimizer, jit_compile=False)
    assert "\n" not in str(caught.value)


def test_a_cleared_session_does_no_harm():
    model = ready()
    fit(model)
    keras.backend.clear_session()
    history = fit(model)
    model.encode(X)
    assert np.isfinite(history["loss"]).all()


def test_a_quantized_network_acts_and_is_saved(tmp_path):
    """keras-team/keras pull request 19263: what was traced before went on with the old weights."""
    model = ready(name="autoencoder")
    codes = model.encode(X)
    model.encoder.quantize("int8")
    quantized = model.encode(X)
    assert 0 < np.abs(quantized - codes).max() < 0.1 * np.abs(codes).max()
    model.save(tmp_path / "m.keras")
    assert_allclose(zoo.load_model(tmp_path / "m.keras").encode(X), quantized, rtol=1e-6)


def test_tensorboard_with_histograms_and_the_graph(tmp_path):
    """keras-team/keras issues 7489 and 10074."""
    board = keras.callbacks.TensorBoard(
        str(tmp_path),
        histogram_freq=1,
        write_graph=True,
        write_images=True,
        write_steps_per_second=True,
    )
    fit(ready(), epochs=2, callbacks=[board])
    assert list(tmp_path.rglob("events*"))


def test_the_best_weights_are_restored():
    """EarlyStopping, with the weights of the best epoch."""
    model = ready(keras.optimizers.SGD(0.5))
    stop = keras.callbacks.EarlyStopping("loss", mode="max", patience=1, restore_best_weights=True)
    history = fit(model, epochs=5, callbacks=[stop])
    assert len(history["loss"]) == 2
