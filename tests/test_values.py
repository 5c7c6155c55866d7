"""Numbers that are checked and shown."""

import numpy as np
import pytest

from zoo.values import number_text, positive_int, whole_number


@pytest.mark.parametrize("value", [3, np.int8(3), np.uint64(3)])
def test_whole_numbers_of_any_kind_are_python_integers(value):
    assert whole_number(value, "n") == 3 and type(whole_number(value, "n", 3)) is int


@pytest.mark.parametrize("value", [True, np.True_, 3.0, np.float32(3), "3", None, 0, -1])
def test_what_is_not_a_positive_integer_is_refused_by_name(value):
    with pytest.raises(
        ValueError, match=r"^epochs must be a whole number of at least 1; received "
    ):
        positive_int(value, "epochs")


@pytest.mark.parametrize(
    ("value", "text", "padded"),
    [
        (0.123456, "0.1235", "0.1235"),
        (0.5, "0.5", "0.5000"),
        (92.9952, "93", "93.00"),
        (1.0, "1", "1"),
        (-114.007, "-114", "-114.0"),
        (1234.5, "1234", "1234"),
        (12345.678, "12346", "12346"),
        (999999.96, "1000000", "1000000"),
        (2e-6, "2.000e-06", "2.000e-06"),
        (3e7, "3.000e+07", "3.000e+07"),
        (float("nan"), "NaN", "NaN"),
        (float("-inf"), "-inf", "-inf"),
        (-0.0, "0", "0"),
        (np.float32(0.1), "0.1", "0.1000"),
    ],
)
def test_numbers_are_short(value, text, padded):
    assert number_text(value) == text
    assert number_text(value, padded=True) == padded


def test_the_digits_can_be_chosen():
    assert number_text(0.123456, digits=2) == "0.12"
    assert number_text(1.5e-7, digits=2) == "1.5e-07"
