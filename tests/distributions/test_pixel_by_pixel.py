"""Pictures drawn pixel by pixel: the density sums to 1, and draws are from it."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal

import zoo

SHAPE = (2, 2, 1)
PICTURES = np.float32(list(itertools.product([0, 1], repeat=4))).reshape(-1, *SHAPE)


@pytest.fixture(scope="module")
def likelihood():
    made = zoo.get("autoregressive", "likelihood", filters=6, layers=2, context=3)
    made.build((None, *SHAPE))
    random = np.random.default_rng(3)
    made.set_weights([random.normal(size=w.shape, scale=0.35) for w in made.weights])
    return made


def chances(likelihood, context):
    """Of all 16 pictures under one context."""
    return np.exp(likelihood.distribution(np.repeat(context, 16, axis=0)).log_prob(PICTURES))


CONTEXT = np.random.default_rng(0).normal(size=(1, 2, 2, 3)).astype("float32")


def test_the_density_sums_to_one_and_hears_the_context(likelihood):
    found = chances(likelihood, CONTEXT)
    assert_allclose(found.sum(), 1, rtol=1e-5)
    assert np.abs(found - chances(likelihood, -CONTEXT)).max() > 0.01


def test_draws_are_from_the_density(likelihood):
    count = 8000
    uniform = zoo.Noise(0, 0).uniform(count, *SHAPE)
    drawn = likelihood.draw(np.repeat(CONTEXT, count, axis=0), uniform).numpy()
    places = (drawn.reshape(count, 4) @ [8, 4, 2, 1]).astype(int)
    shares = np.bincount(places, minlength=16) / count
    expected = chances(likelihood, CONTEXT)
    assert np.abs(shares - expected).max() < 4 * np.sqrt(0.25 / count)


def test_the_likeliest_picture_is_chosen_pixel_by_pixel(likelihood):
    """By the chances of each pixel given those before it, from the table of all pictures."""
    known, table = [], chances(likelihood, CONTEXT)
    for place in range(4):
        begins = (PICTURES.reshape(16, 4)[:, :place] == known).all(axis=1)
        on = table[begins & (PICTURES.reshape(16, 4)[:, place] == 1)].sum() / table[begins].sum()
        known.append(float(on > 0.5))
    assert_array_equal(likelihood.mean(CONTEXT).numpy().ravel(), known)


def test_the_loss_is_minus_the_log_density_of_the_nearest_levels(likelihood):
    context = np.repeat(CONTEXT, 16, axis=0)
    expected = -likelihood.distribution(context).log_prob(PICTURES)
    assert_allclose(likelihood.loss(context, PICTURES), expected, rtol=1e-5)
    near = np.clip(PICTURES + 0.3 * (0.5 - PICTURES), 0, 1)
    assert_allclose(likelihood.loss(context, near), expected, rtol=1e-5)


@pytest.mark.parametrize("layers", [1, 3])
def test_a_pixel_sees_what_was_drawn_before_it_and_nothing_else(layers):
    network = zoo.networks.CausalConvolutions(outputs=2, filters=4, layers=layers)
    x = tf.Variable(np.random.default_rng(0).random((1, 9, 9, 2)).astype("float32"))
    context = tf.zeros((1, 9, 9, 1))
    with tf.GradientTape() as tape:
        there = tf.reduce_sum(tf.square(network(x, context)[0, 4, 4]))
    seen = np.abs(tape.gradient(there, x).numpy()).sum(axis=(0, 3)) > 0
    before = np.add.outer(9 * np.arange(9), np.arange(9)) < 9 * 4 + 4
    assert not seen[~before].any()
    reach = 3 + 2 * (layers - 1)  # rows and columns
    near = np.maximum.outer(4 - np.arange(9), np.abs(np.arange(9) - 4)) <= reach
    assert seen[before & near].all()  # no blind spot


def test_a_picture_is_generated_by_seed_and_exported(tmp_path):
    model = zoo.create(
        "pixel_vae", (5, 4, 1), latents=2, networks="mlp", hidden=(4,), filters=4, layers=1, seed=0
    )
    drawn = model.generate(40, seed=3)
    assert set(np.unique(drawn)) == {0, 1}
    assert_array_equal(drawn, model.generate(40, seed=3, batch_size=7))
    assert not np.array_equal(drawn, model.generate(40, seed=4))
    model.export(str(tmp_path / "served"))
    served = tf.saved_model.load(str(tmp_path / "served"))
    again = served.signatures["generate"](n=tf.constant(40), seed=tf.constant(3))
    assert_array_equal(next(iter(again.values())), drawn)


def test_vectors_are_not_drawn_pixel_by_pixel():
    with pytest.raises(ValueError, match="'autoregressive' draws pictures"):
        zoo.create("pixel_vae", (6,), networks="mlp")
