"""Random numbers against statistics, and the properties that make runs repeatable."""

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from zoo.noise import Noise


def test_uniform_is_uniform_on_the_open_interval():
    draws = Noise(1, 2).uniform(50_000, 2).numpy()
    assert draws.dtype == np.float32
    assert draws.min() > 0 and draws.max() < 1
    assert stats.kstest(draws.ravel(), "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(draws.T)[0, 1]) < 0.02


def test_the_ends_stay_open():
    """The smallest and the largest bits give 2^-24 and 1 - 2^-24, which float32 holds apart from 0 and 1."""
    scale = np.float32(2.0**-23)
    assert (np.float32(0) + np.float32(0.5)) * scale == 2.0**-24
    assert (np.float32(2**23 - 1) + np.float32(0.5)) * scale < 1


def test_normal_is_standard_normal():
    draws = Noise(1, 2).normal(50_000).numpy()
    assert np.isfinite(draws).all()
    assert stats.kstest(draws, "norm").pvalue > 1e-3


@pytest.mark.parametrize("rate", [0.0, 0.2, 0.9])
def test_keep_leaves_out_a_share(rate):
    mask = Noise(1, 2).keep(rate, 20_000).numpy()
    assert set(np.unique(mask)) <= {0.0, 1.0}
    assert_allclose(mask.mean(), 1 - rate, atol=4 * np.sqrt(0.25 / 20_000))


def test_golden_values():
    """A run can be repeated years later: these numbers must never change."""
    draws = Noise(seed=7, count=3).fold("code").uniform(2, 2).numpy()
    assert_array_equal(
        draws,
        np.float32(
            [[0.902513325214386, 0.49154919385910034], [0.15819376707077026, 0.22897380590438843]]
        ),
    )


def test_seed_step_and_tag_are_streams_of_their_own():
    base = Noise(7, 3)
    others = [
        base,
        Noise(8, 3),
        Noise(7, 4),
        base.fold("code"),
        base.fold("corruption"),
        base.fold("code").fold("corruption"),
        base.fold("corruption").fold("code"),
        base.fold(0),
        base.fold(1),
    ]
    draws = np.stack([noise.uniform(4000).numpy() for noise in others])
    correlation = np.corrcoef(draws) - np.eye(len(others))
    assert np.abs(correlation).max() < 5 / np.sqrt(4000)
    # Nor is one stream another one shifted.
    assert all(abs(np.corrcoef(draws[0][1:], row[:-1])[0, 1]) < 0.08 for row in draws)


def test_same_arguments_same_numbers():
    assert_array_equal(Noise(7, 3).fold("a").normal(9, 2), Noise(7, 3).fold("a").normal(9, 2))


@pytest.mark.parametrize("replicas", [2, 3])
def test_replicas_draw_slices_of_the_global_batch(replicas):
    whole = Noise(5, 11).fold("code").uniform(4 * replicas, 3)
    kept = Noise(5, 11).fold("code").keep(0.3, 4 * replicas, 3)
    for replica in range(replicas):
        noise = Noise(5, 11, tf.constant(replica), replicas).fold("code")
        share = slice(4 * replica, 4 * (replica + 1))
        assert_array_equal(noise.uniform(4, 3), whole[share])
        assert_array_equal(noise.keep(0.3, 4, 3), kept[share])


def test_compiled_and_uncompiled_draws_are_the_same_bits():
    def draw(count):
        return Noise(5, count).fold("code").uniform(6, 3)

    eager = draw(tf.constant(4, tf.int64)).numpy()
    for options in ({}, {"jit_compile": True}):
        graph = tf.function(draw, **options)(tf.constant(4, tf.int64))
        assert_array_equal(graph, eager)


@pytest.mark.parametrize("seed", [0, -1, 2**31, 2**40 + 1])
def test_any_whole_number_is_a_seed(seed):
    assert np.isfinite(Noise(seed, 0).uniform(3)).all()


def test_draws_with_a_batch_that_is_not_known_yet():
    @tf.function(input_signature=[tf.TensorSpec((None, 2))])
    def draw(rows):
        return Noise(5, 0).uniform(tf.shape(rows)[0], 3)

    assert_array_equal(draw(tf.zeros((4, 2))), Noise(5, 0).uniform(4, 3))
