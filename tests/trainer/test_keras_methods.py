"""Every public name of `keras.Model` on a new, compiled, fitted and loaded model."""

import contextlib
import io
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.conftest import make_vectors
from tests.trainer.tiny import tiny

X = make_vectors(8)
# A loaded model is compiled and was fitted; it stands for all three where the tests are to be short.
LONG = ("compiled", "fitted")
STATES = [pytest.param(state, marks=pytest.mark.long) for state in LONG] + ["new", "loaded"]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The file of a model that was fitted."""
    path = tmp_path_factory.mktemp("methods") / "fitted.keras"
    model = made("compiled")
    model.fit(X, batch_size=8, verbose=0)
    model.save(path)
    return path, model


def made(state, saved=None):
    """A model in a state, which no other test sees."""
    if state == "loaded":
        return zoo.load_model(saved[0])
    model = tiny()
    if state != "new":
        model.compile("sgd", jit_compile=False)
    if state == "fitted":
        model.fit(X, batch_size=8, verbose=0)
    return model


def values(model):
    lists = model.trainable_variables, model.non_trainable_variables
    return [[v.value for v in each] for each in lists]


def weights_file(model, folder):
    path = folder / "some.weights.h5"
    model.save_weights(path)
    return path


def no_arguments(model, folder):
    return ()


# Methods by name, with their arguments for a model and a folder; what stands in no list fails by its name.
ASKED = {
    "call": lambda m, f: (X,),
    "compute_loss": lambda m, f: (X, X, tf.constant(X)),
    "compute_mask": lambda m, f: (X, None),
    "compute_metrics": lambda m, f: (X, X, tf.constant(X)),
    "compute_output_shape": lambda m, f: ((None, 6),),
    "compute_output_spec": lambda m, f: (keras.KerasTensor((None, 6)),),
    "count_params": no_arguments,
    "evaluate": lambda m, f: (X, None, None, 0),
    "export": lambda m, f: (f / "exported",),
    "from_config": lambda m, f: (m.get_config(),),
    "get_build_config": no_arguments,
    "get_compile_config": no_arguments,
    "get_config": no_arguments,
    "get_layer": lambda m, f: (None, 0),
    "get_metrics_result": no_arguments,
    "get_quantization_layer_structure": lambda m, f: ("int8",),
    "get_state_tree": no_arguments,
    "get_weights": no_arguments,
    "predict": lambda m, f: (X, None, 0),
    "predict_on_batch": lambda m, f: (X,),
    "predict_step": lambda m, f: (tf.constant(X),),
    "reset_metrics": no_arguments,
    "save": lambda m, f: (f / "again.keras",),
    "save_own_variables": lambda m, f: ({},),
    "save_weights": lambda m, f: (f / "own.weights.h5",),
    "stateless_call": lambda m, f: (*values(m), X),
    "stateless_compute_loss": lambda m, f: (*values(m), [], X, X, tf.constant(X)),
    "summary": no_arguments,
    "symbolic_call": lambda m, f: (keras.Input((6,)),),
    "test_on_batch": lambda m, f: (X,),
    "to_json": no_arguments,
    "rematerialized_call": lambda m, f: (m.call, X),
}
CHANGES = {
    "add_loss": lambda m, f: (tf.constant(1.0),),
    "add_metric": no_arguments,
    "add_variable": lambda m, f: ((), "zeros"),
    "add_weight": lambda m, f: ((),),
    "build": lambda m, f: ((None, 6),),
    "build_from_config": lambda m, f: ({"input_shape": (None, 6)},),
    "compile": no_arguments,
    "compile_from_config": lambda m, f: (made("compiled").get_compile_config(),),
    "compiled_loss": lambda m, f: (X, tf.constant(X)),
    "fit": lambda m, f: (X, None, 8, 1, 0),
    "load_own_variables": lambda m, f: ({"0": np.int64(0)},),
    "load_weights": lambda m, f: (weights_file(m, f),),
    "loss": lambda m, f: (X, tf.constant(X)),
    "make_predict_function": no_arguments,
    "make_test_function": no_arguments,
    "make_train_function": no_arguments,
    "quantize": lambda m, f: ("int8",),
    "quantized_build": lambda m, f: ((None, 6), "int8"),
    "quantized_call": lambda m, f: (X,),
    "set_state_tree": lambda m, f: (m.get_state_tree(),),
    "set_weights": lambda m, f: (m.get_weights(),),
    "test_step": lambda m, f: (tf.constant(X),),
    "train_on_batch": lambda m, f: (X,),
    "train_step": lambda m, f: (tf.constant(X),),
}


def public_names():
    return [name for name in dir(keras.Model) if not name.startswith("_")]


def answer(model, name, folder):
    """What is wrong with a name, "" where it answers or refuses by a ValueError of one line."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = getattr(model, name)
            if callable(found) and name in {**ASKED, **CHANGES}:
                found(*{**ASKED, **CHANGES}[name](model, folder))
        except ValueError as error:
            return "" if "\n" not in str(error).strip() else f"{name}: {error}"
        except AttributeError as error:
            # By which `hasattr` tells that a property has no value.
            return "" if isinstance(getattr(type(model), name, None), property) else repr(error)
        except Exception as error:
            return f"{name}: {error!r}"
    return ""


def test_every_method_stands_in_a_list():
    model = made("new")
    methods = set()
    for name in public_names():
        with contextlib.suppress(ValueError, AttributeError):
            if callable(getattr(model, name)):
                methods.add(name)
    assert methods <= {*ASKED, *CHANGES}


@pytest.mark.parametrize("state", STATES)
def test_every_public_name_answers(state, saved, tmp_path):
    model = saved[1] if state == "fitted" else made(state, saved)
    wrong = [answer(model, name, tmp_path) for name in public_names() if name not in CHANGES]
    assert not list(filter(None, wrong))


@pytest.mark.parametrize("state", STATES)
def test_every_method_that_changes_the_model_answers(state, saved, tmp_path):
    wrong = []
    for name in CHANGES:
        model = made("loaded" if state == "fitted" else state, saved)
        if state == "fitted":
            model.encode(X)
        wrong.append(answer(model, name, tmp_path))
    assert not list(filter(None, wrong))
