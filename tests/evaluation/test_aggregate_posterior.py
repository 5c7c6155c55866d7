import numpy as np
import pytest
from sklearn.metrics.pairwise import rbf_kernel

from zoo.evaluation import aggregate_posterior as aggregate
from zoo.evaluation.checks import NotComputable
from zoo.evaluation.kernel_distance import (
    cubic_kernel,
    gaussian_kernel,
    median_distance,
    squared_mmd,
)


def closed_form(d, h, mean, v1, v2):
    def expectation(total, shift):
        return (h**2 / (h**2 + total)) ** (d / 2) * np.exp(-shift / (2 * (h**2 + total)))

    return expectation(2 * v1, 0) + expectation(2 * v2, 0) - 2 * expectation(v1 + v2, d * mean**2)


def test_mmd_between_gaussians_equals_its_closed_form():
    rng = np.random.default_rng(0)
    a, b = rng.normal(0.5, 1.5, (3000, 3)), rng.normal(0, 1, (2500, 3))
    found = squared_mmd(a, b, gaussian_kernel(2.0))
    assert found == pytest.approx(closed_form(3, 2.0, 0.5, 2.25, 1), rel=0.1)


def test_mmd_is_unbiased_where_the_distributions_agree():
    rng = np.random.default_rng(0)
    draws = [squared_mmd(*rng.normal(size=(2, 30, 2)), gaussian_kernel(1.0)) for _ in range(300)]
    assert abs(np.mean(draws)) < 3 * np.std(draws) / np.sqrt(300)
    assert min(draws) < 0


def test_blocks_do_not_change_the_mmd(monkeypatch):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(70, 2)), rng.normal(1, 1, size=(50, 2))
    kaa, kbb, kab = (rbf_kernel(u, v, gamma=0.5) for u, v in ((a, a), (b, b), (a, b)))
    expected = (kaa.sum() - 70) / (70 * 69) + (kbb.sum() - 50) / (50 * 49) - 2 * kab.mean()
    monkeypatch.setattr("zoo.evaluation.kernel_distance._BLOCK", 16)
    assert squared_mmd(a, b, gaussian_kernel(1.0)) == pytest.approx(expected)


def test_kernels_and_bandwidth_equal_their_formulas():
    a, b = np.array([[1.0, 2.0]]), np.array([[3.0, -1.0]])
    assert cubic_kernel(a, b)[0, 0] == pytest.approx((1 / 2 + 1) ** 3)
    assert gaussian_kernel(2.0)(a, b)[0, 0] == pytest.approx(np.exp(-13 / 8))
    assert median_distance(np.array([[0.0], [1.0], [3.0]])) == 2
    with pytest.raises(NotComputable, match="coincide"):
        median_distance(np.zeros((5, 2)))


@pytest.mark.parametrize(("mean", "scale"), [(0.0, 1.0), (1.0, 1.0), (0.0, 0.5), (-0.7, 1.3)])
def test_marginal_divergence_of_a_gaussian_comes_near_its_closed_form(mean, scale):
    rng = np.random.default_rng(0)
    codes = rng.normal(mean, scale, (20_000, 1))
    prior = rng.normal(size=(50_000, 1))
    exact = (scale**2 + mean**2 - 1) / 2 - np.log(scale)
    found = aggregate.marginal_divergences(codes, prior)[0]
    assert found == pytest.approx(exact, abs=0.015 + 0.03 * exact)


def test_marginal_divergence_of_a_constant_unit_reaches_its_limit():
    prior = np.random.default_rng(0).normal(size=(50_000, 1))
    found = aggregate.marginal_divergences(np.zeros((1000, 1)), prior, bins=100)[0]
    assert np.log(50) - 0.1 < found < np.log(100)


def test_marginal_divergence_from_a_discrete_prior():
    rng = np.random.default_rng(0)
    prior = rng.integers(0, 2, (50_000, 1))
    codes = (rng.random((20_000, 1)) < 0.9).astype(int)
    exact = np.log(2) + 0.9 * np.log(0.9) + 0.1 * np.log(0.1)
    assert aggregate.marginal_divergences(codes, prior)[0] == pytest.approx(exact, abs=0.01)


def test_active_units_have_a_variance_above_the_threshold():
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(2000, 3)) * [1.0, 0.11, 0.09]
    assert aggregate.active_units(codes).tolist() == [True, True, False]


def test_scores_of_samples_of_the_prior_are_those_of_agreement():
    rng = np.random.default_rng(0)
    codes, prior = rng.normal(size=(3000, 4)), rng.normal(size=(50_000, 4))
    found = aggregate.scores(codes, codes, prior)
    assert found["active_units"] == 4
    assert abs(found["aggregate_mmd2"]) < 1e-3
    assert found["aggregate_kl_max"] < 0.01
    shifted = aggregate.scores(codes, codes + 1, prior)
    assert shifted["aggregate_mmd2"] > 0.1
    assert shifted["aggregate_kl"] == pytest.approx(4 * 0.5, rel=0.1)


def test_bad_samples_are_refused():
    with pytest.raises(ValueError, match="3 units, prior samples 2"):
        aggregate.marginal_divergences(np.zeros((5, 3)), np.zeros((1000, 2)))
    with pytest.raises(NotComputable, match="10 prior samples for each of 100 bins"):
        aggregate.marginal_divergences(np.zeros((5, 2)), np.zeros((100, 2)))
    with pytest.raises(ValueError, match="shapes"):
        squared_mmd(np.zeros((5, 3)), np.zeros((5, 2)), cubic_kernel)
    with pytest.raises(NotComputable, match="2 or more"):
        squared_mmd(np.zeros((1, 3)), np.zeros((5, 3)), cubic_kernel)
