import numpy as np
import pytest
from scipy import stats

from zoo.evaluation import sparsity

EQUAL = np.array([[2.0, -2, 2, 2]])
ONE = np.array([[0, 0, -3.0, 0]])


@pytest.mark.parametrize(
    ("measure", "equal", "one"),
    [
        (sparsity.hoyer, 0, 1),
        (sparsity.gini, 0, 0.75),
        (sparsity.treves_rolls, 1, 0.25),
        (sparsity.one_active, 0, 1),
    ],
)
def test_ends_of_each_scale(measure, equal, one):
    assert measure(EQUAL)[0] == pytest.approx(equal, abs=1e-12)
    assert measure(ONE)[0] == pytest.approx(one, abs=1e-12)


@pytest.mark.parametrize("measure", [sparsity.hoyer, sparsity.gini, sparsity.treves_rolls])
def test_scale_sign_and_order_do_not_matter(measure):
    codes = np.random.default_rng(0).normal(size=(20, 7))
    changed = -3.5 * codes[:, ::-1]
    np.testing.assert_allclose(measure(codes), measure(changed))
    assert np.isnan(measure(np.zeros((1, 7)))[0])


def test_gini_equals_half_the_relative_mean_difference():
    values = np.abs(np.random.default_rng(0).normal(size=9))
    differences = np.abs(values[:, None] - values).mean() / (2 * values.mean())
    assert sparsity.gini(values[None])[0] == pytest.approx(differences)


def test_lifetime_is_population_of_the_transpose():
    codes = np.random.default_rng(0).normal(size=(6, 4))
    np.testing.assert_allclose(sparsity.treves_rolls(codes, 0), sparsity.treves_rolls(codes.T))


def test_scores_of_known_codes():
    codes = np.zeros((100, 4))
    codes[:, 0] = 1  # dense
    codes[:5, 1] = -1  # rare
    codes[:50, 2] = 0.001  # below the threshold: dead, like unit 3
    found = sparsity.scores(codes)
    assert found["l0"] == pytest.approx(1.05)
    assert found["dense_units"] == 1
    assert found["dead_units"] == 2
    assert found["one_active_share"] == pytest.approx(0.95)
    assert found["kurtosis"] == pytest.approx(stats.kurtosis(codes[:, 1]))
    assert found["treves_rolls_lifetime"] == pytest.approx((1 + 0.05) / 2)


def test_the_threshold_follows_the_scale():
    codes = np.random.default_rng(0).normal(size=(200, 5)) ** 3
    assert sparsity.scores(codes) == pytest.approx(sparsity.scores(codes * 1e-3), rel=1e-6)


def test_intervals_hold_the_values():
    codes = np.random.default_rng(0).laplace(size=(200, 5))
    found = sparsity.scores(codes, bootstrap=100)
    for name in ("hoyer", "kurtosis", "l0"):
        assert found[name]["low"] <= found[name]["value"] <= found[name]["high"]


def test_codes_of_zeros_are_nan_with_a_warning():
    with pytest.warns(UserWarning, match="hoyer, gini, .* is NaN: no unit varies"):
        found = sparsity.scores(np.zeros((10, 3)))
    assert np.isnan(found["hoyer"]) and np.isnan(found["kurtosis"])
    assert found["dead_units"] == 3


def test_decoded_units_probe_one_unit_each():
    pictures = sparsity.decoded_units(lambda z: 2 * z, 3, np.array([1, 2, 3]), np.ones(3))
    np.testing.assert_allclose(pictures, 2 * (np.diag([1, 2, 3]) + 1))


def test_mean_active_inputs_average_the_strongest():
    x = np.arange(12, dtype=np.uint8).reshape(6, 2)
    codes = np.zeros((6, 2))
    codes[[1, 4], 0] = [-5, 4]
    codes[0, 1] = 1
    found = sparsity.mean_active_inputs(x, codes, top=2)
    np.testing.assert_allclose(found[0], x[[1, 4]].mean(0) / 255)
    with pytest.raises(ValueError, match="match the 6 codes"):
        sparsity.mean_active_inputs(x[:5], codes)
