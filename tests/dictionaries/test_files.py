"""Files of other libraries, checked on reconstructions and codes; exports of encode and decode."""

import importlib
import importlib.util
import json
import struct
import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import zoo
from tests.dictionaries.architectures import (
    ARCHITECTURES,
    UNITS,
    WIDTH,
    activations,
    batch,
    build,
    data_of,
    inputs,
)
from zoo.exporting import FORMATS, safetensors
from zoo.exporting.dictionary_files import read_dictionary, write_dictionary


@pytest.fixture(
    scope="module", params=["relu", "relu_norms", "gated", "top_k", "batch_top_k", "jump_relu"]
)
def model(request):
    return away_from_the_start(build(request.param), 50 * activations(1024))


def away_from_the_start(model, data):
    """A model that knows where data lie, and of whose weights none is as it began; without training."""
    rng = np.random.default_rng(0)
    model.forward(batch(data), zoo.Noise(0, 0), training=True)
    for weight in model.trainable_variables:
        moved = weight.numpy() + 0.05 * rng.normal(size=weight.shape)
        weight.assign(np.maximum(moved, 0) if "thresholds" in weight.path else moved)
    return model


def test_a_round_trip_has_the_same_codes_and_reconstructions(model, tmp_path):
    x = 50 * activations(500, 1)
    write_dictionary(model, tmp_path)
    loaded = read_dictionary(tmp_path)
    scale = float(model.encoder.scale[0])
    assert_allclose(loaded.encode(x), scale * model.encode(x), rtol=1e-3, atol=scale * 1e-3)
    assert_allclose(loaded.reconstruct(x), model.reconstruct(x), rtol=1e-3, atol=scale * 1e-3)
    assert loaded.decoder.unit_norm == model.decoder.unit_norm


def test_bytes_that_the_files_do_not_divide_are_told(tmp_path):
    model = zoo.create("top_k_sae", (6,), latents=12, target_l0=3)
    model.intake.give_scale(255)
    with pytest.warns(UserWarning, match="give what reads them x / 255"):
        write_dictionary(model, tmp_path)
    x = np.random.default_rng(0).integers(0, 256, (20, 6)).astype(np.uint8)
    found = read_dictionary(tmp_path).reconstruct(x / np.float32(255))
    assert_allclose(found, model.reconstruct(x), atol=1e-5)


def test_what_is_written_computes_the_same_in_numpy(model, tmp_path):
    """By SAELens's formulas, from the files alone."""
    x = 50 * activations(200, 1)
    write_dictionary(model, tmp_path)
    config = json.loads((tmp_path / "cfg.json").read_text())
    w = safetensors.read(tmp_path / "sae_weights.safetensors")
    centred = x - w["b_dec"]
    pre = centred @ w["W_enc"] + (w["b_gate"] if config["architecture"] == "gated" else w["b_enc"])
    if config["architecture"] == "gated":
        size = centred @ (w["W_enc"] * np.exp(w["r_mag"])) + w["b_mag"]
        code = (pre > 0) * np.maximum(size, 0)
    elif config["architecture"] == "jumprelu":
        code = np.maximum(pre, 0) * (pre > w["threshold"])
    else:
        code = np.maximum(pre, 0)
        if config["architecture"] == "topk":
            smallest = np.sort(code, axis=1)[:, -config["k"]][:, None]
            code = np.where(code >= smallest, code, 0)
    output = code @ w["W_dec"] + w["b_dec"]
    scale = float(model.encoder.scale[0])
    assert_allclose(output, model.reconstruct(x), rtol=1e-3, atol=scale * 1e-3)


def test_sparsify_round_trip(tmp_path):
    model, x = away_from_the_start(build("top_k"), activations()), activations(300, 1)
    write_dictionary(model, tmp_path, "sparsify")
    weights = safetensors.read(tmp_path / "sae.safetensors")
    assert weights["encoder.weight"].shape == weights["W_dec"].shape == (UNITS, WIDTH)
    assert_allclose(read_dictionary(tmp_path).reconstruct(x), model.reconstruct(x), atol=1e-3)
    config = json.loads((tmp_path / "cfg.json").read_text())
    (tmp_path / "cfg.json").write_text(json.dumps({**config, "signed": True}))
    with pytest.raises(ValueError, match="sparsify with signed are not read"):
        read_dictionary(tmp_path)


def test_an_encoder_that_is_given_x_as_it_is(tmp_path):
    """apply_b_dec_to_input=False: f = relu(x W + b_enc)."""
    rng = np.random.default_rng(0)
    weights = {
        "W_enc": rng.normal(size=(WIDTH, UNITS)),
        "b_enc": rng.normal(size=UNITS),
        "W_dec": rng.normal(size=(UNITS, WIDTH)),
        "b_dec": rng.normal(size=WIDTH),
    }
    weights = {name: value.astype("float32") for name, value in weights.items()}
    safetensors.write(tmp_path / "sae_weights.safetensors", weights)
    config = {"architecture": "standard", "apply_b_dec_to_input": False}
    (tmp_path / "cfg.json").write_text(json.dumps(config))
    x = activations(100)
    code = np.maximum(x @ weights["W_enc"] + weights["b_enc"], 0)
    loaded = read_dictionary(tmp_path)
    assert_allclose(loaded.encode(x), code, rtol=1e-4, atol=1e-4)
    assert_allclose(
        loaded.reconstruct(x), code @ weights["W_dec"] + weights["b_dec"], rtol=1e-3, atol=1e-3
    )


def test_files_of_sae_lens_before_6_are_read_as_they_are_computed(tmp_path):
    """Top-k stood under "standard", or nothing; codes were multiplied by factors before they were decoded."""
    rng, k = np.random.default_rng(0), 3
    weights = {
        "W_enc": rng.normal(size=(WIDTH, UNITS)),
        "b_enc": rng.normal(size=UNITS),
        "W_dec": rng.normal(size=(UNITS, WIDTH)),
        "b_dec": rng.normal(size=WIDTH),
        "scaling_factor": rng.uniform(0.5, 2, UNITS),
    }
    weights = {name: value.astype("float32") for name, value in weights.items()}
    safetensors.write(tmp_path / "sae_weights.safetensors", weights)
    x = activations(100)
    code = np.maximum((x - weights["b_dec"]) @ weights["W_enc"] + weights["b_enc"], 0)
    few = np.where(code >= np.sort(code, axis=1)[:, -k][:, None], code, 0)
    older = {"finetuning_scaling_factor": True, "normalize_activations": False}
    top_k = {"activation_fn_str": "topk", "activation_fn_kwargs": {"k": k}}
    for config, expected in (
        (older, code),
        ({**older, "architecture": "standard", **top_k}, few),
        ({**older, "architecture": "topk", "activation_fn_kwargs": {"k": k}}, few),
    ):
        (tmp_path / "cfg.json").write_text(json.dumps(config))
        loaded = read_dictionary(tmp_path)
        assert_allclose(loaded.encode(x), expected, rtol=1e-4, atol=1e-4)
        output = expected * weights["scaling_factor"] @ weights["W_dec"] + weights["b_dec"]
        assert_allclose(loaded.reconstruct(x), output, rtol=1e-3, atol=1e-3)
    for config, line in (
        ({"architecture": "topk"}, "must have its k"),
        ({"activation_fn_str": "tanh-relu"}, "activation_fn"),
        ({"normalize_activations": True}, "normalize_activations must be 'none'"),
    ):
        (tmp_path / "cfg.json").write_text(json.dumps(config))
        with pytest.raises(ValueError, match=line):
            read_dictionary(tmp_path)


@pytest.mark.parametrize(
    ("form", "lacking"), [("sae_lens", "b_enc"), ("sae_lens", "W_dec"), ("sparsify", "b_dec")]
)
def test_a_weight_that_a_file_lacks_is_named(form, lacking, tmp_path):
    model = zoo.create("top_k_sae", (WIDTH,), latents=UNITS, target_l0=3)
    write_dictionary(model, tmp_path, form=form)
    (file,) = tmp_path.glob("*.safetensors")
    weights = safetensors.read(file)
    del weights[lacking]
    safetensors.write(file, weights)
    with pytest.raises(ValueError, match=rf"must have the weights .*; its file lacks {lacking}\.$"):
        read_dictionary(tmp_path)


def test_the_format_is_read_byte_for_byte(tmp_path):
    values = np.array([1.5, -2.0], "<f4").tobytes() + np.array([0x3FC0, 0xC000], "<u2").tobytes()
    header = json.dumps(
        {
            "__metadata__": {"format": "pt"},
            "a": {"dtype": "F32", "shape": [2, 1], "data_offsets": [0, 8]},
            "b": {"dtype": "BF16", "shape": [2], "data_offsets": [8, 12]},
        }
    ).encode()
    path = tmp_path / "some.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header + values)
    found = safetensors.read(path)
    assert found["a"].tolist() == [[1.5], [-2.0]] and found["b"].tolist() == [1.5, -2.0]


def test_pickles_and_what_is_not_folded_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"must hold cfg.json and"):
        read_dictionary(tmp_path)
    (tmp_path / "ae.pt").write_bytes(b"\x80\x04")
    with pytest.raises(ValueError, match=r"ae\.pt is a pickle"):
        read_dictionary(tmp_path)
    (tmp_path / "ae.pt").rename(tmp_path / "sae_weights.safetensors")
    (tmp_path / "cfg.json").write_text('{"architecture": "standard"}')
    with pytest.raises(ValueError, match="not a safetensors file"):
        read_dictionary(tmp_path)
    write_dictionary(build("relu"), tmp_path)
    config = json.loads((tmp_path / "cfg.json").read_text())
    (tmp_path / "cfg.json").write_text(
        json.dumps({**config, "normalize_activations": "layer_norm"})
    )
    with pytest.raises(ValueError, match="normalize_activations must be 'none'"):
        read_dictionary(tmp_path)
    for name in ("crosscoder", "transcoder", "matching_pursuit"):
        with pytest.raises(ValueError, match=r"Other libraries hold|must be one of"):
            write_dictionary(build(name), tmp_path)


@pytest.mark.skipif(
    not importlib.util.find_spec("sae_lens"),
    reason="sae-lens is not installed (pip install sae-lens)",
)
def test_sae_lens_reads_what_is_written(model, tmp_path):
    x = 50 * activations(100, 1)
    write_dictionary(model, tmp_path)
    np.save(tmp_path / "x.npy", x)
    # In a process of its own: what PyTorch and TensorFlow bring beside them does not share one well.
    subprocess.run([sys.executable, "-c", OF_SAE_LENS, tmp_path], check=True, timeout=300)
    scale = float(model.encoder.scale[0])
    output = np.load(tmp_path / "output.npy")
    assert_allclose(output, model.reconstruct(x), rtol=1e-3, atol=scale * 1e-3)


OF_SAE_LENS = """
import sys, numpy, torch
from sae_lens import SAE
folder = sys.argv[1]
with torch.no_grad():
    output = SAE.load_from_disk(folder)(torch.tensor(numpy.load(folder + "/x.npy")))
numpy.save(folder + "/output.npy", output.numpy())
"""


# Each format on every change with the operations that are least like the others; all pairs else.
ALWAYS = {
    ("tf_saved_model", "matching_pursuit"),
    ("onnx", "matching_pursuit"),
    ("onnx", "jump_relu"),
    ("litert", "batch_top_k"),
}
EXPORTS = [
    pytest.param(format, name, marks=() if (format, name) in ALWAYS else pytest.mark.long)
    for format in FORMATS
    for name in ARCHITECTURES
]


@pytest.mark.parametrize(("format", "name"), EXPORTS)
@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter")
def test_encode_and_decode_are_exported(format, name, tmp_path):
    """Numbers of the export's own runtime beside the model's, on rows of data; atoms have norm 1 there."""
    if format == "onnx":
        pytest.importorskip("tf2onnx", reason="the ONNX export needs latent-zoo[onnx]")
    model = away_from_the_start(build(name), data_of(name, 512))
    x = inputs(data_of(name, 40, 1))
    model.export(tmp_path / "a", format=format, check=False)
    served = importlib.import_module(f"zoo.exporting.{FORMATS[format]}").load(tmp_path / "a")
    expected = model.encode(x)
    code = output_of(served["encode"](x))
    assert_allclose(code, expected, rtol=1e-4, atol=1e-5)
    assert 0 < np.count_nonzero(code) < code.size
    assert_array_equal(code != 0, expected != 0)
    output = model.decode(code)
    tolerance = {"rtol": 1e-4, "atol": 1e-4 * np.abs(output).max()}
    assert_allclose(output_of(served["decode"](code)), output, **tolerance)
    assert_allclose(output_of(served["reconstruct"](x)), model.reconstruct(x), **tolerance)
    if model.decoder.unit_norm:
        eye = np.eye(UNITS, dtype="float32")
        atoms = output_of(served["decode"](eye)) - output_of(served["decode"](0 * eye))
        sizes = np.linalg.norm(np.float64(atoms) / model.decoder.offset.scale, axis=-1)
        assert np.abs(sizes - 1).max() < 1e-5  # the difference of two float32 sums


def output_of(answer):
    return np.asarray(next(iter(answer.values())) if isinstance(answer, dict) else answer)
