"""What an author of a part gets wrong is said by the part and the method, and nothing is averaged over."""

import keras
import pytest
import tensorflow as tf
from tensorflow_probability import distributions as tfd

import zoo
from tests.conftest import make_vectors
from zoo.networks import mlp

X = make_vectors(40)
STOCHASTIC = {"name": "stochastic", "units": 2}


def fitted(**options):
    bottleneck = options.pop("bottleneck", {"name": "deterministic", "units": 2})
    model = zoo.Autoencoder((6,), mlp([4]), bottleneck, mlp([4], (6,)), **options)
    model.compile(jit_compile=False)
    return model.fit(X, batch_size=20, verbose=0).history


def penalty_of(give):
    class Penalty(zoo.Regularizer):
        def penalty(self, forward, training=False):
            return give(forward)

    return Penalty(name="given")


@pytest.mark.parametrize(
    ("give", "message"),
    [
        (
            lambda f: None,
            r"penalty\(\) of the regularizer 'given' must give \(batch,\) or a scalar",
        ),
        (lambda f: tf.zeros([3]), r"it has 3 numbers in a batch of \d+ rows"),
        (lambda f: f.code, r"it has shape \(\d+, 2\)"),
    ],
)
def test_penalties(give, message):
    with pytest.raises(ValueError, match=message):
        fitted(regularizers=[penalty_of(give)])


def test_a_penalty_may_be_a_number():
    history = fitted(regularizers=[penalty_of(lambda f: 3)])
    assert history["given"] == [3.0]


def drawn_by(give):
    class Drawn(zoo.bottlenecks.DenseBottleneck):
        def draw(self, features, noise, step, training):
            return give(self.encode(features))

    return Drawn(2)


@pytest.mark.parametrize(
    ("give", "message"),
    [
        (lambda code: code, r"draw\(\) of Drawn must give a zoo.Code; it gave a \w*Tensor"),
        (
            lambda code: zoo.Code(code[:, :1]),
            r"must give codes \(batch, 2\), .* it gave \(\d+, 1\)",
        ),
        (
            lambda code: zoo.Code(code, losses={"reconstruction": code[:, 0]}),
            "The bottleneck gives a term 'reconstruction', and there is one already",
        ),
        (
            lambda code: zoo.Code(code, measures={"loss": code[:, 0]}),
            "The bottleneck gives a term 'loss', and there is one already",
        ),
    ],
)
def test_bottlenecks(give, message):
    with pytest.raises(ValueError, match=message):
        fitted(bottleneck=drawn_by(give))


class Tells(zoo.objectives.Objective):
    def terms(self, forward):
        return {"loss": forward.mean(forward.reconstruction()), "l1": tf.constant(1.0)}


def test_an_objective_and_a_regularizer_of_one_name():
    with pytest.raises(ValueError, match="A regularizer gives a term 'l1', and there is one"):
        fitted(objective=Tells(), regularizers=["l1"])


@pytest.mark.parametrize(
    "made",
    [
        lambda *shape: tfd.Normal(tf.zeros(shape), 1.0),
        lambda *shape: tfd.MultivariateNormalDiag(tf.zeros(3), tf.ones(3)),
    ],
)
def test_a_prior_of_something_else_than_codes(made):
    class Other(zoo.distributions.Prior):
        def distribution(self, *code_shape, condition=None):
            return made(*code_shape)

    with pytest.raises(ValueError, match=r"The prior Other must be .* codes of the shape \(2,\)"):
        fitted(bottleneck=STOCHASTIC, prior=Other(), regularizers=["kl"])


def test_a_likelihood_says_what_it_lacks():
    class Half(zoo.distributions.Likelihood):
        def distribution(self, output):
            return tfd.Independent(tfd.Normal(output, 1.0), 1)

    with pytest.raises(
        NotImplementedError, match=r"Half must define elementwise\(output, inputs\)"
    ):
        fitted(likelihood=Half())


def judge_by(give):
    class Judge(zoo.AdversarialRegularizer):
        def build(self, event_shape=(), units=0):
            self.critic = keras.Sequential([keras.Input((units,)), keras.layers.Dense(1)])
            super().build(event_shape, units)

        def penalty(self, forward, training=False):
            return self.critic(forward.vectors)[:, 0]

        def critic_loss(self, forward):
            return give(self.critic(forward.vectors))

    return Judge()


@pytest.mark.parametrize(
    ("give", "message"),
    [
        (
            lambda verdict: verdict,
            r"critic_loss\(\) .* must give a scalar; it gave the shape \(\d+, 1\)",
        ),
        (lambda verdict: None, r"critic_loss\(\) .* must give a scalar; it gave None"),
        (lambda verdict: tf.constant(0.0), "depends on no trainable weight of its critic"),
    ],
)
def test_critics(give, message):
    with pytest.raises(ValueError, match=message):
        fitted(regularizers=[judge_by(give)])
