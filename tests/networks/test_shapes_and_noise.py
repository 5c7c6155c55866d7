"""Networks of every shape, the tied decoder, and corruption."""

import keras
import numpy as np
import pytest
import scipy
import tensorflow as tf

import zoo
from zoo.networks import GaussianNoise, MaskingNoise, build_networks, conv_decoder, conv_encoder
from zoo.noise import Noise


@pytest.mark.parametrize("shape", [(8, 8, 1), (28, 28, 1), (7, 5, 3), (64, 64, 1)])
def test_convolutions_give_back_the_shape_of_any_picture(shape):
    encoder, decoder = build_networks("conv", shape, (4, 6))
    features = encoder(tf.zeros((2, *shape)))
    assert len(features.shape) == 2
    assert decoder(tf.zeros((2, 3))).shape == (2, *shape)


@pytest.mark.parametrize(
    ("shape", "most"),
    [
        ((8, 8, 1), 0.5e6),
        ((28, 28, 1), 1.5e6),
        ((64, 64, 3), 3e6),
        ((128, 128, 3), 6e6),
        ((5, 90, 2), 3e6),
    ],
)
def test_the_default_convolutions_are_of_a_sane_size(shape, most):
    model = zoo.create("vae", shape, networks="conv")
    assert model.count_params() <= most
    assert model.decoder(tf.zeros((2, 10))).shape == (2, *shape)


@pytest.mark.parametrize("side", [28, 128])
def test_the_default_convolutions_keep_the_scale_of_a_signal(side):
    """He et al. 2015: the mean square of the features is that of the input, to a factor of 3."""
    encoder, decoder = build_networks("conv", (side, side, 3), None)
    draw = np.random.default_rng(0).normal
    for network, shape in ((encoder, (4, side, side, 3)), (decoder, (64, 10))):
        value = tf.constant(draw(size=shape).astype("float32"))
        for layer in network.layers[:-1]:
            value = layer(value)
        assert 0.3 < float(tf.reduce_mean(value**2)) < 3, network.name


def test_convolutions_take_a_layer_as_activation(tmp_path):
    leaky = keras.layers.LeakyReLU(negative_slope=0.1)
    encoder = conv_encoder((4, 6), (5,), activation=leaky)
    x = np.random.default_rng(0).random((8, 8, 8, 1), np.float32)
    model = zoo.create(
        "vae", (8, 8, 1), latents=2, networks=(encoder, conv_decoder((4, 6), (8, 8, 1), (5,)))
    )
    model.compile("adam")
    model.fit(x, verbose=0)
    first = encoder.layers[0]
    before = tf.nn.conv2d(x, first.kernel, 2, "SAME") + first.bias
    np.testing.assert_allclose(first(x), np.where(before > 0, before, 0.1 * before), atol=1e-6)
    assert np.min(first(x)) < 0
    model.save(tmp_path / "leaky.keras")
    loaded = zoo.load_model(tmp_path / "leaky.keras")
    np.testing.assert_array_equal(loaded.encode(x), model.encode(x))


def test_filters_and_dense_units_are_those_that_are_named():
    before = {"name": "conv", "hidden": (64, 128), "dense": (1024,)}
    encoder, decoder = build_networks(before, (8, 8, 1), None)
    encoder(tf.zeros((1, 8, 8, 1)))
    decoder(tf.zeros((1, 10)))
    sides = 16 * 64 + 64, 16 * 64 * 128 + 128, 512 * 1024 + 1024
    assert encoder.count_params() == sum(sides)
    back = 10 * 1024 + 1024, 1024 * 512 + 512, 16 * 128 * 64 + 64, 16 * 64 + 1
    assert decoder.count_params() == sum(back)
    assert not any(
        isinstance(la, keras.layers.Dense) for la in build_networks("conv", (8, 8, 1), 4)[0].layers
    )


@pytest.mark.parametrize("shape", [(5,), (4, 3), (3, 2, 2), (2, 2, 2, 2)])
def test_dense_networks_take_any_shape(shape):
    encoder, decoder = build_networks("mlp", shape, (7, 3))
    assert encoder(tf.zeros((2, *shape))).shape == (2, 3)
    assert decoder(tf.zeros((2, 4))).shape == (2, *shape)
    widths = [layer.units for layer in decoder.layers if isinstance(layer, keras.layers.Dense)]
    assert widths[:2] == [3, 7]


def test_a_deep_tied_decoder_is_the_transposed_encoder():
    model = zoo.create("autoencoder", (5,), latents=2, hidden=(4,), networks="tied")
    code = np.random.default_rng(0).normal(size=(3, 2)).astype("float32")
    hidden = next(la for la in model.encoder.layers if isinstance(la, keras.layers.Dense))
    up = np.maximum(code @ model.bottleneck.dense.kernel.numpy().T, 0) @ hidden.kernel.numpy().T
    np.testing.assert_allclose(model.decoder(code), up, atol=1e-5)
    shared = {id(v) for v in (hidden.kernel, model.bottleneck.dense.kernel)}
    assert sum(id(v) in shared for v in model.trainable_variables) == 2


def test_a_gated_layer_lets_through_what_its_gate_says(tmp_path):
    encoder = zoo.networks.mlp((4,), activation="gated")
    x = np.random.default_rng(0).normal(size=(3, 5)).astype("float32")
    encoder(x)
    kernel, bias = (w.numpy() for w in encoder.trainable_variables)
    kernel, bias = kernel.astype(np.float64), bias + np.linspace(-1, 1, 8)
    encoder.trainable_variables[1].assign(bias)
    linear = x @ kernel + bias
    expected = linear[:, :4] * scipy.special.expit(linear[:, 4:])
    np.testing.assert_allclose(encoder(x), expected, atol=1e-6)
    encoder.save(tmp_path / "gated.keras")
    again = keras.saving.load_model(tmp_path / "gated.keras")
    np.testing.assert_allclose(again(x), expected, atol=1e-6)


def test_a_model_with_gated_layers_trains_and_comes_back(tmp_path):
    model = zoo.create("vae", (5,), latents=2, hidden=(4, 3), activation="gated", seed=0)
    x = np.random.default_rng(0).integers(0, 2, (64, 5)).astype("float32")
    model.compile("adam")
    losses = model.fit(x, batch_size=16, epochs=8, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    model.save(tmp_path / "model.keras")
    again = zoo.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.encode(x), model.encode(x))


def test_masking_sets_the_share_of_elements_to_zero_and_leaves_the_rest():
    x = tf.ones((400, 30))
    seen = MaskingNoise(0.3).corrupt(x, Noise(0, 1)).numpy()
    assert set(np.unique(seen)) == {0.0, 1.0}
    assert (seen == 0).mean() == pytest.approx(0.3, abs=4 * np.sqrt(0.21 / seen.size))


def test_gaussian_noise_has_the_deviation_that_was_asked_for():
    noise = GaussianNoise(0.5).corrupt(tf.zeros((400, 50)), Noise(0, 1)).numpy()
    assert noise.mean() == pytest.approx(0, abs=4 * 0.5 / np.sqrt(noise.size))
    assert noise.std() == pytest.approx(0.5, rel=0.03)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"networks": "cnn"}, "Unknown network 'cnn'"),
        ({"networks": "conv"}, "needs pictures"),
        ({"networks": "tied", "activation": "gated"}, "gated' is for networks='mlp'"),
        ({"networks": (1, 2)}, "pair"),
        ({"hidden": (4, 0)}, "hidden"),
        ({"input_shape": ()}, "input_shape"),
        ({"input_shape": (0,)}, "input_shape"),
    ],
)
def test_bad_networks(options, message):
    with pytest.raises(ValueError, match=message):
        zoo.create("autoencoder", **{"input_shape": (4,), **options})


def test_a_decoder_of_another_shape_is_told():
    encoder, decoder = keras.layers.Dense(4), keras.layers.Dense(5)
    with pytest.raises(ValueError, match=r"decoder must give \(batch, 4\)"):
        zoo.create("autoencoder", (4,), networks=(encoder, decoder))


@pytest.mark.parametrize("networks", ["mlp", "conv", "tied"])
def test_a_summary_names_the_networks(networks):
    model = zoo.create("autoencoder", (16, 16, 1), latents=2, hidden=(4,), networks=networks)
    lines = []
    model.summary(print_fn=lambda text, **_: lines.append(text))
    assert "encoder (" in "".join(lines) and "decoder (" in "".join(lines)
    assert "sequential" not in "".join(lines)


def test_a_summary_names_own_networks_and_shows_every_shape():
    layers = keras.layers
    code = keras.Input((2,))
    networks = keras.Sequential([layers.Dense(4)]), keras.Model(code, layers.Dense(6)(code))
    noise = {"corruption": MaskingNoise(0.1), "regularizers": ["l1"], "prior": "normal"}
    model = zoo.create("autoencoder", (6,), latents=2, networks=networks, **noise)
    lines = []
    model.summary(print_fn=lambda text, **_: lines.append(text))
    shown = "".join(lines)
    assert "encoder (Sequential)" in shown and "decoder (Functional)" in shown
    assert "?" not in shown and "(None, 6)" in shown and "(None, 2)" in shown
    own = keras.Sequential([layers.Dense(4)], name="mine")
    model = zoo.create("autoencoder", (6,), latents=2, networks=(own, layers.Dense(6)))
    assert model.encoder.name == "mine" and model.decoder.name == "decoder"


@pytest.mark.parametrize(("hidden", "linear"), [(None, True), ((4, 6), False)])
def test_the_first_map_of_the_default_decoder_is_linear(hidden, linear):
    """And that of networks whose filters are named is as it was."""
    decoder = zoo.networks.build_networks("conv", (28, 28, 1), hidden).decoder
    place = next(i for i, la in enumerate(decoder.layers) if isinstance(la, keras.layers.Reshape))
    names = [layer.activation.__name__ for layer in decoder.layers[:place]]
    assert names[-1] == ("linear" if linear else "relu")
    assert all(name == "relu" for name in names[:-1])


def test_counts_with_gaussian_noise_stay_finite():
    """Noise brings counts below -1, whose logarithm the encoder is shown."""
    x = np.random.default_rng(0).poisson(1.0, (64, 6))
    options = {"likelihood": "poisson", "noise": "gaussian", "level": 0.9}
    model = zoo.create("denoising_autoencoder", (6,), latents=2, hidden=(4,), **options)
    model.compile("adam", jit_compile=False)
    assert np.isfinite(model.fit(x, epochs=2, verbose=0).history["loss"]).all()
