"""Importance-weighted bounds, against NumPy and against a model whose likelihood is known."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

import zoo
from tests.conftest import make_vectors

X = make_vectors(12, 3)
SCALE = 0.5


def linear_gaussian(samples, exact=False, **bound):
    """z ~ N(0, I), x = W z + b + .5 e; q(z|x) the exact posterior, or a wider one beside it."""
    keras.utils.set_random_seed(0)
    model = zoo.Autoencoder(
        (3,),
        encoder=keras.layers.Identity(),
        bottleneck={"name": "stochastic", "units": 2, "samples": samples},
        decoder=keras.layers.Dense(3),
        likelihood={"name": "normal", "scale": SCALE},
        prior="normal",
        objective={"name": "importance_weighted", **bound},
    )
    weights = np.array([[1.0, -0.5, 0.3], [0.2, 0.8, -0.6]])  # (units, 3)
    bias = np.array([0.1, 0.2, 0.3])
    model.decoder.set_weights([weights, bias])
    covariance = np.linalg.inv(np.eye(2) + weights @ weights.T / SCALE**2)
    to_mean = weights.T @ covariance / SCALE**2  # (3, 2)

    scale = np.sqrt(np.diag(covariance)) * (1.0 if exact else 1.3)
    raw = np.log(np.expm1(scale)) - np.log(np.e - 1)
    kernel = np.concatenate([to_mean, np.zeros((3, 2))], axis=1)
    offset = np.concatenate([-bias @ to_mean, raw])
    model.bottleneck.dense.set_weights([kernel, offset])
    marginal = multivariate_normal(bias, weights.T @ weights + SCALE**2 * np.eye(3))
    return model, marginal.logpdf(X.astype(float))


def passed(model, x=X, training=True):
    return model.forward(tf.constant(x), zoo.Noise(0, 0).fold("training"), training)


def log_weights(model, forward):
    value = forward.prior.log_prob(forward.code) - forward.posterior.log_prob(forward.code)
    value -= forward.reconstruction()
    return value.numpy().astype(float).reshape(-1, forward.samples)


BOUNDS = {
    "iwae": ({}, lambda lw: logsumexp(lw, axis=2) - np.log(lw.shape[2])),
    "miwae": ({"groups": 2}, lambda lw: logsumexp(lw, axis=2) - np.log(lw.shape[2])),
    "ciwae": (
        {"mix": 0.3},
        lambda lw: 0.3 * lw.mean(axis=2) + 0.7 * (logsumexp(lw, axis=2) - np.log(lw.shape[2])),
    ),
    "piwae": (
        {"groups": 2, "pooled": True},
        lambda lw: logsumexp(lw, axis=(1, 2), keepdims=True)[..., 0] - np.log(10),
    ),
}


@pytest.mark.parametrize("name", BOUNDS)
@pytest.mark.parametrize("gradient", ["standard", "stl", "dreg"])
def test_the_loss_is_minus_the_bound(name, gradient):
    """With M = 2 groups of K = 5: over the draws of a group, and not over the groups."""
    options, bound = BOUNDS[name]
    model, _ = linear_gaussian(10, gradient=gradient, **options)
    forward = passed(model)
    grouped = log_weights(model, forward).reshape(len(X), options.get("groups", 1), -1)
    expected = bound(grouped).mean(axis=1)
    assert_allclose(model.terms(forward)["loss"], -expected.mean(), rtol=1e-5)


def test_more_draws_come_to_the_exact_likelihood():
    losses = {}
    for samples in (1, 10, 4000):
        model, exact = linear_gaussian(samples)
        losses[samples] = float(model.terms(passed(model))["loss"])
    assert_allclose(-losses[4000], exact.mean(), atol=0.02)
    assert losses[1] > losses[10] > losses[4000] - 0.02
    # The mean of w log w with normalised weights, which pythae reports, lies above the likelihood.
    model, exact = linear_gaussian(50)
    logs = log_weights(model, passed(model))
    weights = np.exp(logs - logsumexp(logs, axis=1, keepdims=True))
    assert (weights * logs).sum(axis=1).mean() > exact.mean() + 0.1
    assert -model.terms(passed(model))["loss"] < exact.mean() + 0.1


def gradients(model, variables, x=X):
    with tf.GradientTape() as tape:
        loss = model.terms(passed(model, x))["loss"]
    return [g.numpy() for g in tape.gradient(loss, variables)]


def by_hand(model, share, path_share, score_share):
    """Gradients with given weights of every draw's log weight, each path of its own."""
    noise = zoo.Noise(0, 0).fold("training").fold("code")
    encoder, decoder = model.bottleneck.trainable_variables, model.decoder.trainable_variables
    x = tf.constant(X)
    with tf.GradientTape(persistent=True) as tape:
        code = model.bottleneck.draw(x, noise, 0, True)
        samples = model.bottleneck.samples

        def weights(z, posterior):
            loss = model.likelihood.loss(model.decoder(z), tf.repeat(x, samples, axis=0))
            value = model.prior_distribution().log_prob(z) - posterior.log_prob(z) - loss
            return tf.reshape(value, (-1, samples))

        base = code.posterior.distribution
        fixed = type(code.posterior)(
            type(base)(tf.stop_gradient(base.loc), tf.stop_gradient(base.scale)), 1
        )
        known = weights(code.value, code.posterior).numpy().astype(float)
        still = tf.stop_gradient(code.value)
        score = -tf.reshape(code.posterior.log_prob(still), (-1, samples))
        path = weights(code.value, fixed)
        total = {
            "decoder": tf.reduce_sum(np.float32(share(known)) * path, axis=1),
            "path": tf.reduce_sum(np.float32(path_share(known)) * path, axis=1),
            "score": tf.reduce_sum(np.float32(score_share(known)) * score, axis=1),
        }
        means = {name: -tf.reduce_mean(value) for name, value in total.items()}
        inner = means["path"] + means["score"]
    return tape.gradient(inner, encoder), tape.gradient(means["decoder"], decoder)


def normalised(logs, groups):
    grouped = logs.reshape(len(logs), groups, -1)
    return np.exp(grouped - logsumexp(grouped, axis=2, keepdims=True))


def shares(groups, mix, power, score):
    def of(logs, power):
        weights = normalised(logs, groups) ** power
        weights = (1 - mix) * weights + mix / weights.shape[2]
        return (weights / groups).reshape(logs.shape)

    return (lambda logs: of(logs, power)), (lambda logs: score * of(logs, 1))


@pytest.mark.parametrize("name", BOUNDS)
@pytest.mark.parametrize(
    ("gradient", "power", "score"), [("standard", 1, 1), ("stl", 1, 0), ("dreg", 2, 0)]
)
def test_gradients_are_those_of_the_papers(name, gradient, power, score):
    options, _ = BOUNDS[name]
    model, _ = linear_gaussian(10, gradient=gradient, **options)
    groups, mix = options.get("groups", 1), options.get("mix", 0.0)
    path, scored = shares(groups, mix, power, score)
    decoder, _ = shares(1 if options.get("pooled") else groups, mix, 1, 1)
    encoder, generative = by_hand(model, decoder, path, scored)
    found = gradients(
        model, [*model.bottleneck.trainable_variables, *model.decoder.trainable_variables]
    )
    for one, other in zip(found, [*encoder, *generative], strict=True):
        assert_allclose(one, other, rtol=2e-3, atol=2e-4)


def test_the_doubly_reparameterised_gradient_is_unbiased_and_less_noisy():
    """Over many draws it has the mean of the standard one, and a smaller spread."""
    x = np.repeat(X[:1], 3000, axis=0)
    found = {}
    for gradient in ("standard", "dreg"):
        model, _ = linear_gaussian(8, gradient=gradient)
        (_, bias) = model.bottleneck.trainable_variables
        with tf.GradientTape() as tape:
            # A bias for each row gives the gradient of each row.
            rows = tf.Variable(np.tile(bias.numpy(), (len(x), 1)))
            tape.watch(rows)
            numbers = tf.constant(x) @ model.bottleneck.dense.kernel.value + rows
            model.bottleneck.numbers = lambda features, numbers=numbers: numbers
            loss = model.terms(passed(model, x))["loss"] * len(x)
        found[gradient] = tape.gradient(loss, rows).numpy()
    spread = {name: value.std(axis=0) for name, value in found.items()}
    error = np.hypot(*spread.values()) / np.sqrt(len(x))
    means = [value.mean(axis=0) for value in found.values()]
    assert (np.abs(means[0] - means[1]) < 4.5 * error).all()
    assert (spread["dreg"] < spread["standard"]).all()


def test_what_a_bound_cannot_do_is_refused():
    vae = {"input_shape": (3,), "latents": 2, "hidden": (4,)}
    with pytest.raises(ValueError, match="leave the regularizer 'kl' out"):
        zoo.create("iwae", regularizers=["kl"], **vae)
    with pytest.raises(
        ValueError, match="needs a stochastic bottleneck and a prior that has a density"
    ):
        zoo.create("iwae", prior="generator", **vae)
    with pytest.raises(ValueError, match="multiple of groups=3"):
        linear_gaussian(10, groups=3)
    with pytest.raises(ValueError, match="mix must be a number from 0 to 1"):
        zoo.create("ciwae", beta=1.5, **vae)
    with pytest.raises(ValueError, match="terms of regularizers too; received l1"):
        zoo.create("iwae", gradient="dreg", regularizers=["l1"], **vae)
    with pytest.raises(ValueError, match="Did you mean 'dreg'"):
        zoo.create("iwae", gradient="drex", **vae)
    assert zoo.create(
        "iwae", regularizers=["l1"], **vae
    ).regularizers  # with the gradient of the bound
