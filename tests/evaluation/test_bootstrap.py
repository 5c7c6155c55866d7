import numpy as np
import pytest
from scipy import stats

from zoo.evaluation.bootstrap import intervals, means


def test_without_resamples_values_are_plain():
    values = np.array([1.0, 2.0, 6.0])
    assert means({"a": values}) == {"a": 3.0}


def test_agrees_with_scipy_and_with_the_normal_interval():
    values = np.random.default_rng(0).exponential(size=400)
    found = means({"a": values}, 4000, seed=1)["a"]
    reference = stats.bootstrap(
        (values,), np.mean, n_resamples=4000, method="percentile", rng=np.random.default_rng(2)
    ).confidence_interval
    half = 1.96 * values.std(ddof=1) / 20
    assert found["value"] == pytest.approx(values.mean())
    assert found["low"] == pytest.approx(reference.low, abs=0.1 * half)
    assert found["high"] == pytest.approx(reference.high, abs=0.1 * half)
    assert found["high"] - found["low"] == pytest.approx(2 * half, rel=0.1)


def test_takes_out_the_bias_of_repeated_rows():
    # A resample holds about 63 % of the rows, so its count of distinct rows lies far below 100.
    def distinct(rows):
        return {"distinct": float(len(np.unique(rows)))}

    found = intervals(distinct, 100, 2000, seed=0)["distinct"]
    assert found["value"] == 100
    spread = np.sqrt(100 * (np.exp(-1) - 2 * np.exp(-2)))  # of the number of filled cells
    assert found["low"] == pytest.approx(100 - 1.96 * spread, abs=1)
    assert found["high"] == pytest.approx(100 + 1.96 * spread, abs=1)
    assert intervals(distinct, 100, 200, bounds=(0, 100))["distinct"]["high"] == 100


def test_a_value_that_is_nan_has_a_nan_interval():
    found = intervals(lambda rows: {"a": float("nan")}, 5, 10)["a"]
    assert all(np.isnan(found[key]) for key in ("value", "low", "high"))


def test_the_seed_fixes_the_interval():
    values = np.arange(20.0)
    assert means({"a": values}, 50, seed=3) == means({"a": values}, 50, seed=3)
    assert means({"a": values}, 50, seed=3) != means({"a": values}, 50, seed=4)


@pytest.mark.parametrize("arguments", [{"resamples": -1}, {"resamples": 1, "level": 1.0}])
def test_bad_arguments_are_refused(arguments):
    with pytest.raises(ValueError, match="resamples >= 0"):
        intervals(lambda rows: {"a": 0.0}, 5, **arguments)
