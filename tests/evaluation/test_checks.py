import numpy as np
import pytest

from zoo.data.pixels import as_unit_floats
from zoo.evaluation.checks import (
    NotComputable,
    as_codes,
    as_factors,
    as_labels,
    batches,
)


def test_codes_are_flattened_and_keep_their_precision():
    assert as_codes(np.zeros((3, 2, 2), np.float64)).shape == (3, 4)
    assert as_codes(np.zeros((3, 4), np.float64)).dtype == np.float64
    assert as_codes(np.zeros((3, 4), np.int64)).dtype == np.float32
    assert as_codes(np.zeros((3, 4), np.float16)).dtype == np.float32


def test_codes_that_are_not_finite_are_refused_with_their_row():
    codes = np.zeros((5, 2))
    codes[3, 1] = np.nan
    with pytest.raises(ValueError, match="1 of 5 rows hold NaN or infinity, the first is row 3"):
        as_codes(codes)


@pytest.mark.parametrize("codes", [np.zeros(4), np.array([["a", "b"]]), np.zeros((3, 0))])
def test_codes_of_another_form_are_refused(codes):
    with pytest.raises(ValueError, match="Codes"):
        as_codes(codes)


def test_too_few_codes_are_not_computable():
    with pytest.raises(NotComputable, match="at least 2 codes, received 1"):
        as_codes(np.zeros((1, 3)))


def test_labels_become_indices_of_sorted_values():
    assert as_labels(np.array([[7], [3], [7]]), 3).tolist() == [1, 0, 1]
    assert as_labels(["b", "a"], 2).tolist() == [1, 0]
    assert as_labels(np.array(["nan", "None"], object), 2).tolist() == [1, 0]  # texts


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.eye(4), "argmax"),
        (np.zeros(3), "match the 4 examples; received 3"),
        (np.array([0, 1, np.nan, 1]), "NaN"),
        (["a", None, "b", "a"], "None or NaN"),
        (np.array([0, 1, np.nan, 1], object), "None or NaN"),
    ],
)
def test_bad_labels_are_refused(labels, message):
    with pytest.raises(ValueError, match=message):
        as_labels(labels, 4)


def test_factors_become_value_indices_and_constant_ones_are_left_out():
    factors = np.array([[0, 9, 1], [3, 9, 0], [0, 9, 0], [7, 9, 0], [7, 9, 1], [0, 9, 0.0]])
    with pytest.warns(UserWarning, match=r"\[1\] are constant"):
        found = as_factors(factors, 6)
    assert found.tolist() == [[0, 1], [1, 0], [0, 0], [2, 0], [2, 1], [0, 0]]


def test_continuous_factors_need_bins():
    factors = np.linspace(0, 1, 100)[:, None]
    with pytest.raises(ValueError, match="Factor 0 looks continuous: 100 distinct values"):
        as_factors(factors, 100)
    binned = as_factors(factors, 100, bins=4)
    assert np.bincount(binned[:, 0]).tolist() == [25, 25, 25, 25]


def test_factors_of_another_length_are_refused():
    with pytest.raises(ValueError, match="match the 4 codes"):
        as_factors(np.zeros((3, 2)), 4)


def test_factors_that_never_vary_are_not_computable():
    with pytest.raises(NotComputable, match="no factor varies"):
        as_factors(np.ones((6, 2), int), 6)


def test_only_bytes_are_scaled():
    assert as_unit_floats(np.array([[255, 51]], np.uint8)).tolist() == [[1.0, np.float32(0.2)]]
    assert as_unit_floats(np.array([[255.0]])).tolist() == [[255.0]]


def test_batches_cover_every_row_once():
    rows = np.arange(10)
    assert np.concatenate([rows[part] for part in batches(10, 4)]).tolist() == rows.tolist()
