"""Networks of windows of time series."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import special, stats

import zoo
from zoo.networks import build_networks
from zoo.trainer.slices import why_whole

# Sums of two sines of their own phases in each of three channels.
TIME = np.arange(32)[:, None]
PHASES = np.random.default_rng(0).uniform(0, 2 * np.pi, (256, 1, 1))
WINDOWS = np.float32(np.sin(0.4 * TIME * np.array([1.0, 0.5, 1.5]) + PHASES))


@pytest.mark.parametrize("networks", ["conv1d", "gru"])
def test_default_sizes_take_windows_of_128_steps_of_6_channels(networks):
    encoder, decoder = build_networks(networks, (128, 6), None)
    features = encoder(np.zeros((2, 128, 6), "float32"))
    assert len(features.shape) == 2
    assert decoder(np.zeros((2, 10), "float32")).shape == (2, 128, 6)
    weights = encoder.count_params() + decoder.count_params()
    assert 1e5 < weights < 1e6


@pytest.mark.parametrize(("networks", "hidden"), [("conv1d", (8, 8)), ("gru", (16,))])
def test_a_window_is_learned(networks, hidden):
    """One phase decides a window; half of the variance is explained after some steps."""
    keras.utils.set_random_seed(0)
    model = zoo.create(
        "autoencoder",
        (32, 3),
        latents=4,
        networks=networks,
        hidden=hidden,
        likelihood="squared_error",
        seed=0,
    )
    model.compile(keras.optimizers.Adam(1e-2), jit_compile=False)
    model.fit(WINDOWS, batch_size=32, epochs=12, verbose=0)
    error = np.square(model.reconstruct(WINDOWS) - WINDOWS).mean()
    assert error < 0.5 * WINDOWS.var()


@pytest.mark.parametrize(
    ("networks", "likelihood"),
    [
        ("conv1d", "poisson"),
        ("conv1d", "negative_binomial"),
        ("conv1d", "categorical"),
        ("gru", "categorical"),
    ],
)
def test_windows_of_counts_and_of_tokens(networks, likelihood):
    """128 steps of 6 channels, by SciPy's densities of the means and variances that the decoder gives."""
    x = np.random.default_rng(0).integers(0, 4, (3, 128, 6)).astype("float32")
    part = {"name": likelihood, "levels": 4} if likelihood == "categorical" else likelihood
    small = {"networks": networks, "hidden": (4,), "latents": 2, "seed": 0}
    model = zoo.create("vae", (128, 6), likelihood=part, **small)
    found = model.conditional(model.encode(x))
    log_prob, mean = found.log_prob(x), np.float64(model.reconstruct(x))
    if likelihood == "poisson":
        expected = stats.poisson(mean).logpmf(x).sum(axis=(1, 2))
    elif likelihood == "negative_binomial":
        size = mean**2 / (found.variance() - mean)
        expected = stats.nbinom(size, size / (size + mean)).logpmf(x).sum(axis=(1, 2))
    else:
        chances = special.log_softmax(found.distribution.logits, axis=-1)
        own = np.take_along_axis(chances, np.int64(x)[..., None], axis=-1)
        expected = own.sum(axis=(1, 2, 3))
        assert_allclose(mean, chances.argmax(axis=-1))
    assert_allclose(log_prob, expected, rtol=1e-3)
    assert model.generate(2, seed=0).shape == (2, 128, 6)


@pytest.mark.parametrize("networks", ["conv1d", "gru"])
@pytest.mark.parametrize(
    ("shape", "hint"), [((8,), r"Add the channel axis"), ((8, 8, 1), "Use networks='conv'")]
)
def test_what_is_not_a_window_is_refused(networks, shape, hint):
    with pytest.raises(ValueError, match=rf"needs windows of shape \(time, channels\).*{hint}"):
        zoo.create("vae", shape, networks=networks)


def test_a_gru_has_an_activation_of_its_own():
    with pytest.raises(ValueError, match="activation has no effect on networks='gru'"):
        zoo.create("vae", (8, 2), networks="gru", activation="relu")


def test_series_are_computed_whole():
    """An export of convolutions along time in slices fails in TensorFlow 2.21."""
    for networks in build_networks("conv1d", (8, 2), (4, 4)):
        assert "Conv1D" in (why_whole([networks], training=False) or "")
