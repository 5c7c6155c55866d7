from __future__ import annotations

import keras
import numpy as np
import pytest

import zoo
from zoo.recipes.centering import start_at_mean


def digits_like(rows, kind=np.float32):
    """Bright on the left, dark on the right, so that the mean is far from 0."""
    rng = np.random.default_rng(3)
    x = np.clip(np.linspace(1, 0, 12) + 0.2 * rng.standard_normal((rows, 12)), 0, 1)
    return (x * 255).round().astype(kind) if kind == np.uint8 else x.astype(kind)


@pytest.mark.parametrize("kind", [np.float32, np.uint8])
@pytest.mark.parametrize("networks", ["tied", "mlp"])
def test_the_model_then_codes_deviations_from_the_mean(kind, networks):
    x = digits_like(10_000, kind)
    model = zoo.create(
        "k_sparse_autoencoder",
        (12,),
        latents=8,
        k=3,
        networks=networks,
        code_activation="relu",
        scale=255,
    )
    start_at_mean(model, x)
    scaled = x.astype(np.float64) / (255 if kind == np.uint8 else 1)
    mean, kernel = scaled.mean(axis=0), model.bottleneck.dense.kernel.numpy()
    code = np.maximum((scaled[:50] - mean) @ kernel, 0)
    kept = np.where(code >= np.sort(code, axis=1)[:, -3:-2], code, 0)
    back = kernel.T if networks == "tied" else model.decoder.layers[-2].kernel.numpy()
    np.testing.assert_allclose(model.encode(x[:50]), kept, atol=1e-5)
    np.testing.assert_allclose(model.reconstruct(x[:50]), mean + kept @ back, atol=1e-5)


def test_more_units_are_used_than_from_a_start_at_zero():
    """Forty patterns on a bright ground, as many units, two of which are kept."""
    rng = np.random.default_rng(0)
    patterns = rng.standard_normal((40, 30))
    x = (3 + patterns[rng.integers(0, 40, 4000)]).astype(np.float32)

    def used(centred):
        model = zoo.create(
            "k_sparse_autoencoder",
            (30,),
            latents=40,
            k=2,
            code_activation="relu",
            kernel_initializer=keras.initializers.RandomNormal(stddev=0.01, seed=0),
        )
        if centred:
            start_at_mean(model, x)
        model.compile(keras.optimizers.SGD(0.002, momentum=0.9))
        model.fit(x, epochs=10, batch_size=50, verbose=0)
        return int((model.encode(x) > 0).any(axis=0).sum())

    assert used(True) >= 1.5 * used(False) > 0


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("autoencoder", {"hidden": (5,)}),
        ("k_sparse_autoencoder", {"likelihood": "bernoulli"}),
        ("deep_autoencoder", {"hidden": (5,), "likelihood": "squared_error"}),
    ],
)
def test_other_models_are_refused(model, options):
    with pytest.raises(ValueError, match="start_at_mean needs"):
        start_at_mean(zoo.create(model, (12,), latents=2, **options), digits_like(10))


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match="12"):
        start_at_mean(zoo.create("k_sparse_autoencoder", (12,), latents=4, k=1), np.zeros((3, 5)))
