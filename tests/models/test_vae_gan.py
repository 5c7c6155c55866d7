"""VAE/GAN against NumPy: the error of the critic's features, and who learns from what."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import zoo
from tests.conftest import make_vectors

OPTIONS = {"latents": 2, "hidden": (8,), "critic": (5, 4), "norm": "none", "seed": 1}


def hidden_layer(model, x, depth):
    """F in NumPy."""
    weights = model.regularizers[-1].critic.get_weights()
    for kernel, bias in zip(weights[: 2 * depth : 2], weights[1 : 2 * depth : 2], strict=True):
        x = x @ kernel + bias
        x = np.where(x > 0, x, 0.2 * x)
    return x


@pytest.mark.parametrize(("layer", "depth"), [(0, 1), (-1, 2)])
def test_the_error_is_that_of_the_features(layer, depth):
    x = make_vectors(40, 6)
    model = zoo.create("vae_gan", (6,), layer=layer, adversarial=0.0, beta=0.0, **OPTIONS)
    model.bottleneck.dense.bias.assign(np.float32([0.3, -0.2, -20, -20]))  # q(z|x) is a point
    model.compile(jit_compile=False)
    found = model.evaluate(x, verbose=0, return_dict=True)
    gap = hidden_layer(model, x, depth) - hidden_layer(model, model.reconstruct(x), depth)
    expected = np.square(gap).sum(axis=1).mean() / 2
    assert_allclose(found["feature_discriminator"], expected, rtol=1e-3)
    assert_allclose(found["loss"], expected, rtol=1e-3)  # pixels are not trained for
    assert_allclose(model.regularizers[-1].features(x), hidden_layer(model, x, depth), rtol=1e-4)


def test_the_encoder_does_not_learn_from_generated_pictures():
    after = {}
    for adversarial in (0.0, 5.0):
        model = zoo.create("vae_gan", (6,), adversarial=adversarial, **OPTIONS)
        model.compile(keras.optimizers.SGD(0.1), jit_compile=False)
        model.fit(make_vectors(16, 6), batch_size=16, epochs=1, verbose=0)
        after[adversarial] = model
    first, second = after.values()
    for one, other in zip(first.encoder.get_weights(), second.encoder.get_weights(), strict=True):
        assert_array_equal(one, other)
    kernels = [m.decoder.get_weights()[0] for m in (first, second)]
    assert np.abs(kernels[0] - kernels[1]).max() > 1e-4


def test_pixels_come_right_by_the_features_alone():
    # A layer that is wider than x tells all x apart.
    rows = np.repeat(np.float32([[1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]]), 64, axis=0)
    wide = {**OPTIONS, "critic": (32, 4), "layer": 0}
    model = zoo.create("vae_gan", (6,), features=20.0, adversarial=0.1, **wide)
    model.compile(zoo.trainer.Adam(1e-2), jit_compile=False)
    history = model.fit(rows, batch_size=32, epochs=40, verbose=0).history
    assert history["reconstruction"][-1] < 0.3 * history["reconstruction"][0]


def test_what_it_cannot_take():
    with pytest.raises(ValueError, match="must lie between -2 and 1"):
        zoo.create("vae_gan", (6,), layer=2, **OPTIONS)
    with pytest.raises(ValueError, match="must be 'generated'"):
        zoo.get("feature_discriminator", fakes="both")
