"""Clamped codes against their formula in NumPy, batches of one factor, and what a model learns of them."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal

import zoo
from tests.conftest import make_vectors
from zoo.bottlenecks import Clamped
from zoo.data import scenes
from zoo.data.sprites import FACTOR_SIZES, factors_of

SIZES = (2, 1, 3)
UNITS = np.repeat(np.arange(3), SIZES)  # the factor of each unit
ROWS = 5


def drawn(factor, training=True, **options):
    """A code of features whose posterior is known, with its gradients of two losses."""
    bottleneck = Clamped(SIZES, **options)
    bottleneck.build((None, 4 + 3))
    random = np.random.default_rng(0)
    condition = np.eye(3)[[factor] * ROWS] if factor >= 0 else np.zeros((ROWS, 3))
    features = tf.constant(
        np.concatenate([random.normal(size=(ROWS, 4)), condition], 1), tf.float32
    )
    numbers = tf.Variable(bottleneck.numbers(features))
    bottleneck.numbers = lambda _: tf.convert_to_tensor(numbers)
    with tf.GradientTape(persistent=True) as tape:
        code = bottleneck.draw(features, zoo.Noise(0, 0), tf.constant(0), training)
        decoded = tf.reduce_sum(tf.sin(code.value))
        stated = tf.reduce_sum(code.posterior.mean() ** 3 + code.posterior.stddev() ** 3)
        pulled = tf.reduce_sum(code.losses["pull"])
    free = zoo.bottlenecks.Stochastic.draw(
        bottleneck, features, zoo.Noise(0, 0), tf.constant(0), True
    )
    gradients = [tape.gradient(loss, numbers) for loss in (decoded, stated, pulled)]
    gradients = [np.zeros(numbers.shape) if g is None else g.numpy() for g in gradients]
    return code, free, gradients


@pytest.mark.parametrize("factor", [0, 1, 2])
def test_units_of_other_factors_are_the_mean_of_the_batch(factor):
    code, free, _ = drawn(factor, pull=0.3)
    z = free.value.numpy()
    active = factor == UNITS
    assert_allclose(code.value, np.where(active, z, z.mean(axis=0)), rtol=1e-6)
    apart = np.where(active, 0, z - z.mean(axis=0))
    assert_allclose(code.losses["pull"], 0.3 * (apart**2).sum(axis=1) / 2, rtol=1e-5)
    assert_allclose(code.posterior.mean(), free.posterior.mean())
    assert_allclose(code.posterior.stddev(), free.posterior.stddev())


@pytest.mark.parametrize("factor", [0, 1, 2])
def test_clamped_units_have_the_gradient_of_the_pull_alone(factor):
    pull = 0.3
    _, free, (decoded, stated, pulled) = drawn(factor, pull=pull)
    z, loc, scale = (
        np.array(v) for v in (free.value, free.posterior.mean(), free.posterior.stddev())
    )
    noise, active = (z - loc) / scale, factor == UNITS
    slope = 1 - np.exp(-(scale - 1e-6))  # of softplus, whose value is the scale less 1e-6

    def of_numbers(of_loc, of_scale, where):
        return np.where(np.tile(where, 2), np.concatenate([of_loc, of_scale * slope], axis=1), 0)

    assert_allclose(decoded, of_numbers(np.cos(z), np.cos(z) * noise, active), rtol=2e-3, atol=1e-5)
    assert_allclose(stated, of_numbers(3 * loc**2, 3 * scale**2, active), rtol=2e-3, atol=1e-5)
    gap = pull * (z - z.mean(axis=0))
    assert_allclose(pulled, of_numbers(gap, gap * noise, ~active), rtol=2e-3, atol=1e-5)


def test_nothing_is_clamped_without_a_factor_or_outside_training():
    for factor, training in ((-1, True), (1, False)):
        code, free, (decoded, _, pulled) = drawn(factor, training)
        assert_array_equal(code.value, free.value)
        assert (decoded != 0).all() and not pulled.any()


def create(**options):
    model = zoo.create("dc_ign", (6,), sizes=(2, 1), networks="mlp", hidden=(5,), **options)
    model.compile("adam")
    return model


def test_a_batch_of_several_factors_is_refused():
    model, x, factor = create(), make_vectors(32, 6), np.repeat([0, 1], 16)
    with pytest.raises(ValueError, match=r"A batch of x varies several factors; .*shuffle=False"):
        model.fit(x, factor, batch_size=16, verbose=0)
    mixed = tf.data.Dataset.from_tensor_slices((x, factor)).batch(32)
    with pytest.raises(ValueError, match="varies several factors"):
        model.fit(mixed, verbose=0)
    model.fit(x, factor, batch_size=16, shuffle=False, verbose=0)
    assert np.isfinite(list(model.evaluate(x, factor, return_dict=True, verbose=0).values())).all()


def test_what_cannot_clamp_is_refused():
    with pytest.raises(ValueError, match="from 0 to 1"):
        create().fit(make_vectors(32, 6), np.full(32, 2), verbose=0)
    network = zoo.networks.mlp([4]), zoo.networks.mlp([4], (6,))
    with pytest.raises(ValueError, match="needs a model with condition=2; received None"):
        zoo.Autoencoder((6,), network[0], Clamped((1, 1)), network[1])
    wrapped = [zoo.networks.Unconditioned(each) for each in network]
    with pytest.raises(ValueError, match=r"Wrap the encoder in zoo\.networks\.WithCondition"):
        zoo.Autoencoder((6,), wrapped[0], Clamped((1, 1)), wrapped[1], condition=2)
    with pytest.raises(ValueError, match="XLA lacks operations"):
        zoo.create("dc_ign", (6,), sizes=(2, 1), networks="mlp").compile(jit_compile=True)


def bumps(places):
    """Pictures of a bump at (across, down)."""
    across, down = (np.exp(-np.square(np.arange(8) - places[:, i, None]) / 4) for i in (0, 1))
    return np.float32(down[:, :, None] * across[:, None, :])[..., None]


def told(random, batches, rows):
    """Places that differ in one coordinate within a batch, and which."""
    places = np.repeat(random.uniform(1, 6, (batches, 2)), rows, axis=0)
    factor = np.repeat(random.integers(0, 2, batches), rows)
    places[np.arange(len(places)), factor] = random.uniform(1, 6, len(places))
    return bumps(places), factor


@pytest.mark.parametrize("swapped", [False, True])
def test_units_come_to_follow_the_factors_that_they_are_told(swapped):
    """Nothing but the labels says which unit is to follow which coordinate."""
    random = np.random.default_rng(0)
    x, factor = told(random, batches=600, rows=32)
    model = zoo.create("dc_ign", (8, 8, 1), sizes=(1, 1), networks="mlp", hidden=(64,), seed=0)
    model.compile(zoo.trainer.Adam(5e-3))
    labels = 1 - factor if swapped else factor
    model.fit(x, labels, batch_size=32, shuffle=False, verbose=0)
    places = random.uniform(1, 6, (400, 2))
    found = np.abs(np.corrcoef(model.encode(bumps(places)).T, places.T)[:2, 2:])
    own, other = (found[:, ::-1], found) if swapped else (found, found[:, ::-1])
    assert (np.diag(own) > 0.95).all() and (np.diag(other) < 0.3).all()


def test_one_factor_of_the_sprites_varies_in_a_batch(monkeypatch):
    monkeypatch.setattr(scenes, "render", lambda indices, antialias: factors_of(indices))
    batches = list(itertools.islice(scenes.sprite_scenes(50, seed=1, chances=[5, 1, 1, 1, 0]), 400))
    for factors, factor in batches:
        varies = (factors != factors[0]).any(axis=0)
        assert_array_equal(np.flatnonzero(varies), np.unique(factor))
    counts = np.bincount([factor[0] for _, factor in batches], minlength=5)
    assert_allclose(counts / 400, np.array([5, 1, 1, 1, 0]) / 8, atol=0.08)
    firsts = np.stack([factors[0] for factors, _ in batches])
    assert_array_equal(firsts.max(axis=0) + 1, FACTOR_SIZES)
    again = next(scenes.sprite_scenes(50, seed=1, chances=[5, 1, 1, 1, 0]))
    assert_array_equal(again[0], batches[0][0])


@pytest.mark.parametrize("chances", [[1, 1], [1, 1, 1, 1, -1], [0] * 5, [np.nan, 1, 1, 1, 1]])
def test_chances_are_one_weight_for_each_factor(chances):
    with pytest.raises(ValueError, match="chances must be 5 weights"):
        scenes.sprite_scenes(chances=chances)


def test_an_export_takes_the_factor_minus_one(tmp_path):
    model = zoo.create("dc_ign", (6,), sizes=SIZES, networks="mlp", hidden=(8,))
    x = make_vectors(7)
    model.export(tmp_path / "model")
    served = tf.saved_model.load(str(tmp_path / "model")).signatures
    given = {"x": tf.constant(x), "condition": tf.constant([-1] * 7)}
    assert_allclose(served["encode"](**given)["codes"], model.encode(x), atol=1e-6)
    reconstruction = served["serving_default"](**given)["reconstruction"]
    assert_allclose(reconstruction, model.reconstruct(x), atol=1e-6)
