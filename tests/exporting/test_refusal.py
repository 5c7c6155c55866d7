"""Every activation and many layers by format: answered, or refused in a line that says what to do."""

import inspect

import keras
import numpy as np
import pytest

import zoo
from tests.exporting.test_portable import needs_onnx
from tests.trainer.test_keras_layers import EXACT, NOISY, networks
from zoo.exporting import litert

layers = keras.layers
ACTIVATIONS = sorted(
    name
    for name, function in vars(keras.activations).items()
    if inspect.isfunction(function) and name not in ("get", "serialize", "deserialize")
)
# "threshold" needs arguments of its own, and "glu" halves the units.
NAMED = [name for name in ACTIVATIONS if name not in ("threshold", "glu")]
REFUSED = {"onnx": {"celu", "gelu"}, "litert": set(), "tf_saved_model": set()}


def long(*values):
    """A case of .ci/long."""
    return pytest.param(*values, marks=pytest.mark.long)


FORMATS = [pytest.param("onnx", marks=needs_onnx), "litert", "tf_saved_model"]


def model_of(encoder, shape):
    decoder = keras.Sequential([layers.Dense(int(np.prod(shape))), layers.Reshape(shape)])
    networks = (encoder, decoder)
    return zoo.create("autoencoder", shape, latents=2, networks=networks, likelihood="normal")


def of(*parts, shape=(8, 3)):
    return model_of(keras.Sequential([*parts, layers.Flatten()]), shape)


def refusal(model, folder, format):
    with pytest.raises(ValueError) as caught:
        model.export(folder / "out", format=format)
    text = str(caught.value)
    assert "\n" not in text and "\x1b" not in text and len(text) < 400
    assert f"The format {format!r} cannot hold" in text and "format='tf_saved_model'" in text
    assert list(folder.iterdir()) == []
    return text


@pytest.mark.parametrize("format", FORMATS)
def test_every_activation_that_is_not_refused_is_answered(tmp_path, format):
    """All of them side by side in one model; the export compares its answers with the model's."""
    held = [name for name in NAMED if name not in REFUSED[format]]
    inputs = keras.Input((6,))
    branches = [layers.Dense(3, activation=name)(inputs) for name in held]
    encoder = keras.Model(inputs, layers.Concatenate()(branches))
    model_of(encoder, (6,)).export(tmp_path / "out", format=format)
    assert list((tmp_path / "out").iterdir())


@needs_onnx
@pytest.mark.parametrize("activation", sorted(REFUSED["onnx"]))
def test_an_activation_that_onnx_lacks_is_refused_with_the_nearest(tmp_path, activation):
    model = zoo.create("vae", (6,), latents=2, hidden=[4, 5], activation=activation)
    text = refusal(model, tmp_path, "onnx")
    assert f"(Dense, activation {activation}): it lacks the operation" in text
    nearest = text.split("activation='")[1].split("'")[0]
    near = zoo.create("vae", (6,), latents=2, hidden=[4], activation=nearest)
    near.export(tmp_path / "near", format="onnx")


@pytest.mark.parametrize(
    ("make", "shape", "named"),
    [
        (lambda: layers.UpSampling2D(2, interpolation="bicubic"), (4, 4, 2), "ResizeBicubic"),
        long(lambda: layers.LSTM(4), (8, 3), "(LSTM, activation tanh)"),
        long(lambda: layers.Bidirectional(layers.GRU(4)), (8, 3), "(Bidirectional)"),
        long(lambda: layers.MaxPooling3D(), (4, 4, 4, 1), "operation MaxPool3D"),
    ],
)
def test_a_layer_that_litert_lacks_is_named(tmp_path, make, shape, named):
    layer = make()
    # Others stand before it: the one that fails is named, not the first.
    text = refusal(of(layers.Activation("relu"), layer, shape=shape), tmp_path, "litert")
    assert named in text and repr(layer.name) in text


@pytest.mark.long
def test_a_recurrent_layer_is_held_once_the_remedy_is_followed(tmp_path):
    assert "unroll=True" in refusal(of(layers.LSTM(4)), tmp_path, "litert")
    of(layers.LSTM(4, unroll=True)).export(tmp_path / "out", format="litert")
    assert (tmp_path / "out" / "encoder.tflite").is_file()


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    ("make", "shape"),
    [
        long(
            lambda: [
                layers.Conv1D(3, 3),
                layers.LayerNormalization(),
                layers.SeparableConv1D(3, 2),
                layers.UnitNormalization(),
            ],
            (8, 3),
        ),
        (
            lambda: [
                layers.Conv2DTranspose(3, 3, strides=2),
                layers.BatchNormalization(),
                layers.DepthwiseConv2D(3),
                layers.MaxPooling2D(),
                layers.UpSampling2D(2, interpolation="bilinear"),
                layers.GroupNormalization(1),
                layers.Dropout(0.5),
            ],
            (6, 6, 2),
        ),
        long(lambda: [layers.Conv3D(3, 2), layers.UpSampling3D()], (3, 3, 3, 1)),
    ],
    ids=["windows", "pictures", "volumes"],
)
def test_layers_that_every_format_holds(tmp_path, format, make, shape):
    of(*make(), shape=shape).export(tmp_path / "out", format=format)


def test_a_table_of_numbers_is_served(tmp_path):
    lookup = layers.IntegerLookup(vocabulary=[3, 1, 2])
    parts = layers.Discretization([0.3, 0.6]), lookup, layers.Embedding(4, 2)
    of(*parts, shape=(6,)).export(tmp_path / "out")


@needs_onnx
def test_constants_that_onnx_takes_for_inputs_are_refused(tmp_path):
    text = refusal(of(layers.Normalization(mean=0.5, variance=2.0)), tmp_path, "onnx")
    assert "(Normalization): the converter takes its constants for inputs." in text


@pytest.mark.long
@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", [*EXACT, *NOISY])
def test_every_layer_is_held_or_refused(tmp_path, name, format):
    shape, change = {**EXACT, **NOISY}[name]
    encoder, decoder = networks(shape, change)
    model = zoo.Autoencoder(
        shape, encoder, {"name": "deterministic", "units": 2}, decoder, "squared_error"
    )
    try:
        model.export(tmp_path / "out", format=format)
    except ValueError as error:
        assert "\n" not in str(error) and f"The format {format!r} cannot hold" in str(error)
        assert list(tmp_path.iterdir()) == []


def test_a_failure_that_no_layer_explains_is_one_line_too(tmp_path, monkeypatch):
    class Strange(Exception):
        """As converters raise: of no family that a caller knows."""

    def fails(model, folder):
        raise Strange("\x1b[1mthe graph\x1b[0m\n  is too large\n" + "and so on " * 100)

    monkeypatch.setattr(litert, "write", fails)
    text = refusal(zoo.create("vae", (6,), latents=2, hidden=[4]), tmp_path, "litert")
    assert "the graph is too large" in text and "No layer alone fails so" in text
