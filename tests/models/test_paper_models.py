"""The models of the papers: what their parts compute, against closed forms and NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import zoo
from zoo.models import options
from zoo.runs.artefacts import load_model

RNG = np.random.default_rng(0)
PICTURES = RNG.random((12, 8, 8, 1), np.float32)
VECTORS = RNG.normal(size=(200, 6)).astype(np.float32) * [3, 2, 1, 0.5, 0.3, 0.2]


def kernels(model):
    return [v.numpy() for v in model.model_variables if len(v.shape) == 2]


def test_linear_autoencoder_is_affine_and_tied_shares_its_kernel():
    tied = zoo.create("linear_autoencoder", (6,), latents=2, tied=True)
    x = VECTORS.astype(np.float32)
    (kernel,) = kernels(tied)
    np.testing.assert_allclose(tied.reconstruct(x), x @ kernel @ kernel.T, rtol=1e-4, atol=1e-5)
    assert len(kernels(zoo.create("linear_autoencoder", (6,), latents=2))) == 2


def test_deep_autoencoder_has_the_published_layers_and_a_linear_code():
    model = zoo.create("deep_autoencoder", (28, 28, 1))
    shapes = [kernel.shape for kernel in kernels(model)]
    down = [(784, 1000), (1000, 500), (500, 250), (250, 2)]
    assert shapes == down + [shape[::-1] for shape in reversed(down)]
    layer = model.bottleneck.dense
    assert layer.activation.__name__ == "linear"
    assert {la.activation.__name__ for la in model.encoder.layers[1:]} == {"sigmoid"}


def test_info_vae_weighs_kl_and_mmd_as_its_equation():
    model = zoo.create("info_vae", (6,), alpha=0.25, lam=5.0, latents=2, hidden=(4,), beta=2.0)
    weights = {r.name: r.weight for r in model.regularizers}
    assert weights == {"kl": pytest.approx(1.5), "mmd": pytest.approx(4.25)}


def test_info_vae_of_a_deterministic_encoder_has_no_kl():
    model = zoo.create("info_vae", (6,), posterior=None, latents=2, hidden=(4,))
    assert [r.name for r in model.regularizers] == ["mmd"]
    assert model.posterior(np.full((3, 6), 0.5, np.float32)) is None
    assert model.generate(3).shape == (3, 6)


@pytest.mark.parametrize(
    "settings", [{"alpha": 1.5}, {"alpha": 0.2, "lam": 0.5}, {"alpha": 0.5, "posterior": None}]
)
def test_info_vae_refuses_weights_that_are_none(settings):
    with pytest.raises(ValueError, match="alpha"):
        zoo.create("info_vae", (6,), latents=2, **settings)


def test_uniform_to_gaussian_reports_the_squared_weights():
    model = zoo.create("uniform_to_gaussian_vae", (2,), weight_decay=0.5)
    model.compile("adam")
    x = RNG.random((64, 2), np.float32)
    terms = model.evaluate(x, return_dict=True, verbose=0)
    squares = sum(float((kernel**2).sum()) for kernel in kernels(model))
    assert terms["weight_decay"] == pytest.approx(squares, rel=1e-4)
    total = terms["reconstruction"] + 0.005 * terms["kl"] + 0.5 * squares
    assert terms["loss"] == pytest.approx(total, rel=1e-4)


@pytest.mark.parametrize("name", ["beta_vae_shapes", "beta_vae_chairs", "dc_ign"])
def test_architectures_of_the_table(name):
    model = zoo.create(name, (64, 64, 1))
    assert model.decode(np.zeros((2, model.units), np.float32)).shape == (2, 64, 64, 1)
    networks = [getattr(net, "network", net) for net in (model.encoder, model.decoder)]
    layers = [la for net in networks for la in net.layers]
    found = [getattr(la, "filters", getattr(la, "units", None)) for la in layers]
    expected = {
        "beta_vae_shapes": [1200, 1200, 1200, 1200, 1200, 4096],
        "beta_vae_chairs": [32, 32, 64, 64, 256, 256, 1024, 64, 32, 32, 1],
        "dc_ign": [96, 48, 48, 3072, 48, 96, 1],
    }
    assert [size for size in found if size is not None] == expected[name]
    assert model.units == {"beta_vae_chairs": 32}.get(name, 10)
    with pytest.raises(ValueError, match="hidden has no effect"):
        zoo.create(name, (64, 64, 1), hidden=(3,))


def test_info_gan_of_the_table_has_its_layers_on_those_of_the_discriminator():
    model = zoo.create(
        "info_gan",
        (16, 16, 1),
        networks="info_gan",
        classes=1,
        styles=5,
        noise_units=5,
        shared=True,
    )

    def sizes(*networks):
        layers = [la for network in networks for la in network.layers]
        return [n for la in layers if (n := getattr(la, "filters", getattr(la, "units", None)))]

    assert sizes(*model.encoder.layers) == [64, 128, 256, 256, 128]
    assert sizes(model.decoder) == [256, 256, 4 * 4 * 128, 64, 1]
    activations = {
        la.activation.__name__ for la in model.decoder.layers if hasattr(la, "activation")
    }
    assert activations == {"tanh", "linear"}
    (critic,) = model.critics
    assert critic.shared is model.encoder.layers[0] and critic.unit.layers[-2].units == 1
    codes = zoo.get("categorical_style", "prior", classes=1, style="uniform")
    assert model.units == 11 and type(model.prior) is type(codes)
    own = {id(v) for v in critic.critic_variables}
    assert {id(v) for v in critic.shared.trainable_variables} <= own
    assert not own & {id(v) for v in model.model_variables}


def test_pooled_networks_take_pictures_whose_sides_are_odd():
    model = zoo.create("dc_ign", (11, 13, 2))
    assert model(np.zeros((2, 11, 13, 2), np.float32)).shape == (2, 11, 13, 2)


def test_two_template_vae_is_one_sigmoid_layer_each_way():
    model = zoo.create("two_template_vae", (10, 10, 1))
    assert [kernel.shape for kernel in kernels(model)] == [(100, 4), (2, 100)]
    z = np.array([[0.3, -2.0]], np.float32)
    logits = z @ kernels(model)[1]
    expected = 1 / (1 + np.exp(-logits))
    np.testing.assert_allclose(model.decode(z).reshape(1, 100), expected, rtol=1e-5)


@pytest.mark.parametrize("probes", [None, 40])
def test_contractive_penalty_is_that_of_its_closed_form(probes):
    model = zoo.create(
        "contractive_autoencoder", (8, 8, 1), latents=5, probes=probes, contraction=2.0
    )
    model.compile("adam")
    terms = model.evaluate(PICTURES, return_dict=True, verbose=0)
    z = model.encode(PICTURES)
    kernel = kernels(model)[0]
    exact = (((z * (1 - z)) ** 2) @ (kernel**2).sum(axis=0)).mean()
    assert terms["contractive"] == pytest.approx(exact, rel=1e-4 if probes is None else 0.25)


def test_contractive_and_weight_decay_load_again(tmp_path):
    import keras

    model = zoo.create(
        "contractive_autoencoder", (8, 8, 1), latents=5, regularizers=["weight_decay"]
    )
    model.compile("adam")
    model.fit(PICTURES, epochs=1, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    first, second = (m.evaluate(PICTURES, return_dict=True, verbose=0) for m in (model, loaded))
    assert first == pytest.approx(second)


def test_dropout_autoencoder_drops_in_training_only():
    model = zoo.create("dropout_autoencoder", (8, 8, 1), latents=20)
    np.testing.assert_array_equal(model.encode(PICTURES), model.encode(PICTURES))
    assert model.bottleneck.dropout == 0.5
    assert options("dropout_autoencoder")["latents"] == 1000


def test_info_vae_takes_a_schedule_where_it_need_not_scale_it():
    rising = zoo.recipes.WarmUp(1.0, 10)
    model = zoo.create("info_vae", (6,), alpha=0, lam=5.0, beta=rising, latents=2, hidden=(4,))
    assert {r.name: r.weight for r in model.regularizers}["kl"] is rising
    with pytest.raises(ValueError, match=r"needs alpha=0; received alpha=0\.5"):
        zoo.create("info_vae", (6,), alpha=0.5, beta=rising, latents=2, hidden=(4,))


@pytest.mark.parametrize(("p", "alpha"), [(0.2, 0.01), (0.18, 0.01), (0.05, 0.01), (0.07, 1.0)])
def test_lp_prior_only_where_its_draws_are_numbers(p, alpha):
    model = zoo.create("lp_autoencoder", (6,), latents=2, hidden=(), p=p, alpha=alpha)
    assert (model.prior is None) == (p < 0.2)
    if model.prior is not None:
        assert np.isfinite(model.sample_prior(4000, 0).numpy() ** 2).all()


def test_a_gaussian_vae_trains_on_standardised_pictures():
    data = zoo.data.load("basis_patches", n=64)
    model = zoo.create("vae", data.inputs.shape[1:], likelihood="normal", latents=2, hidden=(4,))
    model.compile("adam", jit_compile=False)
    model.fit(data.inputs, batch_size=16, epochs=1, verbose=0)
    bernoulli = zoo.create("vae", data.inputs.shape[1:], latents=2, hidden=(4,))
    bernoulli.compile("adam", jit_compile=False)
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\]"):
        bernoulli.fit(data.inputs, batch_size=16, verbose=0)


@pytest.mark.parametrize("name", ["discriminator", "self_critic", "kl"])
def test_several_samples_train_with_generated_pictures(name):
    model = zoo.create(
        "vae", (6,), latents=2, hidden=(4,), samples=2, likelihood="normal",
        regularizers=[] if name == "kl" else [name],
    )  # fmt: skip
    model.compile("adam", jit_compile=False)
    model.fit(VECTORS[:32], batch_size=16, epochs=2, verbose=0)
    assert np.isfinite(model.history.history["loss"]).all()


@pytest.mark.parametrize(
    "part", ["encoder", "decoder", "bottleneck", "likelihood", "prior", "regularizers"]
)
def test_a_frozen_part_stays_frozen_when_saved(part, tmp_path):
    parts = zoo.create("vae", (8, 8, 1), hidden=(4,))
    model = zoo.Autoencoder(
        (8, 8, 1), parts.encoder, parts.bottleneck, parts.decoder, prior="generator",
        likelihood={"name": "normal", "scale": "learned"}, regularizers=["self_critic"],
    )  # fmt: skip
    whole = len(model.trainable_variables)
    for layer in np.ravel(getattr(model, part)):
        layer.trainable = False
    assert 0 < len(model.trainable_variables) < whole
    model.save(tmp_path / "frozen.keras")
    loaded = load_model(tmp_path / "frozen.keras")
    assert len(loaded.trainable_variables) == len(model.trainable_variables)


@pytest.mark.parametrize("name", ["model.h5", "model.hdf5"])
def test_a_model_is_not_saved_where_it_cannot_be_read(name, tmp_path):
    model = zoo.create("vae", (6,), latents=2, hidden=(4,))
    with pytest.raises(ValueError, match=r"saved to a \.keras file"):
        model.save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_critic_serves_one_model():
    critic = zoo.get("self_critic", kind="regularizer")
    zoo.create("vae", (6,), latents=2, hidden=(4,), regularizers=[critic])
    with pytest.raises(ValueError, match="'self_critic' has the weights of another model"):
        zoo.create("vae", (6,), latents=2, hidden=(4,), regularizers=[critic])


@pytest.mark.parametrize(
    ("name", "option"), [("annealed_vae", "beta"), ("denoising_autoencoder", "corruption")]
)
def test_an_option_without_a_place_is_no_option(name, option):
    assert option not in options(name)
    with pytest.raises(ValueError, match=f"{name!r} has no option {option!r}"):
        zoo.create(name, (6,), latents=2, hidden=(4,), **{option: 2.0})
