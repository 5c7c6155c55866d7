"""Quantiles, traversals, the manifold, interpolation and animation."""

import io

import numpy as np
import pytest
from PIL import Image
from scipy import stats

import zoo
from zoo.visualization import (
    interpolation_codes,
    interpolations,
    inverse_cdf_grid,
    manifold,
    posterior_traversals,
    prior_traversals,
    quantiles,
    traversal_codes,
    traversal_gif,
)
from zoo.visualization.drawing.quantiles import central
from zoo.visualization.figures.animation import encode_gif
from zoo.visualization.figures.interpolation import choose_pairs

MIDDLES = (np.arange(20) + 0.5) / 20


def blocks(z):
    """A decoder whose pictures tell their code: unit i fills column i of a 3 x length picture."""
    return np.repeat(np.asarray(z, float)[:, None, :, None], 3, axis=1)


def priors():
    from tensorflow_probability import distributions as tfd

    zeros, ones = np.zeros(2, np.float32), np.array([1, 2], np.float32)
    scale = np.array([1, 2])
    return {
        "normal": (tfd.Independent(tfd.Normal(zeros, ones), 1), stats.norm(0, scale)),
        "laplace": (tfd.Independent(tfd.Laplace(zeros, ones), 1), stats.laplace(0, scale)),
        "cauchy": (tfd.Independent(tfd.Cauchy(zeros, ones), 1), stats.cauchy(0, scale)),
        "student_t": (tfd.Independent(tfd.StudentT(5.0, zeros, ones), 1), stats.t(5, 0, scale)),
        "gennorm": (
            tfd.Independent(tfd.GeneralizedNormal(zeros, ones, 0.5), 1),
            stats.gennorm(0.5, 0, scale),
        ),
        "shared": (tfd.Sample(tfd.Normal(0.0, 3.0), 2), stats.norm(0, 3)),
    }


@pytest.mark.parametrize("name", ["normal", "laplace", "cauchy", "student_t", "gennorm", "shared"])
def test_inverse_cdf_grid_is_scipys(name):
    prior, truth = priors()[name]
    expected = np.broadcast_to(truth.ppf(MIDDLES[:, None]), (20, 2))
    grid = inverse_cdf_grid(prior, 20)
    assert grid.shape == (20, 20, 2)
    for step in range(20):
        np.testing.assert_allclose(grid[:, step, 0], expected[:, 0], rtol=2e-5, atol=1e-5)
        np.testing.assert_allclose(grid[step, :, 1], expected[:, 1], rtol=2e-5, atol=1e-5)
    np.testing.assert_allclose(inverse_cdf_grid(truth, 20), grid, rtol=2e-5, atol=1e-5)


def test_quantiles_without_a_quantile_function_are_those_of_draws():
    from tensorflow_probability import distributions as tfd

    full = tfd.MultivariateNormalTriL([1.0, -2.0], [[1.0, 0.0], [0.8, 0.6]])
    found = quantiles(full, np.array([0.1, 0.5, 0.9]), 2)
    expected = stats.norm([1, -2], 1).ppf(np.array([0.1, 0.5, 0.9])[:, None])
    np.testing.assert_allclose(found, expected, atol=0.03)  # 100,000 draws: error below 0.006


def test_quantiles_of_codes_are_numpys():
    codes = np.random.default_rng(0).normal(size=(100, 3))
    np.testing.assert_allclose(quantiles(codes, MIDDLES, 3), np.quantile(codes, MIDDLES, axis=0))


def test_central_probabilities():
    np.testing.assert_allclose(central(5, 0.8), [0.1, 0.3, 0.5, 0.7, 0.9])
    np.testing.assert_allclose(central(1, 0.8), [0.5])


def test_traversal_moves_one_unit_only():
    base = np.array([1.0, 2.0, 3.0, 4.0])
    values = np.array([[10.0, 20.0], [30.0, 40.0]])
    codes = traversal_codes(base, np.array([3, 1]), values)
    expected = np.tile(base, (2, 2, 1))
    expected[0, :, 3], expected[1, :, 1] = values
    np.testing.assert_array_equal(codes, expected)


def test_prior_traversals_show_the_priors_quantiles():
    figure = prior_traversals(blocks, stats.norm(0, [1, 2, 3]), 3, units=[2], steps=5, coverage=0.8)
    (axes,) = figure.axes
    canvas = np.asarray(axes.images[0].get_array())
    shown = canvas[0, 2::4]  # column 2 of every picture: 3 pixels and a gap
    np.testing.assert_allclose(shown, stats.norm(0, 3).ppf(central(5, 0.8)), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(canvas[0, 0::4], 0, atol=1e-6)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["unit 2\n-3.8 to 3.8"]


def test_posterior_traversals_take_the_units_that_vary_and_reach_sparse_values():
    rng = np.random.default_rng(0)
    codes = np.zeros((100, 30))
    codes[:, 7] = rng.normal(size=100)
    codes[:5, 21] = 4.0  # zero for 95 of 100 examples
    (axes,) = posterior_traversals(blocks, codes, steps=5, limit=2).axes
    canvas = np.asarray(axes.images[0].get_array())
    assert "unit 7" in axes.get_yticklabels()[0].get_text()
    sparse = canvas[4, 21::31]
    np.testing.assert_allclose(sparse, [0, 1, 2, 3, 4], atol=1e-6)


@pytest.mark.parametrize(("event", "axes"), [((2,), 3), ((6,), 3), ((1,), 3), ((4, 5, 3), 1)])
def test_traversals_of_any_example(event, axes):
    weights = np.random.default_rng(0).normal(size=(3, int(np.prod(event))))
    figure = prior_traversals(lambda z: (z @ weights).reshape(-1, *event), stats.norm(), 3)
    assert len(figure.axes) == axes
    figure.draw_without_rendering()


def test_manifold_has_unit_0_to_the_right_and_unit_1_upwards():
    (axes,) = manifold(blocks, stats.norm(0, [1, 2]), 2, steps=6).axes
    canvas = np.asarray(axes.images[0].get_array())
    first, second = canvas[0::4, 0::3], canvas[0::4, 1::3]
    probabilities = (np.arange(6) + 0.5) / 6
    np.testing.assert_allclose(first, np.tile(stats.norm.ppf(probabilities), (6, 1)), rtol=1e-5)
    upwards = stats.norm(0, 2).ppf(probabilities)[::-1]
    np.testing.assert_allclose(second, np.tile(upwards[:, None], (1, 6)), rtol=1e-5)


@pytest.mark.parametrize("length", [1, 2])
@pytest.mark.parametrize("event", [(1,), (2,), (5,), (4, 4, 1)])
def test_manifold_of_any_example(length, event):
    weights = np.random.default_rng(0).normal(size=(length, int(np.prod(event))))
    figure = manifold(lambda z: (z @ weights).reshape(-1, *event), stats.norm(), length, steps=4)
    figure.draw_without_rendering()
    assert len(figure.axes) >= 1


@pytest.mark.parametrize("units", [1, 2])
def test_manifold_takes_the_units_of_the_model(units):
    model = zoo.create("vae", (3,), latents=units, hidden=(4,))
    manifold(model, model.prior_distribution(), steps=4).draw_without_rendering()


def test_interpolation_is_a_straight_line():
    first, second = np.random.default_rng(0).normal(size=(2, 3, 4))
    codes = interpolation_codes(first, second, 5)
    np.testing.assert_allclose(codes[:, 0], first)
    np.testing.assert_allclose(codes[:, -1], second)
    np.testing.assert_allclose(np.diff(codes, n=2, axis=1), 0, atol=1e-12)


def test_pairs_are_within_and_between_classes():
    labels = np.repeat([3, 5, 8], 10)
    pairs = choose_pairs(labels, 30, 2, seed=1)
    assert pairs.shape == (4, 2)
    kinds = labels[pairs]
    assert (kinds[:2, 0] == kinds[:2, 1]).all()
    assert (kinds[2:, 0] != kinds[2:, 1]).all()
    assert (pairs[:, 0] != pairs[:, 1]).all()
    alone = choose_pairs(np.array([1, 2]), 2, 3)
    assert sorted(alone[0]) == [0, 1]
    assert len(np.unique(choose_pairs(None, 9, 4))) == 8


def test_interpolations_begin_and_end_at_the_codes():
    codes = np.array([[1.0, 2.0], [5.0, 8.0]])
    (axes,) = interpolations(blocks, codes, steps=3).axes
    canvas = np.asarray(axes.images[0].get_array())
    np.testing.assert_allclose(sorted(canvas[0, [0, 6]]), [1, 5])
    np.testing.assert_allclose(canvas[0, [3, 4]], [3, 5])


@pytest.mark.parametrize("frames", [2, 7, 30])
@pytest.mark.parametrize("dead", [False, True])
def test_gif_has_the_frames_asked_for(frames, dead):
    content = traversal_gif(
        (lambda z: blocks(0 * z)) if dead else blocks, stats.norm(), 4, frames=frames, seconds=1.5
    )
    with Image.open(io.BytesIO(content)) as image:
        assert image.format == "GIF"
        assert image.n_frames == frames
        assert image.info["loop"] == 0
        assert abs(image.info["duration"] - 1500 / frames) <= 10


def test_gif_frames_are_the_pictures():
    frames = [np.full((4, 6), value, np.uint8) for value in (0, 90, 255)]
    with Image.open(io.BytesIO(encode_gif(frames, 0.1))) as image:
        for index, frame in enumerate(frames):
            image.seek(index)
            np.testing.assert_array_equal(np.asarray(image.convert("L")), frame)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: quantiles(stats.norm(), np.array([0.0]), 1), r"within \(0, 1\)"),
        (lambda: quantiles(stats.norm(0, [1, 2, 3]), np.array([0.5]), 2), "must have 2 units"),
        (lambda: quantiles(np.zeros((5, 3)), np.array([0.5]), 2), "must have 2 units; received 3"),
        (lambda: central(3, 1.0), "coverage must be within"),
        (lambda: manifold(blocks, stats.norm(), 3), "codes of 1 or 2 units; received 3"),
        (lambda: prior_traversals(blocks, stats.norm(), 2, units=[2]), "indices from 0 to 1"),
        (lambda: prior_traversals(blocks, stats.norm(), 2, steps=0), "steps must be a whole"),
        (lambda: posterior_traversals(blocks, np.full((3, 2), np.inf)), "codes must be finite"),
        (lambda: interpolations(blocks, np.zeros((1, 2))), "at least 2 examples; received 1"),
        (lambda: interpolations(blocks, np.zeros((3, 2)), [1, 2]), "one for each of the 3"),
        (lambda: interpolation_codes(np.zeros((1, 2)), np.zeros((1, 2)), 1), "at least 2"),
        (lambda: interpolation_codes(np.zeros((1, 2)), np.zeros((2, 2))), "one shape"),
        (lambda: traversal_gif(blocks, stats.norm(), 2, frames=1), "at least 2"),
        (lambda: traversal_gif(blocks, stats.norm(), 2, seconds=0), "seconds must be positive"),
        (lambda: traversal_gif(lambda z: z, stats.norm(), 2), "needs a model of pictures"),
    ],
)
def test_bad_walks_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
