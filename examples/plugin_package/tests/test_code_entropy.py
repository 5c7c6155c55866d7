"""The penalty against SciPy and its closed forms, and the plugin as a user meets it."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from latent_zoo_entropy import CodeEntropy
from scipy.stats import entropy

import zoo
import zoo.testing


def penalty(code, **options):
    """What the plugin, found by its name, gives for codes (batch, units)."""
    forward = SimpleNamespace(code=tf.constant(code, tf.float32))
    return zoo.get("code_entropy", **options).penalty(forward).numpy()


@pytest.mark.parametrize("power", [1, 2])
def test_equals_scipy(power):
    """Against SciPy's entropy of the normalised powers."""
    code = np.random.default_rng(0).normal(size=(5, 7))
    expected = entropy(np.abs(code) ** power, axis=1)
    np.testing.assert_allclose(penalty(code, power=power), expected, rtol=1e-5)


def test_closed_forms():
    """One active unit, and units that are alike."""
    code = [[0, 3, 0, 0], [-2, 2, 2, -2]]
    np.testing.assert_allclose(penalty(code), [0, np.log(4)], atol=1e-6)


def test_gradient_is_finite_at_zero():
    """Codes of a relu are often exactly 0."""
    code = tf.Variable([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    with tf.GradientTape() as tape:
        total = zoo.get("code_entropy").penalty(SimpleNamespace(code=code))
    assert np.isfinite(tape.gradient(total, code)).all()


def test_bad_power_is_refused():
    """Below 1 the gradient at 0 is infinite."""
    with pytest.raises(ValueError, match="at least 1"):
        zoo.get("code_entropy", power=0.5)


@zoo.testing.parametrize(CodeEntropy(power=1.5, weight=2.0))
def test_conforms(trial, check):
    """Every check of the zoo's own parts."""
    check(trial)


def test_trains_saves_and_loads(tmp_path):
    """With `fit`, and through a .keras file."""
    x = np.random.default_rng(0).random((64, 6), np.float32)
    regularizer = {"name": "code_entropy", "power": 1.5, "weight": 2.0}
    model = zoo.create("autoencoder", (6,), latents=4, hidden=(8,), regularizers=[regularizer])
    model.compile(optimizer="adam")
    history = model.fit(x, epochs=20, batch_size=32, verbose=0).history
    assert history["code_entropy"][-1] < history["code_entropy"][0]
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    assert loaded.regularizers[0].power == 1.5
    np.testing.assert_array_equal(loaded.reconstruct(x), model.reconstruct(x))


def test_the_model_is_found_by_its_name(tmp_path):
    """Its weight of the entropy makes codes sparser."""
    x = np.random.default_rng(0).random((64, 6), np.float32)
    spread = []
    for sparsity in (0.0, 20.0):
        keras.utils.set_random_seed(0)
        model = zoo.create("entropy_autoencoder", (6,), latents=4, hidden=(8,), sparsity=sparsity)
        model.compile("adam", jit_compile=False)
        model.fit(x, epochs=20, verbose=0)
        spread.append(model.evaluate(x, verbose=0, return_dict=True)["code_entropy"])
    assert spread[1] < 0.9 * spread[0]
    model.save(tmp_path / "m.keras")
    np.testing.assert_array_equal(zoo.load_model(tmp_path / "m.keras").encode(x), model.encode(x))
