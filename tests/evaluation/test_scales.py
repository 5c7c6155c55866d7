"""Measures do not depend on the form of the numbers: bytes, labels in a column, codes with places."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

import zoo
from zoo.evaluation import evaluate, imputation
from zoo.evaluation.checks import as_factors
from zoo.evaluation.dictionary import tally
from zoo.recipes.dictionaries import resample, start

RNG = np.random.default_rng(0)
PICTURES = RNG.integers(0, 256, (120, 4, 4, 1), np.uint8)
TABLE = RNG.integers(0, 200, (200, 6), np.uint8)


def dictionary(shape):
    return zoo.create("top_k_sae", shape, latents=20, target_l0=3, seed=0)


def measured(rows, groups, **settings):
    model = zoo.create("top_k_sae", (4, 4, 1), latents=20, target_l0=3, seed=0, scale=255)
    start(model, PICTURES, verbose=False)
    return evaluate(model, rows, groups=groups, settings=settings, verbose=False)


def test_a_dictionary_measures_bytes_as_it_sees_them():
    floats = np.float32(PICTURES / 255)
    of_bytes, of_floats = (measured(x, ["dictionary"])["dictionary"] for x in (PICTURES, floats))
    assert of_floats["explained_variance"] > 0
    for name, value in of_floats.items():
        assert_allclose(of_bytes[name], value, rtol=1e-4, atol=1e-6, err_msg=name)


def test_rows_of_zeros_have_no_ratio_of_norms():
    model = dictionary((6,))
    x = np.float32(RNG.normal(size=(90, 6)))
    start(model, x, verbose=False)
    whole = tally(model, x).scores()["norm_ratio"]
    with_zeros = tally(model, np.concatenate([x, np.zeros((90, 6), np.float32)])).scores()
    assert_allclose(with_zeros["norm_ratio"], whole, rtol=1e-5)


@pytest.mark.parametrize("centre", ["mean", "median"])
def test_a_dictionary_of_a_table_of_bytes_starts_as_one_of_its_numbers(centre):
    of_bytes, of_floats = dictionary((6,)), dictionary((6,))
    for model, x in ((of_bytes, TABLE), (of_floats, TABLE.astype(np.float32))):
        start(model, x, centre=centre, verbose=False)
    assert of_bytes.scale == 1.0
    for one, other in zip(of_bytes.get_weights(), of_floats.get_weights(), strict=True):
        assert_allclose(one, other, rtol=1e-5, atol=1e-5)


def test_units_are_resampled_by_bytes_as_by_floats():
    dead = np.arange(20) == 0
    found = []
    for x in (PICTURES, np.float32(PICTURES / 255)):
        model = dictionary((4, 4, 1))
        start(model, x, verbose=False)
        assert resample(model, x, dead=dead).tolist() == [0]
        found.append(model.get_weights())
    for one, other in zip(*found, strict=True):
        assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_features_of_ones_own_see_real_and_generated_examples_on_one_scale():
    model = zoo.create("vae", (4, 4, 1), latents=2, hidden=(8,), seed=0, scale=255)
    flat = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten()])
    settings = {"generation": {"features": flat}}
    one, other = (
        evaluate(model, x, groups=["generation"], settings=settings, verbose=False)["generation"]
        for x in (PICTURES, np.float32(PICTURES / 255))
    )
    for name, value in one.items():
        assert_allclose(value, other[name], rtol=1e-3, atol=1e-5, err_msg=name)


def test_what_is_filled_in_is_compared_on_the_scale_of_reconstructions():
    missing = RNG.random(PICTURES.shape) < 0.2
    found = imputation.scores(PICTURES, missing, np.float32(PICTURES / 255), PICTURES)
    assert found["imputation_error"] < 1e-6 and found["imputation_error_mean"] < 0.5


def test_a_model_of_targets_is_not_compared_with_x():
    x = np.float32(RNG.normal(size=(120, 6)))
    labels = RNG.integers(0, 2, 120)
    of_clean = zoo.create(
        "denoising_autoencoder", (6,), noise="pairs", latents=2, hidden=(8,), likelihood="normal"
    )
    narrow = zoo.create("transcoder", (6,), target_shape=(4,), latents=12, target_l0=3)
    for model in (of_clean, narrow):
        found = evaluate(model, x, labels, verbose=False, level="quick")
        assert "reconstructs y" in found["skipped"]["reconstruction"]
        assert "probing" in found
    networks = zoo.networks.mlp((8,)), zoo.networks.mlp((8,), (4,))
    drawn = {"name": "stochastic", "units": 2}
    vae = zoo.Autoencoder((6,), networks[0], drawn, networks[1], target_shape=(4,), prior="normal")
    found = evaluate(vae, x, groups=["density"], verbose=False)
    assert "reconstructs y" in found["skipped"]["density: bounds"]
    assert np.isfinite(list(found["density"].values())).all()


def test_labels_may_stand_in_a_column():
    x, labels = np.float32(RNG.normal(size=(150, 6))), RNG.integers(0, 3, 150)
    model = dictionary((6,))
    start(model, x, verbose=False)
    flat, column = (
        evaluate(model, x, each, groups=["dictionary"], verbose=False)["dictionary"]
        for each in (labels, labels[:, None])
    )
    assert flat == column and "probe_of_1" in flat


def test_details_of_a_code_with_places_are_drawn():
    model = zoo.create("vq_vae", (6,), latents=2, places=3, codes=8, hidden=(8,))
    x = np.random.default_rng(0).random((60, 6), np.float32)
    found = evaluate(model, x, groups=["sparsity", "reconstruction"], details=True, verbose=False)
    assert any(len(np.shape(value)) for value in found["details"]["sparsity"].values())


def test_texts_are_values_of_a_factor_and_are_not_cut():
    texts = np.array([f"v{i % 30}" for i in range(200)])
    numbers = np.linspace(0, 1, 200)
    assert as_factors(texts[:, None], 200, bins=20).max() == 29
    mixed = np.stack([texts.astype(object), numbers.astype(object)], axis=1)
    found = as_factors(mixed, 200, bins=20)
    assert found.max(axis=0).tolist() == [29, 19]
