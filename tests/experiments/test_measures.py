"""The measures that experiments judge by, against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, optimize, stats

import zoo
from zoo.experiments import digits
from zoo.experiments.experiment import Claim, means, rising, spreads
from zoo.experiments.lecture import (
    disentangling_sprites,
    filters,
    info_vae_digits,
    info_vae_two_points,
    sprite_models,
    sprite_responses,
)
from zoo.experiments.lp import contours
from zoo.experiments.sparse_vae import gabor
from zoo.experiments.sparse_vae.synthetic import explained, overlap
from zoo.experiments.uniform_to_gaussian.line import fitted_line
from zoo.experiments.uniform_to_gaussian.square import not_normal

RNG = np.random.default_rng(0)


def test_conv_is_the_network_of_the_authors_code():
    """Encoder: conv 64, conv 128, dense 1024, each 4 x 4 of stride 2 or full, slope .1 below 0."""
    encoder, decoder = digits.networks("conv")
    assert decoder(encoder(np.zeros((2, 28, 28, 1)))[:, :10]).shape == (2, 28, 28, 1)

    def layers(network):
        return [la for la in network.layers if la.weights]

    shapes = [la.kernel.shape for la in layers(encoder)]
    assert shapes == [(4, 4, 1, 64), (4, 4, 64, 128), (6272, 1024)]
    assert [la.strides for la in layers(encoder)[:2]] == [(2, 2)] * 2
    shapes = [la.kernel.shape for la in layers(decoder)]
    assert shapes == [(10, 1024), (1024, 6272), (4, 4, 64, 128), (4, 4, 1, 64)]
    below = np.float32([-1.0])
    np.testing.assert_allclose([la.activation(below) for la in layers(encoder)], -0.1)
    ends = [float(la.activation(below)[0]) for la in layers(decoder)]
    assert ends == [0, 0, 0, -1]
    assert digits.networks("mlp") == "mlp"


def test_verdicts():
    claim = Claim("a", lambda m: m["x"] > 1, published=lambda m: m["y"] > 1)
    assert claim.verdict({"x": 2, "y": 0}) == "holds"
    assert claim.verdict({"x": 0, "y": 2}) == "holds only with the published weights"
    seeds = [{"x": 2, "y": 2}, {"x": 0, "y": 2}, {"x": 0, "y": 2}]
    assert claim.supporters("holds only with the published weights", seeds) == 3
    assert claim.supporters("does not hold", seeds) == 1
    assert claim.verdict({"x": 0, "y": 0}) == "does not hold"


def test_one_seed_does_not_carry_a_verdict():
    claim = Claim("a", lambda m: m["x"] > 1)
    runs = [{"x": 9.0}, {"x": 0.0}, {"x": 0.0}]
    assert claim.verdict(means(runs)) == "holds"
    assert claim.verdict(means(runs), runs) == "does not hold"
    assert claim.verdict({"x": 4.5}, [{"x": 9.0}, {"x": 0.0}]) == "holds"
    assert claim.verdict({"x": 0.5}, [{"x": 2.0}, {"x": 2.0}, {"x": -2.5}]) == "does not hold"


def test_means_and_spreads_are_those_of_numpy():
    runs = [{"a": 1.0}, {"a": 2.5}, {"a": 7.0}]
    assert means(runs)["a"] == pytest.approx(np.mean([1, 2.5, 7]))
    assert spreads(runs)["a"] == pytest.approx(np.std([1, 2.5, 7], ddof=1))
    assert spreads(runs[:1]) == {"a": 0.0}


def test_rising_allows_its_tolerance():
    assert rising([1, 1, 2]) and not rising([1, 0.9]) and rising([1, 0.9], 0.2)


@pytest.mark.parametrize("p", [0.5, 1.0, 3.0])
def test_gauge_is_the_norm_to_the_power_p(p):
    x = RNG.normal(size=(20, 3))
    np.testing.assert_allclose(contours.gauge(x, p), np.linalg.norm(x, ord=p, axis=1) ** p)


def test_gauge_at_its_ends():
    x = np.array([[0.0, 2.0], [-3.0, 1.0]])
    np.testing.assert_array_equal(contours.gauge(x, 0), [1, 2])
    np.testing.assert_array_equal(contours.gauge(x, math.inf), [2, 3])


def test_a_gabor_function_is_found_and_noise_is_not():
    picture = 0.7 * gabor.gabor([5.2, 6.1, 0.6, 2.0, 2.5, 0.18, 0.4], 12) + 0.2
    score, fitted = gabor.fit(picture)
    assert score > 0.999
    np.testing.assert_allclose(fitted, picture, atol=0.02)
    assert gabor.fit(RNG.normal(size=(12, 12)))[0] < 0.5
    assert gabor.fit(np.ones((12, 12)))[0] == 0


def test_the_reach_of_a_gaussian_filter_is_its_width():
    rows, columns = np.mgrid[:28, :28]
    bump = np.exp(-((rows - 13) ** 2 + (columns - 15) ** 2) / (2 * 3.0**2))
    # The square of a Gaussian of width 3 has width 3 / sqrt(2) along each of two axes.
    assert filters.radius(bump.reshape(784, 1))[0] == pytest.approx(3.0, rel=1e-3)


def test_area_counts_the_pixels_with_half_of_the_energy():
    dot, flat, two = np.zeros(784), np.full(784, -0.5), np.zeros(784)
    dot[5], two[[3, 700]] = -2, 1
    # Noise all over with a hundredth of the energy of a bar of four
    bar = np.random.default_rng(0).normal(0, (0.04 / 784) ** 0.5, 784)
    bar[100:104] = 1
    np.testing.assert_array_equal(
        filters.area(np.stack([dot, flat, two, bar], axis=1)), [1, 392, 1, 3]
    )


def test_not_normal_does_not_answer_to_rotation():
    square = RNG.uniform(-(3**0.5), 3**0.5, (20_000, 2))
    turned = square @ np.array([[1, -1], [1, 1]]) / 2**0.5
    values = [not_normal(z) for z in (square, turned)]
    # Largest |F_uniform - F_normal| of variance 1, along an axis.
    line = np.linspace(-2, 2, 4001)
    expected = np.abs(stats.uniform(-(3**0.5), 12**0.5).cdf(line) - stats.norm.cdf(line)).max()
    np.testing.assert_allclose(values, expected, atol=0.01)
    assert not_normal(RNG.normal(size=(20_000, 2))) < 0.02


def test_draws_of_the_aggregate_posterior_have_its_moments():
    model = zoo.create("vae", (2,), latents=2, hidden=(8,), likelihood="normal", seed=0)
    x = RNG.normal(size=(20, 2)).astype(np.float32) * 5
    posterior = model.posterior(x)
    mean, deviation = np.asarray(posterior.mean()), np.asarray(posterior.stddev())
    z = info_vae_digits.aggregate_sample(model, x, 0)
    variance = (deviation**2).mean(axis=0) + mean.var(axis=0)
    np.testing.assert_allclose(z.mean(axis=0), mean.mean(axis=0), atol=0.05 * variance.max() ** 0.5)
    np.testing.assert_allclose(z.var(axis=0), variance, rtol=0.06)


def test_a_line_is_kept_where_a_new_start_does_worse():
    x = RNG.uniform(size=(256, 2)).astype(np.float32)

    def error(model):
        return float(((model.reconstruct(x) - x) ** 2).mean())

    known = fitted_line(x, 0, 0.01, None, 150, 1e-2)
    new = fitted_line(x, 0, 0.001, None, 1, 1e-4)
    on = fitted_line(x, 0, 0.001, known, 1, 1e-4)
    assert error(known) < 0.05 < 0.07 < error(new)
    assert error(on) == pytest.approx(error(known), rel=0.1)


def test_overlap_of_spans():
    basis = RNG.normal(size=(5, 25))
    assert overlap(RNG.normal(size=(10, 5)) @ basis, basis) == pytest.approx(1)
    assert overlap(RNG.normal(size=(10, 25)), basis) < 0.6


def test_explained_is_sklearns_r2():
    from sklearn.metrics import r2_score

    x, y = RNG.normal(size=(2, 50, 4))
    expected = r2_score(x, y, multioutput="variance_weighted")
    assert explained(x, y) == pytest.approx(expected)


def test_unit_scales_divide_by_a_power_of_the_deviation():
    codes = RNG.normal(size=(5000, 3)) * [1, 4, 0]
    plain, root = (digits.unit_scales(codes, power) for power in (0.0, 0.5))
    assert plain == pytest.approx(np.full(3, plain[0]))
    assert root[0] / root[1] == pytest.approx(2, rel=0.02)
    for scale in (plain, root):
        assert (codes * scale).var(axis=0).mean() == pytest.approx(1)
    assert np.isfinite(root).all()


def test_sharpness_of_a_checkerboard():
    board = np.indices((8, 8)).sum(axis=0)[None, :, :, None] % 2 * 1.0
    assert digits.sharpness(board) > 10 * digits.sharpness(0.1 * board)
    assert digits.sharpness(np.ones((2, 8, 8, 1))) == 0


def test_logistic_regression_separates_what_is_linear():
    labels = RNG.integers(0, 3, 600)
    x = (np.eye(3)[labels] + 0.1 * RNG.normal(size=(600, 3))).astype(np.float32)
    held, named = digits.logistic_regression(x[:500], labels[:500], x[500:], 0, 50)
    assert held < 0.05
    assert (named == labels[500:]).mean() > 0.95


def test_two_points_where_the_docstring_says():
    """Least KL at a fixed r, and least MMD of two points, by numerical search."""
    r = 5.0
    kl = lambda m: (m**2 + (m / r) ** 2) / 2 - np.log(m / r)  # noqa: E731
    found = optimize.minimize_scalar(kl, bounds=(0.01, 9), method="bounded").x
    assert found**2 == pytest.approx(1 / (1 + 1 / r**2), rel=1e-3)
    line = np.linspace(-9, 9, 4001)
    prior = stats.norm.pdf(line) * (line[1] - line[0])

    def mmd(m):
        within = (1 + np.exp(-4 * m**2)) / 2
        return within - 2 * (np.exp(-((m - line) ** 2)) * prior).sum()

    assert optimize.minimize_scalar(mmd, bounds=(0.1, 3), method="bounded").x == pytest.approx(
        0.67, abs=0.005
    )


def test_middle_of_the_prior():
    q = stats.norm([0.0, 1.0, -1.0], [1.0, 0.2, 0.2])
    expected = [integrate.quad(lambda z, i=i: q.pdf(z)[i], -0.5, 0.5)[0] for i in range(3)]
    np.testing.assert_allclose(info_vae_two_points.middle(q.mean(), q.std()), expected, rtol=1e-9)
    assert expected[0] == pytest.approx(0.383, abs=5e-4)


def test_shares_of_variance_are_those_of_an_analysis_of_variance():
    factors = np.stack([RNG.integers(0, 4, 200), RNG.integers(0, 7, 200)], axis=1)
    codes = RNG.normal(size=(200, 3)) + factors[:, :1] * [2.0, 0.1, 0.0] + [5.0, 0.0, -3.0]
    found = disentangling_sprites.shares_of_variance(codes, factors)
    for unit in range(3):
        for factor, values in enumerate((4, 7)):
            groups = [codes[factors[:, factor] == value, unit] for value in range(values)]
            ratio = stats.f_oneway(*groups).statistic * (values - 1) / (200 - values)
            assert found[unit, factor] == pytest.approx(ratio / (1 + ratio))
    assert (disentangling_sprites.shares_of_variance(np.ones((200, 2)), factors) == 0).all()


def test_a_unit_leads_by_what_the_next_one_lacks():
    shares = np.zeros((10, 5))
    shares[6, 1], shares[3, 1] = 0.7, 0.4  # scale: its own unit, and one of the shape's
    shares[7, 2], shares[8, 2] = 0.1, 0.3  # orientation: another unit shows more of it
    shares[8, 3], shares[9, 4] = 0.9, 0.8
    leads = disentangling_sprites.leads(shares, sprite_models.SIZES)
    expected = {"scale": 0.3, "orientation": -0.2, "x_position": 0.9, "y_position": 0.8}
    assert leads == pytest.approx(expected)


def test_smaller_sprites_are_means_of_pixels():
    indices = RNG.permutation(zoo.data.sprites.COUNT)[:3]
    large = zoo.data.sprites.render(indices)
    small = sprite_models.Pictures(32).render(indices)
    assert small.shape == (3, 32, 32, 1) and small.dtype == np.uint8
    for row, down, across in np.ndindex(3, 32, 32):
        square = large[row, 2 * down : 2 * down + 2, 2 * across : 2 * across + 2]
        assert abs(small[row, down, across, 0] - square.mean()) <= 0.5
    assert sprite_models.Pictures(64).of(large) is large
    x, factor = next(sprite_models.Pictures(16).scenes(seed=2))
    whole, same = next(zoo.data.sprite_scenes(128, seed=2))
    np.testing.assert_array_equal(x, sprite_models.Pictures(16).of(whole))
    np.testing.assert_array_equal(factor, same)


class Centroids:
    """A model whose codes are known: an unused class, area, across, down, and units that say nothing."""

    def encode(self, x):
        weights = np.asarray(x, float)[..., 0]
        area = weights.sum(axis=(1, 2))
        across, down = (weights.sum(axis=axis) @ np.arange(x.shape[1]) / area for axis in (1, 2))
        ones = np.ones_like(area)
        return np.stack([ones, area / area.max(), across, down, *[0.3 * ones] * 7], axis=1)

    def decode(self, z):
        self.decoded = z
        return np.zeros((len(z), 8, 8, 1))


def test_figure_7_shows_units_over_positions_and_from_end_to_end_of_the_prior():
    model, shown = Centroids(), sprite_models.Pictures(8)
    found = sprite_responses.responses(model, shown, sprite_models.MODELS["info_gan"])
    position, places = found["position"], np.arange(32)
    assert position.shape == (5, 32, 32) and found["traversal"].shape == (5, 7, 8, 8)
    for unit in position[:2]:  # the centroids vary most, with either coordinate
        along = [abs(np.corrcoef(unit.mean(axis=axis), places)[0, 1]) for axis in (0, 1)]
        assert max(along) > 0.99 and np.ptp(unit.mean(axis=np.argmin(along))) < 0.5
    assert np.ptp(found["scale"][2]) > 0.2  # of the area
    codes = model.decoded.reshape(5, 7, 11)
    assert (codes[..., 0] == 1).all() and (codes[..., 6:] == 0).all()
    assert [tuple(np.flatnonzero(np.ptp(path, axis=0))) for path in codes][2] == (1,)
    np.testing.assert_allclose(np.ptp(codes, axis=1).max(axis=1), 2)
    told = sprite_responses.responses(model, shown, sprite_models.MODELS["dc_ign"])
    np.testing.assert_allclose(np.ptp(told["position"], axis=(1, 2))[4:], 0)
    figures = sprite_responses.draw({f"dc_ign/{k}": v[:10] for k, v in told.items()})
    names = [axis.get_ylabel() for axis in figures["dc_ign"].axes[::4]]
    assert names == ["shape"] * 6 + ["scale", "orientation", "x", "y"]
