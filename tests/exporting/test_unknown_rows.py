"""A row that holds NaN or infinity comes out of an exported function as NaN, and spoils no other."""

import importlib.util

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.exporting.endpoints import as_dict, endpoints

X = np.random.default_rng(0).random((5, 6), np.float32)
BAD = {"NaN": np.nan, "infinity": np.inf, "minus infinity": -np.inf}


def build(name="vae", **options):
    keras.utils.set_random_seed(0)
    # Wide enough for the fused product, which makes 0 of NaN.
    return zoo.create(name, (6,), latents=3, hidden=(64,), **options)


def spoiled(rows, values):
    """The rows with one value in each of the first, of another column each."""
    rows = rows.copy()
    for place, value in enumerate(values):
        rows[place, place % rows.shape[1]] = value
    return rows


def assert_the_first_are_nan(received, clean):
    count = len(BAD)
    for name, value in as_dict(clean).items():
        answer = as_dict(received)[name]
        assert np.isnan(answer[:count]).all(), name
        np.testing.assert_allclose(answer[count:], value[count:], rtol=1e-5, atol=1e-6)


CASES = {
    "vae": {},
    "autoencoder": {},
    "conditional_vae": {"condition": (2,), "prior": "conditional_normal"},
    "vq_vae": {},
}


@pytest.mark.parametrize("name", CASES)
def test_every_endpoint_of_rows(name):
    options = CASES[name]
    model = build(name, **options)
    condition = [np.float32(X[:, :2])] if options else []
    known = endpoints(model)
    codes = np.asarray(known["encode"].function(X, *condition))
    for endpoint, rows in {"encode": X, "reconstruct": X, "posterior": X, "decode": codes}.items():
        if endpoint not in known:
            continue
        function = tf.function(known[endpoint].function)
        flat = spoiled(rows.reshape(len(rows), -1), BAD.values()).reshape(rows.shape)
        clean = function(rows, *condition)
        assert_the_first_are_nan(function(flat, *condition), clean)
        assert all(np.isfinite(value).all() for value in as_dict(clean).values())
        if condition:
            bad = spoiled(condition[0], BAD.values())
            assert_the_first_are_nan(function(rows, bad), clean)
    if condition:
        function = known["generate"].function
        n, seed = tf.constant(len(X)), tf.constant(0)
        bad = spoiled(condition[0], BAD.values())
        assert_the_first_are_nan(function(n, seed, bad), function(n, seed, condition[0]))


def test_missing_values_are_no_reason():
    model = build(mask="nan")
    rows = spoiled(X, [np.inf, np.nan, np.nan])
    function = endpoints(model)["reconstruct"].function
    np.testing.assert_allclose(function(rows)[1:], model.reconstruct(rows[1:]), rtol=1e-5)
    assert np.isnan(function(rows)[0]).all()


@pytest.mark.parametrize("use", ["encode", "decode", "reconstruct"])
def test_a_model_as_a_keras_model(use):
    model = build()
    function = model.as_keras(use)
    rows = model.encode(X) if use == "decode" else X
    bad = spoiled(rows, BAD.values())
    assert_the_first_are_nan(function.predict(bad, verbose=0), getattr(model, use)(rows))


def test_a_saved_model(tmp_path):
    model = build()
    model.export(tmp_path / "a", check=False)
    loaded = tf.saved_model.load(str(tmp_path / "a"))
    bad = spoiled(X, BAD.values())
    assert_the_first_are_nan(loaded.encode(bad), model.encode(X))
    (served,) = loaded.signatures["serving_default"](x=tf.constant(bad)).values()
    assert_the_first_are_nan(served, model.reconstruct(X))


@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter")
@pytest.mark.parametrize("kind", ["tflite", "onnx"])
def test_files_of_other_runtimes(tmp_path, kind):
    if kind == "onnx" and not importlib.util.find_spec("tf2onnx"):
        pytest.skip("needs latent-zoo[onnx]")
    from zoo.exporting import litert, onnx

    model, path = build(), tmp_path / f"a.{kind}"
    model.export(path, check=False)
    function = {"tflite": litert, "onnx": onnx}[kind].load_file(path)
    clean = {"codes": model.encode(X), "reconstruction": model.reconstruct(X)}
    assert_the_first_are_nan(function(spoiled(X, BAD.values())), clean)
