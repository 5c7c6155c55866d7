"""Every argument of Keras's methods acts, or is refused in one line; a new one of Keras fails by its name."""

import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.conftest import make_vectors
from tests.trainer.tiny import tiny

X = make_vectors(64)


@pytest.fixture(scope="module")
def compiled():
    model = tiny()
    model.compile(keras.optimizers.SGD(0.01), jit_compile=False)
    return model, model.get_weights()


@pytest.fixture
def model(compiled):
    """One model with its first weights again, so that it is traced once."""
    compiled[0].set_weights(compiled[1])
    return compiled[0]


def fitted(model, *data, **options):
    """Steps taken, history and a weight after a fit from the first weights."""
    first = model.get_weights()
    model.step.assign(0)
    history = model.fit(*(data or (X,)), **{"batch_size": 16, "verbose": 0, **options}).history
    after = int(model.step.numpy()), history, model.encoder.get_weights()[0]
    model.set_weights(first)
    return after


def steps(model, **options):
    return fitted(model, **options)[0]


def history(model, *data, **options):
    return fitted(model, *data, **options)[1]


def terms(model, *data, **options):
    return model.evaluate(*(data or (X,)), **{"verbose": 0, "return_dict": True, **options})


def refused(match, function, *args, **options):
    with pytest.raises(ValueError, match=match) as caught:
        function(*args, **options)
    assert "\n" not in str(caught.value)
    return True


def stream(rows=64, batch=16):
    return tf.data.Dataset.from_tensor_slices(X[:rows]).batch(batch)


class Told(keras.callbacks.Callback):
    """Counts what it is told."""

    def __init__(self):
        super().__init__()
        self.batches = 0

    def on_train_batch_end(self, batch, logs=None):
        self.batches += 1

    on_test_batch_end = on_predict_batch_end = on_train_batch_end


def told(call, *args, **options):
    callback = Told()
    call(*args, callbacks=[callback], **{"verbose": 0, **options})
    return callback.batches


def shown(capsys, call, *args, **options):
    capsys.readouterr()
    call(*args, **options)
    return capsys.readouterr().out


def compiled_with(**options):
    keras.utils.set_random_seed(0)
    model = tiny()
    model.compile(**options)
    return model


def half(**options):
    with zoo.serialization.policy("mixed_float16"):
        return compiled_with(optimizer="sgd", **options).optimizer


def saved(model, path, **options):
    model.save(path, **options)
    return path


FIT = {
    "x": lambda m, c, p: history(m, X / 2) != history(m, X),
    "y": lambda m, c, p: refused("looks like a target", m.fit, X, X[:, :2]),
    "batch_size": lambda m, c, p: steps(m, batch_size=32) == 2 != steps(m),
    "epochs": lambda m, c, p: len(history(m, epochs=3)["loss"]) == 3,
    "verbose": lambda m, c, p: shown(c, m.fit, X, verbose=2) and not shown(c, m.fit, X, verbose=0),
    "callbacks": lambda m, c, p: told(m.fit, X, batch_size=16) == 4,
    "validation_split": lambda m, c, p: steps(m, validation_split=0.5) == 2,
    "validation_data": lambda m, c, p: (
        history(m, validation_data=X)["val_loss"] != history(m, validation_data=X / 2)["val_loss"]
    ),
    "shuffle": lambda m, c, p: history(m, shuffle=False) != history(m, shuffle=True),
    "class_weight": lambda m, c, p: refused("class_weight", m.fit, X, class_weight={0: 1.0}),
    "sample_weight": lambda m, c, p: history(m, sample_weight=np.full(64, 2.0)) != history(m),
    "initial_epoch": lambda m, c, p: len(history(m, epochs=3, initial_epoch=2)["loss"]) == 1,
    "steps_per_epoch": lambda m, c, p: steps(m, steps_per_epoch=3) == 3,
    "validation_steps": lambda m, c, p: (
        history(m, validation_data=stream(), validation_steps=1)
        != history(m, validation_data=stream())
    ),
    "validation_batch_size": lambda m, c, p: (
        history(m, validation_data=X, validation_batch_size=8) != history(m, validation_data=X)
    ),
    "validation_freq": lambda m, c, p: (
        len(history(m, validation_data=X, epochs=4, validation_freq=2)["val_loss"]) == 2
    ),
}
EVALUATE = {
    "x": lambda m, c, p: terms(m, X / 2) != terms(m),
    "y": lambda m, c, p: refused("looks like a target", m.evaluate, X, X[:, :2]),
    "batch_size": lambda m, c, p: told(m.evaluate, X, batch_size=16) == 4,
    "verbose": lambda m, c, p: (
        shown(c, m.evaluate, X, verbose=2) and not shown(c, m.evaluate, X, verbose=0)
    ),
    "sample_weight": lambda m, c, p: terms(m, sample_weight=np.full(64, 2.0)) != terms(m),
    "steps": lambda m, c, p: (
        terms(m, stream(), steps=1) != terms(m, stream())
        and refused("steps is for data sets", m.evaluate, X, steps=1)
    ),
    "callbacks": lambda m, c, p: told(m.evaluate, X) == 1,
    "return_dict": lambda m, c, p: (
        isinstance(m.evaluate(X, verbose=0), list) and isinstance(terms(m), dict)
    ),
}
PREDICT = {
    "x": lambda m, c, p: np.abs(m.predict(X, verbose=0) - m.predict(X / 2, verbose=0)).max() > 0,
    "batch_size": lambda m, c, p: told(m.predict, X, batch_size=16) == 4,
    "verbose": lambda m, c, p: (
        shown(c, m.predict, X, verbose=1) and not shown(c, m.predict, X, verbose=0)
    ),
    "steps": lambda m, c, p: len(m.predict(X, batch_size=8, steps=2, verbose=0)) == 16,
    "callbacks": lambda m, c, p: told(m.predict, X) == 2,
}
COMPILE = {
    "slices": lambda m, c, p: compiled_with(slices=2, jit_compile=False).slices == 2,
    "optimizer": lambda m, c, p: (
        history(m) != history(compiled_with(optimizer=keras.optimizers.SGD(0.1), jit_compile=False))
    ),
    "loss": lambda m, c, p: refused("received loss", compiled_with, loss="mse"),
    "loss_weights": lambda m, c, p: refused("loss_weights", compiled_with, loss_weights=[1.0]),
    "metrics": lambda m, c, p: refused("received metrics", compiled_with, metrics=["mae"]),
    "weighted_metrics": lambda m, c, p: refused(
        "weighted_metrics", compiled_with, weighted_metrics=["mae"]
    ),
    "run_eagerly": lambda m, c, p: compiled_with(run_eagerly=True).run_eagerly,
    "steps_per_execution": lambda m, c, p: refused(
        "steps_per_execution", compiled_with, steps_per_execution=2
    ),
    "jit_compile": lambda m, c, p: compiled_with(jit_compile=True)._use_jit and not m._use_jit,
    "auto_scale_loss": lambda m, c, p: type(half()) is not type(half(auto_scale_loss=False)),
    "skip_nonfinite": lambda m, c, p: "skipped" in compiled_with(skip_nonfinite=True).term_names,
}
SAVE = {
    "filepath": lambda m, c, p: (
        saved(m, p / "m.keras").is_file() and refused(".keras file", m.save, p / "m.h5")
    ),
    "overwrite": lambda m, c, p: left_alone(m, saved(m, p / "m.keras")),
    "zipped": lambda m, c, p: saved(m, p / "folder", zipped=False).is_dir(),
    "include_optimizer": lambda m, c, p: (
        not zoo.load_model(saved(m, p / "m.keras", include_optimizer=False)).compiled
        and m.compiled
        and zoo.load_model(saved(m, p / "m.keras")).compiled
    ),
    # What it does for a hub: tests/exporting/test_hub.py.
    "run": lambda m, c, p: refused("card of a hub", m.save, p / "m.keras", run=p),
}
EXPORT = {
    "filepath": lambda m, c, p: not m.export(p / "a") and (p / "a" / "saved_model.pb").is_file(),
    "format": lambda m, c, p: refused("format", m.export, p / "b", format="tape"),
    "verbose": lambda m, c, p: refused("no verbose", m.export, p / "b", verbose=True),
    "input_signature": lambda m, c, p: refused(
        "no input_signature", m.export, p / "b", input_signature=[]
    ),
}
TABLE = {
    "fit": FIT,
    "evaluate": EVALUATE,
    "predict": PREDICT,
    "compile": COMPILE,
    "save": SAVE,
    "export": EXPORT,
}


def left_alone(model, path):
    """Whether Keras asks before it writes over a file, and keeps it where the answer is no."""
    before = path.read_bytes()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("builtins.input", lambda *text: "n")
        model.save(path, overwrite=False)
    return path.read_bytes() == before


@pytest.mark.parametrize("method", TABLE)
def test_every_argument_of_keras_stands_in_the_table(method):
    known = {
        name
        for cls in (keras.Model, zoo.Autoencoder)
        for name, parameter in inspect.signature(getattr(cls, method)).parameters.items()
        if parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
    }
    assert known - {"self"} <= set(TABLE[method])


@pytest.mark.parametrize(
    ("method", "argument"), [(method, name) for method in TABLE for name in TABLE[method]]
)
def test_an_argument_acts_or_is_refused(method, argument, model, capsys, tmp_path):
    assert TABLE[method][argument](model, capsys, tmp_path)
