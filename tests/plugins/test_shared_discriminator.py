import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import log_softmax

import zoo
from zoo.networks import mlp
from zoo.noise import Noise

VECTOR = (6,)


@pytest.fixture
def x():
    return np.random.default_rng(0).random((32, *VECTOR)).astype("float32")


def gan(**options):
    keras.utils.set_random_seed(0)
    given = {"classes": 3, "styles": 2, "noise_units": 2, "critic": (5,), "norm": "none"}
    return zoo.create("info_gan", VECTOR, shared=True, **{**given, **options})


def softplus(values):
    return np.log1p(np.exp(np.asarray(values, "float64")))


def test_the_loss_is_that_of_both_tasks(x):
    model = gan(information=2.0)
    critic = model.critics[0]
    forward = model.forward(x, Noise(3, 0), training=True)
    made = forward.generated
    trunk, unit = critic.shared, critic.unit
    real, fake = unit(trunk(x))[:, 0], unit(trunk(made.picture))[:, 0]
    code, recoded = made.code.numpy(), model.bottleneck.encode(model.encoder(made.picture)).numpy()
    label = made.label.numpy().argmax(axis=1)
    read = log_softmax(np.log(recoded[:, :3] + 1e-8), axis=1)[np.arange(len(x)), label]
    gap = 0.5 * ((code[:, 3:5] - recoded[:, 3:5]) ** 2).sum(axis=1)
    expected = softplus(-real).mean() + softplus(fake).mean() + 2 * (gap - read).mean()
    assert_allclose(critic.critic_loss(forward), expected, rtol=1e-5)
    assert_allclose(critic.penalty(forward), softplus(-fake), rtol=1e-5)


@pytest.mark.parametrize("fakes", ["both", "reconstructed"])
def test_reconstructions_are_to_look_real_too(x, fakes):
    keras.utils.set_random_seed(0)
    given = {"latents": 2, "classes": 3, "noise_units": 2, "critic": (5,), "norm": "none"}
    model = zoo.create("info_ae", VECTOR, shared=True, alpha=2.0, **given)
    critic = model.critics[1]
    critic.fakes = fakes
    forward = model.forward(x, Noise(3, 0), training=True)
    made, rebuilt = forward.generated, forward.output.mean()
    trunk, unit = critic.shared, critic.unit
    real, fake = unit(trunk(x))[:, 0], unit(trunk(made.picture))[:, 0]
    again = unit(trunk(rebuilt))[:, 0]
    label = made.label.numpy().argmax(axis=1)
    codes = model.bottleneck.encode(model.encoder(made.picture))
    read = log_softmax(model.classifier.classify(codes), axis=1)[np.arange(len(x)), label]
    told = fake if fakes == "both" else again
    expected = softplus(-real).mean() + softplus(told).mean() - 2 * read.mean()
    assert_allclose(critic.critic_loss(forward), expected, rtol=1e-4)
    fooled = -softplus(again) - (softplus(fake) if fakes == "both" else 0)  # the form "saturating"
    assert_allclose(critic.penalty(forward), fooled, rtol=1e-4)


def test_the_critics_optimizer_trains_the_shared_layers_and_the_models_the_rest(x):
    def moved(rate, critic_rate):
        model = gan(critic_learning_rate=critic_rate)
        model.compile(keras.optimizers.SGD(rate))
        shared, own = model.critics[0].critic_variables, model.model_variables
        before = [[v.numpy() for v in some] for some in (shared, own)]
        model.fit(x, batch_size=32, verbose=0)
        return [
            [np.abs(old - v.numpy()).max() > 1e-20 for old, v in zip(olds, some, strict=True)]
            for olds, some in zip(before, (shared, own), strict=True)
        ]

    shared, own = moved(0.0, 1e-2)
    assert all(shared) and not any(own)
    shared, own = moved(1e-2, 1e-30)
    assert not any(shared) and all(own)


def test_information_reaches_the_shared_layers(x):
    """Without the task of telling real from fake, the critic's step still makes the codes be read."""
    model = gan(information=1.0)
    critic = model.critics[0]
    forward = model.forward(x, Noise(3, 0), training=True)
    with tf.GradientTape() as tape:
        loss = critic.critic_loss(forward)
    both = tape.gradient(loss, critic.shared.trainable_variables)
    model.regularizers[0].weight = 0.0
    with tf.GradientTape() as tape:
        loss = critic.critic_loss(forward)
    one = tape.gradient(loss, critic.shared.trainable_variables)
    assert all(np.abs(a - b).max() > 1e-6 for a, b in zip(both, one, strict=True))


def test_encode_reads_the_shared_layers(x, tmp_path):
    model = gan()
    before = model.encode(x)
    trunk = model.critics[0].shared.trainable_variables[0]
    trunk.assign(trunk + 1.0)
    assert np.abs(model.encode(x) - before).max() > 1e-4
    model.save(tmp_path / "gan.keras")
    assert_array_equal(zoo.load_model(tmp_path / "gan.keras").encode(x), model.encode(x))


def test_own_layers_of_the_encoder_are_normalised():
    """Appendix C.1 of the InfoGAN paper: 'FC. 128-batchnorm-lRELU-FC. output' for Q."""
    encoder = gan(norm="batch").encoder
    own = [type(layer).__name__ for layer in encoder.layers[1].layers]
    assert [name for name in own if name in ("Dense", "BatchNormalization", "LeakyReLU")] == [
        "Dense",
        "BatchNormalization",
        "LeakyReLU",
    ]
    shared = [type(layer).__name__ for layer in encoder.layers[0].layers]
    assert "BatchNormalization" not in shared  # of one layer, which is the first


def test_what_cannot_be_shared_is_refused():
    with pytest.raises(ValueError, match=r"received hidden=\(4,\)"):
        zoo.get("shared_discriminator", hidden=(4,))
    with pytest.raises(ValueError, match="generated, reconstructed; received 'all'"):
        zoo.get("shared_discriminator", fakes="all")
    networks = zoo.networks.Networks(mlp([4]), mlp([4], VECTOR))
    with pytest.raises(ValueError, match="begins with a layer named 'shared'"):
        gan(networks=networks)
    with pytest.raises(ValueError, match="needs a model with a prior"):
        zoo.create(
            "autoencoder",
            VECTOR,
            latents=2,
            networks=zoo.networks.Networks(
                keras.Sequential([keras.layers.Dense(4, name="shared")]), mlp([4], VECTOR)
            ),
            regularizers=["shared_discriminator"],
        )
