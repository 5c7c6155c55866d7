"""Schedules against their formulas in NumPy."""

import keras
import numpy as np
import pytest

from zoo.recipes import CyclicWarmUp, LinearSchedule, WarmUp

STEPS = np.array([0, 1, 3, 5, 9, 10, 11, 19, 20, 45, 1000])
CASES = [
    (LinearSchedule(100, 25, 10), 100 - 75 * np.minimum(STEPS / 10, 1)),
    (WarmUp(0.5, 10), 0.5 * np.minimum(STEPS / 10, 1)),
    (
        WarmUp(keras.optimizers.schedules.ExponentialDecay(1.0, 10, 0.5), 5),
        0.5 ** (STEPS / 10) * np.minimum(STEPS / 5, 1),
    ),
    (
        CyclicWarmUp(2.0, 10, ramp=0.5, cycles=3),
        np.where(STEPS < 30, 2 * np.minimum(STEPS % 10 / 5, 1), 2),
    ),
]


@pytest.mark.parametrize(("schedule", "expected"), CASES)
def test_values(schedule, expected):
    values = [float(schedule(step)) for step in STEPS]
    np.testing.assert_allclose(values, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(("schedule", "expected"), CASES)
def test_values_after_serialization(schedule, expected):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(schedule))
    np.testing.assert_allclose([float(again(s)) for s in STEPS], expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LinearSchedule(0, 1, 0), "steps must be a whole number of at least 1"),
        (lambda: LinearSchedule(0, float("nan"), 5), "end must be a finite number"),
        (lambda: LinearSchedule(WarmUp(1, 2), 1, 5), "start must be a number"),
        (lambda: WarmUp("much", 5), "value must be a finite number"),
        (lambda: CyclicWarmUp(1, 10, ramp=0), "ramp must lie in"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()
