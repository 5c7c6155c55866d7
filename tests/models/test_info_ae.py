import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal
from scipy import special, stats

import zoo
from zoo.bottlenecks import CategoricalStyle
from zoo.networks.dcgan import dcgan_decoder
from zoo.networks.statistics import with_kept_statistics
from zoo.runs.artefacts import load_model
from zoo.serialization import policy

VECTOR = (6,)
SMALL = {
    "info_ae": {"latents": 3, "critic": (4,), "generator": (6,), "classifier": (4,)},
    "info_gan": {"noise_units": 4, "critic": (4,)},
    "adversarial_autoencoder": {"classes": 10, "latents": 3, "hidden": (6,), "critic": (4,)},
}


@pytest.fixture(scope="module", params=SMALL)
def model(request):
    keras.utils.set_random_seed(0)
    made = zoo.create(request.param, VECTOR, seed=2, **SMALL[request.param])
    made.compile()
    made.fit(rows(), batch_size=16, epochs=2, verbose=0)
    return made


def rows():
    return np.random.default_rng(0).random((64, *VECTOR)).astype("float32")


def test_generates_a_label_on_demand(model):
    assert model.generate(8, label=3, seed=0).shape == (8, *VECTOR)
    assert_array_equal(model.generate(8, label=3, seed=0), model.generate(8, label=3, seed=0))
    assert np.abs(model.generate(8, label=3) - model.generate(8, label=4)).max() > 0
    mixed = model.generate(3, label=[3, 4, 3], seed=0)
    assert_allclose(mixed[[0, 2]], model.generate(3, label=3, seed=0)[[0, 2]], atol=1e-6)


def test_a_class_enters_the_generator_at_its_scale():
    """G without hidden layers: codes of two classes and one noise differ by the scaled rows of its kernel."""
    options = {"latents": 3, "classes": 4, "generator": (), "noise_units": 5, "critic": (4,)}
    model = zoo.create("info_ae", VECTOR, label_scale=7.0, **options)
    first, second = (
        model.prior.draw(zoo.Noise(0, 0), 6, 3, label=label).code.numpy() for label in (1, 3)
    )
    rows_of_classes = model.prior.generator.layers[-1].kernel.numpy()[5:]
    expected = np.tile(7.0 * (rows_of_classes[3] - rows_of_classes[1]), (6, 1))
    assert_allclose(second - first, expected, rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match="label_scale"):
        zoo.create("info_ae", VECTOR, label_scale=-1.0, **options)


@pytest.mark.parametrize("label", [10, -1, 0.5, [1, 10], [1, 2, 3], []])
def test_an_unknown_label_is_refused(model, label):
    with pytest.raises(ValueError, match="from 0 to 9"):
        model.generate(2, label=label)


def test_clusters_are_the_classifiers_choice(model):
    codes = model.encode(rows())
    chosen = np.asarray(model.classifier.classify(codes)).argmax(axis=-1)
    assert_array_equal(model.cluster(rows()), chosen)


def test_saving_keeps_clusters_and_generator(model, tmp_path):
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert_array_equal(loaded.cluster(rows()), model.cluster(rows()))
    assert_array_equal(loaded.generate(4, label=1), model.generate(4, label=1))


def test_the_literal_objective_is_equation_1():
    keras.utils.set_random_seed(0)
    weights = {"alpha": 0.7, "beta": 0.5, "gamma": 0.4}
    model = zoo.create("info_ae", VECTOR, **weights, **SMALL["info_ae"])
    model.compile()
    terms = model.evaluate(rows(), verbose=0, return_dict=True)
    error = np.linalg.norm(model.reconstruct(rows()) - rows(), axis=-1).mean()
    assert terms["reconstruction"] == pytest.approx(error, rel=1e-4)
    total = 0.7 * terms["mutual_information"] + 0.4 * error
    total += 0.5 * (terms["self_critic"] + terms["discriminator"])
    assert terms["loss"] == pytest.approx(total, rel=1e-4)
    assert terms["self_critic"] < 0 and terms["discriminator"] < 0  # log(1 - S), log(1 - Di)


def test_info_gan_does_not_train_for_reconstruction():
    model = zoo.create("info_gan", VECTOR, **SMALL["info_gan"])
    model.compile()
    terms = model.evaluate(rows(), verbose=0, return_dict=True)
    assert terms["loss"] == pytest.approx(
        terms["mutual_information"] + terms["discriminator"], rel=1e-4
    )


def test_labels_are_even_and_styles_are_the_priors():
    prior = zoo.get("categorical_style", "prior", classes=4, style="normal")
    prior.build((None, 7))
    draw = prior.draw(zoo.noise.Noise(0, 0), 4000, 7)
    label, code = draw.label.numpy(), draw.code.numpy()
    assert_array_equal(code[:, :4], label)
    assert stats.chisquare(label.sum(axis=0)).pvalue > 0.01
    assert stats.kstest(code[:, 4:].ravel(), "norm").pvalue > 0.01
    uniform = zoo.get("categorical_style", "prior", classes=4, style="uniform")
    code = uniform.draw(zoo.noise.Noise(0, 0), 4000, 7).code.numpy()
    assert stats.kstest(code[:, 4:].ravel(), stats.uniform(-1, 2).cdf).pvalue > 0.01


def test_class_logits_are_normalised_over_the_batch():
    layer = CategoricalStyle(7, classes=4, norm="batch")
    layer.build((None, 5))
    features = np.random.default_rng(0).normal(2, 3, (40, 5)).astype("float32")
    noise = zoo.noise.Noise(0, 0)
    code = layer.draw(tf.constant(features), noise, tf.constant(0), True).value.numpy()
    dense = features @ layer.dense.kernel.numpy() + layer.dense.bias.numpy()
    logits = dense[:, :4]
    logits = 4 * (logits - logits.mean(0)) / np.sqrt(logits.var(0) + 1e-3)
    assert_allclose(code[:, :4], special.softmax(logits, axis=-1), atol=1e-5)
    assert_allclose(code[:, 4:], dense[:, 4:], rtol=1e-5)
    # Encoding uses the moving statistics, so that a code does not depend on the rest of its batch.
    assert_allclose(layer.encode(features[:3]), layer.encode(features)[:3], atol=1e-5)
    with pytest.raises(ValueError, match="batch, none; received 'layer'"):
        CategoricalStyle(7, classes=4, norm="layer")


def test_a_prior_without_labels_refuses_one():
    model = zoo.create("vae", VECTOR, latents=2, hidden=(4,))
    with pytest.raises(ValueError, match="has no labels"):
        model.generate(2, label=1)
    with pytest.raises(ValueError, match="No part of this model classifies"):
        model.cluster(rows())


def test_adversarial_autoencoder_brings_codes_to_the_prior():
    keras.utils.set_random_seed(0)
    data = np.random.default_rng(0).random((2048, 2)).astype("float32")
    model = zoo.create(
        "adversarial_autoencoder",
        (2,),
        latents=2,
        hidden=(32,),
        critic=(32,),
        likelihood={"name": "normal", "scale": 0.3},
        critic_learning_rate=2e-3,
    )
    model.compile(zoo.trainer.Adam(2e-3))

    def distance():
        return max(stats.kstest(unit, "norm").statistic for unit in model.encode(data).T)

    before = distance()
    model.fit(data, batch_size=64, epochs=15, verbose=0)
    assert before > 0.3 and distance() < 0.2


def test_moving_statistics_are_kept():
    network = keras.Sequential([keras.layers.BatchNormalization()])
    network.build((None, 3))
    inputs = np.random.default_rng(0).normal(5, 2, (32, 3)).astype("float32")
    seen = with_kept_statistics(network, inputs).numpy()
    assert_allclose(seen.mean(axis=0), 0, atol=1e-5)  # normalised by the batch
    assert_array_equal(network.layers[0].moving_mean.numpy(), np.zeros(3))
    network(inputs, training=True)
    assert network.layers[0].moving_mean.numpy().min() > 0


@pytest.mark.parametrize("side", [28, 27, 10])
def test_the_decoder_gives_the_shape_asked_for(side):
    decoder = dcgan_decoder((side, side + 1, 2), (4, 4), (8,))
    assert decoder(np.zeros((3, 5), "float32")).shape == (3, side, side + 1, 2)


def test_own_networks_keep_their_number_types_when_loaded(tmp_path):
    """A prior's generator and critics are made by their parts, under the policy of the model's making."""
    with policy("mixed_bfloat16"):
        made = zoo.create("info_ae", VECTOR, **SMALL["info_ae"])
    made.save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    kinds = [[la.compute_dtype for la in m._flatten_layers()] for m in (made, loaded)]
    assert kinds[0] == kinds[1] and "bfloat16" in kinds[0]
    assert_array_equal(loaded.generate(4, seed=0), made.generate(4, seed=0))
    assert keras.config.dtype_policy().name == "float32"
