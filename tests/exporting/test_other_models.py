"""A trained model within other Keras models and in single files."""

import warnings

import keras
import numpy as np
import pytest

import zoo

X = np.random.default_rng(0).random((40, 6), np.float32)


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    model = zoo.create("vae", (6,), latents=2, hidden=(5,), likelihood="normal")
    model.compile("adam", jit_compile=False)
    model.fit(X, epochs=1, verbose=0)
    return model


@pytest.mark.parametrize("function", ["encode", "decode", "reconstruct"])
def test_an_ordinary_model_answers_the_same_and_is_saved(model, function, tmp_path):
    plain = model.as_keras(function)
    given = model.encode(X) if function == "decode" else X
    expected = getattr(model, function)(given)
    np.testing.assert_allclose(plain(given), expected, rtol=1e-5, atol=1e-6)
    plain.save(tmp_path / "plain.keras")
    again = keras.saving.load_model(tmp_path / "plain.keras")
    np.testing.assert_allclose(again(given), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("function", ["encode", "decode", "reconstruct"])
def test_mean_and_deviation_are_saved_with_it(function, tmp_path):
    x = 100 * X + 50
    model = zoo.create("vae", (6,), latents=2, hidden=(5,), standardize=True, likelihood="normal")
    model.adapt(x)
    given = model.encode(x) if function == "decode" else x
    expected = getattr(model, function)(given)
    outer = keras.Sequential([model.as_keras(function), keras.layers.Identity()])
    np.testing.assert_allclose(outer.predict(given, verbose=0), expected, rtol=1e-5)
    outer.save(tmp_path / "outer.keras")
    loaded = keras.models.load_model(tmp_path / "outer.keras")
    np.testing.assert_allclose(loaded.predict(given, verbose=0), expected, rtol=1e-5)


def test_bytes_are_divided_where_it_is_asked_for(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (20, 4, 4, 1), np.uint8)
    fresh = zoo.create("vae", (4, 4, 1), latents=2, hidden=(5,))
    with pytest.raises(ValueError, match="Nothing says yet what this model divides bytes by"):
        fresh.as_keras("encode", "uint8")
    model = zoo.create("vae", (4, 4, 1), latents=2, hidden=(5,), scale=255)
    expected = model.encode(x)
    with pytest.warns(UserWarning, match="divides bytes by 255; as a Keras model it takes numbers"):
        floats = model.as_keras("encode")
    np.testing.assert_allclose(floats.predict(x / 255, verbose=0), expected, atol=1e-5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.as_keras("encode", "float32")
        model.as_keras("decode")
        of_bytes = model.as_keras("encode", "uint8")
    outer = keras.Sequential([of_bytes, keras.layers.Identity()])
    np.testing.assert_allclose(outer.predict(x, verbose=0), expected, atol=1e-5)
    outer.save(tmp_path / "outer.keras")
    loaded = keras.models.load_model(tmp_path / "outer.keras")
    np.testing.assert_allclose(loaded.predict(x, verbose=0), expected, atol=1e-5)
    with pytest.raises(ValueError, match="Unknown dtype 'uint16'"):
        model.as_keras("encode", "uint16")


def test_transfer_trains_the_shared_encoder_alone():
    model = zoo.create("vae", (6,), latents=2, hidden=(5,))
    encoder = model.as_keras("encode")
    used = [*model.encoder.variables, *model.bottleneck.variables]
    assert {id(v) for v in encoder.variables} == {id(v) for v in used}
    before = [v.numpy() for v in model.trainable_variables]
    inputs = keras.Input((6,))
    classifier = keras.Model(inputs, keras.layers.Dense(1)(encoder(inputs)))
    classifier.compile("sgd", "mse", jit_compile=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Keras warns of variables without a gradient
        classifier.fit(X, X[:, :1], verbose=0)
    moved = [
        not np.array_equal(v, w) for v, w in zip(model.trainable_variables, before, strict=True)
    ]
    encoder_ids = {id(v) for v in encoder.trainable_variables}
    assert any(moved)
    for variable, has_moved in zip(model.trainable_variables, moved, strict=True):
        assert not has_moved or id(variable) in encoder_ids, variable.path


def test_a_tied_decoder_trains_the_weights_that_it_shares():
    model = zoo.create("autoencoder", (6,), latents=2, hidden=(5,), networks="tied")
    names = {id(v) for v in model.as_keras("decode").variables}
    assert {id(v) for v in model.encoder.variables} <= names


def test_a_condition_is_a_second_input():
    layers = keras.layers
    code, label = keras.Input((2,)), keras.Input((3,))
    decoder = keras.Model([code, label], layers.Dense(6)(layers.Concatenate()([code, label])))
    x, label = keras.Input((6,)), keras.Input((3,))
    encoder = keras.Model([x, label], layers.Dense(4)(layers.Concatenate()([x, label])))
    bottleneck = {"name": "stochastic", "units": 2}
    model = zoo.Autoencoder((6,), encoder, bottleneck, decoder, condition=3, prior="normal")
    labels = np.arange(40) % 3
    expected = model.encode(X, condition=labels)
    np.testing.assert_allclose(model.as_keras("encode")([X, labels]), expected, atol=1e-6)


def test_another_function_is_refused():
    model = zoo.create("autoencoder", (6,), latents=2, hidden=(5,))
    with pytest.raises(ValueError, match="Did you mean 'encode'"):
        model.as_keras("encod")


@pytest.mark.parametrize("ending", ["onnx", "tflite"])
def test_one_file_with_named_outputs(model, ending, tmp_path):
    pytest.importorskip("tf2onnx")
    from zoo.exporting import litert, onnx

    path = zoo.exporting.export(model, tmp_path / f"model.{ending}")
    assert path.is_file()
    found = (onnx if ending == "onnx" else litert).load_file(path)(X)
    assert set(found) == {"codes", "reconstruction"}
    np.testing.assert_allclose(found["codes"], model.encode(X), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found["reconstruction"], model.reconstruct(X), rtol=1e-4, atol=1e-5)


def test_the_optimizer_is_left_out_where_asked(model, tmp_path):
    model.save(tmp_path / "all.keras")
    model.save(tmp_path / "bare.keras", include_optimizer=False)
    loaded = zoo.load_model(tmp_path / "bare.keras")
    assert int(loaded.step.numpy()) == int(model.step.numpy())
    np.testing.assert_array_equal(loaded.reconstruct(X), model.reconstruct(X))
    assert (tmp_path / "bare.keras").stat().st_size < (tmp_path / "all.keras").stat().st_size
