"""The game of the categorical GAN against its formulas."""

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import softmax
from scipy.stats import entropy

import zoo
from tests.conftest import make_vectors
from zoo.batch import Batch


@pytest.fixture(scope="module")
def model():
    made = zoo.create("cat_gan", (6,), classes=3, noise_units=4, hidden=(8,), seed=0)
    random = np.random.default_rng(0)
    made.bottleneck.set_weights([3 * random.normal(size=w.shape) for w in made.bottleneck.weights])
    return made


def parts(model, x):
    """Mean entropy of the rows' classes, and entropy of their mean."""
    chances = model.encode(x)[:, :3]
    return entropy(chances, axis=1).mean(), entropy(chances.mean(axis=0))


def test_the_two_losses_are_those_of_the_paper(model):
    x = make_vectors(20, 6)
    forward = model.forward(Batch(tf.constant(x)), zoo.Noise(0, 0), training=True)
    (term,) = model.regularizers
    made = forward.generated.picture.numpy()
    (sure, even), (fake_sure, fake_even) = parts(model, x), parts(model, made)
    assert_allclose(term.penalty(forward, True), fake_sure - fake_even, rtol=1e-4, atol=1e-5)
    expected = sure - even - fake_sure
    assert_allclose(term.critic_loss(forward), expected, rtol=1e-4, atol=1e-5)


def test_the_classifier_is_trained_by_its_own_loss_alone(model):
    owned = {id(v) for v in model.regularizers[0].critic_variables}
    first = (*model.encoder.trainable_variables, *model.bottleneck.trainable_variables)
    assert owned == {id(v) for v in first}
    trained = {id(v) for v in model.model_variables}
    assert trained == {id(v) for v in model.decoder.trainable_variables}


def test_data_become_sure_and_their_classes_even():
    random = np.random.default_rng(0)
    kinds = np.arange(300) % 3
    x = np.float32(0.9 * np.repeat(np.eye(3)[kinds], 2, axis=1) + 0.1 * random.random((300, 6)))
    made = zoo.create(
        "cat_gan", (6,), classes=3, noise_units=4, hidden=(16,), critic_learning_rate=5e-3, seed=1
    )
    made.compile("adam", jit_compile=False)
    before = parts(made, x)
    made.fit(x, batch_size=50, epochs=8, verbose=0)
    sure, even = parts(made, x)
    assert sure < 0.5 * before[0] and even > 0.9 * np.log(3)
    counts = np.zeros((3, 3), int)
    np.add.at(counts, (kinds, made.cluster(x)), 1)
    assert counts.max(axis=1).sum() > 0.9 * len(x)


def test_codes_without_classes_are_refused():
    with pytest.raises(ValueError, match="'class_entropy' needs a bottleneck of classes"):
        zoo.create("vae", (6,), latents=2, hidden=(4,), regularizers=["class_entropy"])


def test_classes_may_be_the_whole_code():
    bottleneck = zoo.get("categorical_style", "bottleneck", units=3, classes=3)
    bottleneck.build((None, 4))
    features = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    expected = softmax(bottleneck.numbers(features).numpy(), axis=1)
    assert_allclose(bottleneck.encode(features), expected, rtol=1e-5)
    prior = zoo.get("categorical_style", "prior", classes=3)
    prior.build((None, 3))
    drawn = prior.draw(zoo.Noise(0, 0), 4, 3)
    assert_array_equal(drawn.code, drawn.label)
    with pytest.raises(ValueError, match="as many latents as classes at least"):
        zoo.get("categorical_style", "bottleneck", units=2, classes=3)
