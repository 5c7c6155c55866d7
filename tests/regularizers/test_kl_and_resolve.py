"""KL's estimators, and regularizers from whatever names them."""

import inspect
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo import registry
from zoo.noise import Noise
from zoo.regularizers import KerasRegularizer, resolve

PAIRS = [("normal", "normal"), ("normal", "laplace"), ("laplace", "normal"), ("cauchy", "cauchy")]


def divergences(posterior, prior, estimator, samples=1):
    keras.utils.set_random_seed(0)
    model = zoo.create(
        "vae",
        (4,),
        latents=2,
        hidden=(4,),
        posterior=posterior,
        prior=prior,
        estimator=estimator,
        samples=samples,
    )
    x = np.random.default_rng(0).uniform(size=(5, 4)).astype("float32")
    record = model.forward(tf.constant(x), Noise(0, 0), training=True)
    return model.regularizers[0].penalty(record).numpy().reshape(5, samples)


@pytest.mark.parametrize(("posterior", "prior"), PAIRS)
def test_the_sampled_estimate_is_unbiased(posterior, prior):
    exact = divergences(posterior, prior, "analytic")[:, 0]
    sampled = divergences(posterior, prior, "sampled", samples=20_000)
    error = sampled.std(1) / np.sqrt(sampled.shape[1])
    # Cauchy draws are cut at 318 scales, which moves the mean by less than 0.01 nats.
    np.testing.assert_array_less(np.abs(sampled.mean(1) - exact), 4.5 * error + 0.01)


def test_pairs_that_have_no_closed_form_or_no_finite_value():
    with pytest.raises(ValueError, match="no closed-form KL"):
        zoo.create("vae", (4,), prior="student_t", estimator="analytic")
    for prior in ("normal", "laplace"):
        with pytest.raises(ValueError, match="infinite"):
            zoo.create("vae", (4,), posterior="cauchy", prior=prior)
    with pytest.raises(ValueError, match="needs a stochastic bottleneck and a prior"):
        zoo.create("autoencoder", (4,), regularizers=["kl"])


def test_whatever_names_a_regularizer():
    made = resolve(["l1", {"name": "l1", "weight": 0.5}, keras.regularizers.L2(0.1), zoo.get("l1")])
    assert [r.name for r in made] == ["l1", "l1_2", "l2", "l1_3"]
    assert made[1].weight == 0.5
    assert isinstance(made[2], KerasRegularizer)
    assert [r.name for r in resolve("hoyer")] == ["hoyer"] and resolve(None) == []
    with pytest.raises(ValueError, match="Expected a regularizer"):
        resolve([3])


def test_a_keras_regularizer_is_a_mean_over_the_batch():
    model = zoo.create("autoencoder", (4,), latents=3, regularizers=[keras.regularizers.L1(0.2)])
    x = np.random.default_rng(0).uniform(size=(6, 4)).astype("float32")
    record = model.forward(tf.constant(x), Noise(0, 0), training=True)
    total, reconstruction, penalty = model.terms(record).values()
    expected = 0.2 * np.abs(record.code.numpy()).sum(1).mean()
    assert float(penalty) == pytest.approx(expected, rel=1e-5)
    assert float(total) == pytest.approx(float(reconstruction) + expected, rel=1e-5)


def test_a_weight_by_a_schedule_enters_the_loss_and_not_the_metric():
    warm_up = keras.optimizers.schedules.PolynomialDecay(0.0, 10, end_learning_rate=2.0)
    model = zoo.create("vae", (4,), latents=2, hidden=(4,), beta=warm_up)
    x = np.random.default_rng(0).uniform(size=(6, 4)).astype("float32")
    for step, weight in ((0, 0.0), (5, 1.0), (10, 2.0)):
        model.step.assign(step)
        record = model.forward(tf.constant(x), Noise(0, 0), training=False)
        total, reconstruction, kl = model.terms(record).values()
        assert float(total - reconstruction) == pytest.approx(weight * float(kl), abs=1e-4)


def test_the_weight_is_the_first_argument_or_goes_by_name():
    checked = 0
    for name in zoo.names("regularizer"):
        part = registry.lookup(name)
        own = part.__module__.split(".")[0] in ("zoo", "zoo_plugins")
        # What an example of a docstring registered names its module, which does not hold it.
        if not own or getattr(sys.modules[part.__module__], part.__name__, None) is not part:
            continue
        checked += 1
        # Of the class Pythons before 3.11.3 give Keras's `__new__`, where it has no `__init__` of its own.
        parameters = list(inspect.signature(part.__init__).parameters.values())[1:]
        place, weight = next((i, p) for i, p in enumerate(parameters) if p.name == "weight")
        assert place == 0 or weight.kind is weight.KEYWORD_ONLY, name
    assert checked > 20
