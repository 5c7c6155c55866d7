"""SavedModels answer as their models do, in a process that has only TensorFlow."""

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.conformance.cases import REPEATS
from zoo.models import function, options
from zoo.serialization import policy

SERVE = Path(__file__).with_name("serve.py")
# Models that others export: test_novelties.py, test_semi_supervised.py and test_clamped.py those that take a
# condition, tests/dictionaries those that have atoms.
ELSEWHERE = {
    "conditional_vae",
    "dc_ign",
    "semi_supervised_vae",
    *(name for name in zoo.names("model") if name.endswith("_sae")),
    "crosscoder",
    "transcoder",
    "sparse_dictionary",
}
CASES = {
    **{
        name: (name, "mlp", "float32")
        for name in zoo.names("model")
        if function(name).__module__.startswith("zoo.")  # not of other tests in this process
        and name not in ELSEWHERE
    },
    "conv": ("laplace_vae", "conv", "float32"),
    "conv_k_sparse": ("k_sparse_autoencoder", "conv", "float32"),
    "tied": ("k_sparse_autoencoder", "tied", "float32"),
    "bfloat16": ("laplace_vae", "mlp", "mixed_bfloat16"),
    "bfloat16_conv": ("k_sparse_autoencoder", "conv", "mixed_bfloat16"),
}
# Those that differ from others in how they are trained, or join what others have one by one.
ALIKE = REPEATS | {
    "denoising_autoencoder",
    "contractive_autoencoder",
    "uniform_to_gaussian_vae",
    "annealed_vae",
    "ada_gvae",
    "cat_gan",
    "hamiltonian_vae",
    "iwae",
    "piwae",
    "lfq_vae",
    "pixel_gan_autoencoder",
    "planar_vae",
    "rae_gp",
    "rae_l2",
    "rq_vae",
    "vade",
    "vae_gan",
    "beta_tc_vae",
    "dip_vae",
    "factor_vae",
    "conv_k_sparse",
    "bfloat16_conv",
}


def build(name, networks="mlp", precision="float32"):
    wanted = {"latents": 4, "networks": networks, "hidden": (3,) if networks == "conv" else (8,)}
    keras.utils.set_random_seed(0)
    known = options(name)
    with policy(precision):
        return zoo.create(name, (6, 5, 1), **{k: v for k, v in wanted.items() if k in known})


def expected_answers(model, given):
    """The model's answers, computed outside any graph."""
    x, z = (tf.constant(given[key]) for key in "xz")
    answers = {
        "reconstruct": {"reconstruction": model(x)},
        "encode": {"codes": model.encode_batch(x)},
        "decode": {"reconstruction": model.decode_batch(z)},
    }
    answers["serving_default"] = answers["reconstruct"]
    posterior = model.posterior(x)
    base = getattr(posterior, "distribution", None)
    if {"loc", "scale"} <= getattr(base, "parameters", {}).keys():  # a flow has neither
        answers["posterior"] = {"loc": base.loc, "scale": base.scale}
    if model.prior is not None:
        answers["generate"] = {"examples": model.generate_batch(given["n"], given["seed"])}
    return {name: {k: np.asarray(v) for k, v in parts.items()} for name, parts in answers.items()}


@pytest.fixture(scope="module")
def answers(request, tmp_path_factory):
    """Case -> (the model's answers, those of the other process), every case with a batch of its own size.

    Of the cases that this run has selected: one process answers for all of them.
    """
    root = tmp_path_factory.mktemp("saved_models")
    calls = (getattr(item, "callspec", None) for item in request.session.items)
    selected = {call.params.get("case") for call in calls if call}
    cases = {name: case for name, case in CASES.items() if name in selected}
    given, expected = {}, {}
    random = np.random.default_rng(0)
    for index, (case, description) in enumerate(cases.items()):
        model = build(*description)
        rows = index % 4 + 1
        own = {
            "x": random.random((rows, *model.event_shape), np.float32),
            "z": random.standard_normal((rows, *model.code_shape), np.float32),
            "n": np.int32(rows),
            "seed": np.int32(index),
        }
        model.export(root / case, check=case == "laplace_vae")
        expected[case] = expected_answers(model, own)
        given |= {f"{case}/{key}": value for key, value in own.items()}
    np.savez(root / "given.npz", **given)
    done = subprocess.run(
        [sys.executable, str(SERVE), str(root)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    received = {}
    with np.load(root / "answers.npz") as file:
        for key in file.files:
            case, name, output = key.split("/")
            received.setdefault(case, {}).setdefault(name, {})[output] = file[key]
    return {case: (expected[case], received[case]) for case in cases}


@pytest.mark.parametrize(
    "case",
    [pytest.param(name, marks=[pytest.mark.long] * (name in ALIKE)) for name in CASES],
)
def test_answers_equal_where_only_tensorflow_is_installed(answers, case):
    expected, received = answers[case]
    assert expected.keys() == received.keys()
    # Two roundings to 8 bits may fall on different sides of a tie.
    tolerance = 1e-2 if "bfloat16" in case else 1e-5
    for name, outputs in expected.items():
        assert outputs.keys() == received[name].keys()
        for key, value in outputs.items():
            # Draws from the prior of the L_P autoencoder are huge, and cancel in a linear decoder.
            limit = tolerance * max(np.abs(value).max(), 1)
            np.testing.assert_allclose(received[name][key], value, rtol=0, atol=limit)


def test_generate_repeats_for_a_seed_and_differs_between_seeds(tmp_path):
    model = build("laplace_vae")
    model.export(tmp_path / "a")
    loaded = tf.saved_model.load(str(tmp_path / "a"))
    first, again, other = (loaded.generate(3, seed).numpy() for seed in (5, 5, 6))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    np.testing.assert_allclose(first, model.generate(3, seed=5), atol=1e-6)


def test_posterior_and_generate_are_left_out_where_the_model_has_none(tmp_path):
    model = build("autoencoder")
    model.export(tmp_path / "a", check=False)
    signatures = tf.saved_model.load(str(tmp_path / "a")).signatures
    assert set(signatures) == {"serving_default", "reconstruct", "encode", "decode"}


def test_keras_reads_an_endpoint_as_a_layer(tmp_path):
    model = build("vae")
    model.export(tmp_path / "a", check=False)
    x = np.random.default_rng(0).random((3, 6, 5, 1), np.float32)
    layer = keras.layers.TFSMLayer(str(tmp_path / "a"), call_endpoint="encode")
    np.testing.assert_allclose(layer(x), model.encode(x), atol=1e-6)


@pytest.mark.parametrize("networks", ["mlp", "conv"])
def test_a_model_trained_in_mixed_precision_exports(tmp_path, networks):
    model = build("vae", networks, "mixed_bfloat16")
    model.compile(keras.optimizers.Adam(0.01), jit_compile=False)
    model.fit(np.random.default_rng(0).random((64, 6, 5, 1), np.float32), epochs=4, verbose=0)
    model.export(tmp_path / "a")
    loaded = tf.saved_model.load(str(tmp_path / "a"))
    z = np.ones((2, model.units), np.float32)
    np.testing.assert_allclose(loaded.decode(z), model.decode(z), atol=1e-2)


def test_a_model_of_two_replicas_exports(tmp_path, two_devices):
    with two_devices.scope():
        model = build("laplace_vae")
    model.export(tmp_path / "a")
    x = np.random.default_rng(0).random((5, 6, 5, 1), np.float32)
    loaded = tf.saved_model.load(str(tmp_path / "a"))
    np.testing.assert_allclose(loaded.reconstruct(x), model.reconstruct(x), atol=1e-6)
