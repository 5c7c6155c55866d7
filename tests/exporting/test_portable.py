"""ONNX and LiteRT files answer as their models do, with a free batch size."""

import importlib.util
import re
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.exporting import litert
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


def run_named_onnx(path, arrays):
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    assert {each.name for each in session.get_inputs()} == set(arrays)
    return session.run(None, arrays)[0]


def run_named_litert(path, arrays):
    (answer,) = tf.lite.Interpreter(str(path)).get_signature_runner()(**arrays).values()
    return answer


CONDITIONS = {
    "labels": (3, np.array([0, 2, 1, 1, -1], np.int32)),
    "covariates": ((2,), np.random.default_rng(1).random((5, 2), np.float32)),
    "several": (
        {"kind": 3, "age": (1,)},
        {"kind": np.array([0, 2, 1, 1, 0], np.int32), "age": np.ones((5, 1), np.float32)},
    ),
}


@pytest.mark.parametrize("kind", CONDITIONS)
@pytest.mark.parametrize(
    ("ending", "run"),
    [
        pytest.param("onnx", run_named_onnx, marks=needs_onnx),
        pytest.param("tflite", run_named_litert),
    ],
)
def test_a_condition_is_an_input_by_its_name(kind, ending, run, tmp_path):
    declared, condition = CONDITIONS[kind]
    keras.utils.set_random_seed(0)
    model = zoo.create("conditional_vae", (6,), condition=declared, latents=2, hidden=(4,))
    x = np.random.default_rng(0).random((5, 6), np.float32)
    model.export(tmp_path / "parts", format={"onnx": "onnx", "tflite": "litert"}[ending])
    named = condition if isinstance(condition, dict) else {"condition": condition}
    codes = run(tmp_path / "parts" / f"encoder.{ending}", {"x": x, **named})
    np.testing.assert_allclose(codes, model.encode(x, condition=condition), atol=1e-5)
    decoded = run(tmp_path / "parts" / f"decoder.{ending}", {"z": codes, **named})
    np.testing.assert_allclose(decoded, model.decode(codes, condition=condition), atol=1e-5)
    model.export(tmp_path / f"whole.{ending}")  # which compares its answers with the model's


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


@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter")
def test_weights_of_8_bits_change_answers_by_what_is_said(tmp_path):
    keras.utils.set_random_seed(0)
    model = zoo.create("vae", (6, 5, 1), latents=5, hidden=(256,))
    x = np.random.default_rng(0).random((40, 6, 5, 1), np.float32)
    model.export(tmp_path / "whole.tflite", check=x)
    said = r"8 bits\. On 40 rows they change codes by ([\d.e-]+) \(at most ([\d.e-]+)\) and rec"
    with pytest.warns(UserWarning, match=said) as caught:
        model.export(tmp_path / "small.tflite", quantize="int8", check=x)
    assert (tmp_path / "small.tflite").stat().st_size < (
        tmp_path / "whole.tflite"
    ).stat().st_size / 2
    served = litert.load_file(tmp_path / "small.tflite")
    codes, truth = served(x)["codes"], model.encode(x)
    unit = np.abs(truth).max()
    error, most = map(float, re.search(said, str(caught[0].message)).groups())
    assert 0 < error < 0.05
    np.testing.assert_allclose(np.sqrt(np.mean((codes - truth) ** 2)) / unit, error, rtol=0.06)
    np.testing.assert_allclose(np.abs(codes - truth).max() / unit, most, rtol=0.06)
    bad = x.copy()
    bad[3, 0, 0, 0] = np.nan  # no number comes out for it, and no other row changes
    answers = served(bad)["codes"]
    assert np.isnan(answers[3]).all()
    np.testing.assert_array_equal(np.delete(answers, 3, 0), np.delete(codes, 3, 0))


def test_8_bits_are_refused_where_there_are_none(tmp_path):
    model = zoo.create("vae", (6, 5, 1), latents=5, hidden=(4,))
    with pytest.raises(
        ValueError, match=r"for format='litert' or a \.tflite file; received 'onnx'"
    ):
        model.export(tmp_path / "a.onnx", quantize="int8")
    with pytest.raises(ValueError, match="Unknown quantization 'int4'"):
        model.export(tmp_path / "a.tflite", quantize="int4")
    with pytest.raises(
        ValueError, match=r"A \.onnx file is of the format 'onnx'; received .*'litert'"
    ):
        model.export(tmp_path / "a.onnx", format="litert")


@pytest.mark.parametrize("likelihood", ["poisson", {"name": "categorical", "levels": 4}])
def test_a_model_of_counts_is_compared_on_counts(tmp_path, likelihood):
    model = zoo.create("vae", (6,), latents=2, hidden=(4,), likelihood=likelihood)
    model.export(tmp_path / "a.tflite")
    x = np.random.default_rng(0).integers(0, 4, (5, 6)).astype("float32")
    served = litert.load_file(tmp_path / "a.tflite")(x)
    np.testing.assert_allclose(served["codes"], model.encode(x), atol=1e-5)
