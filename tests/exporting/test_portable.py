"""ONNX and LiteRT files answer as their models do, with a free batch size."""

import importlib.util
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.serialization import policy

CASES = {
    "mlp": ("laplace_vae", {"hidden": (8,)}),
    "conv": ("k_sparse_autoencoder", {"networks": "conv", "hidden": (3,), "k": 2}),
}
EXTRA = ("tf2onnx", "onnx", "onnxruntime")
needs_onnx = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in EXTRA),
    reason="needs latent-zoo[onnx]: tf2onnx, onnx and onnxruntime",
)


def run_onnx(path, array):
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: array})[0]


def run_litert(path, array):
    # Without the signatures that the library's own check goes through.
    interpreter = tf.lite.Interpreter(model_path=str(path))
    (given,), (answer,) = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.resize_tensor_input(given["index"], array.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(given["index"], array)
    interpreter.invoke()
    return interpreter.get_tensor(answer["index"])


RUNTIMES = [
    pytest.param("onnx", ".onnx", run_onnx, marks=needs_onnx),
    pytest.param("litert", ".tflite", run_litert),
]


def build(case):
    keras.utils.set_random_seed(0)
    name, options = CASES[case]
    return zoo.create(name, (6, 5, 1), latents=5, **options)


def assert_answers_equal(model, folder, suffix, run, tolerance):
    files = sorted(path.name for path in folder.iterdir() if path.name != "inputs.json")
    assert files == [name + suffix for name in ("decoder", "encoder", "reconstruct")]
    for rows in (1, 7):
        x = np.random.default_rng(rows).random((rows, 6, 5, 1), np.float32)
        code = model.encode_batch(x).numpy()
        for name, given, expected in (
            ("encoder", x, code),
            ("decoder", code, model.decode_batch(code)),
            ("reconstruct", x, model(x)),
        ):
            received = run(folder / f"{name}{suffix}", given)
            np.testing.assert_allclose(received, expected, atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize(("format", "suffix", "run"), RUNTIMES)
@pytest.mark.parametrize("case", CASES)
@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter")
def test_answers_equal_in_the_formats_own_runtime(tmp_path, case, format, suffix, run):
    model = build(case)
    model.export(tmp_path / "a", format=format)
    assert_answers_equal(model, tmp_path / "a", suffix, run, 1e-5)


@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter")
def test_mixed_precision_is_exported_in_float32(tmp_path):
    with policy("mixed_bfloat16"):
        mixed = build("mlp")
    mixed.export(tmp_path / "a", format="litert")
    full = build("mlp")
    full.set_weights(mixed.get_weights())
    assert_answers_equal(full, tmp_path / "a", ".tflite", run_litert, 1e-5)
    # bfloat16 has 8 bits.
    x = np.random.default_rng(0).random((4, 6, 5, 1), np.float32)
    np.testing.assert_allclose(
        run_litert(tmp_path / "a" / "encoder.tflite", x), mixed.encode(x), atol=0.05
    )


@pytest.mark.parametrize("missing", ["tf2onnx", "onnxruntime"])
def test_a_missing_extra_is_named_with_the_command_that_installs_it(tmp_path, monkeypatch, missing):
    for name in ("tf2onnx", "onnxruntime"):
        if name == missing:
            monkeypatch.setitem(sys.modules, name, None)
        elif not importlib.util.find_spec(name):
            monkeypatch.setitem(sys.modules, name, sys)
    with pytest.raises(ImportError, match=rf"needs {missing}.*pip install 'latent-zoo\[onnx\]'"):
        build("mlp").export(tmp_path / "a", format="onnx")
    assert list(tmp_path.iterdir()) == []
