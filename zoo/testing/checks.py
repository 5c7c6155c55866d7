"""The checks, each a function of a `Trial` that raises AssertionError."""

from __future__ import annotations

import json
import unittest
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal

from zoo.testing.trial import (
    BATCH,
    Trial,
    condition_of,
    generated,
    some,
    train,
    values,
)

# Name -> check.
CHECKS: dict[str, Callable[[Trial], None]] = {}


def _check(function: Callable[[Any], None]) -> Callable[[Any], None]:
    CHECKS[function.__name__.removeprefix("check_").replace("_", " ")] = function
    return function


@_check
def check_shapes(trial: Trial) -> None:
    """What every method gives has its shape and is float32; reconstruct is decode of encode."""
    rows = some(trial.data, slice(5))
    model: Any = trial.model
    shape, given = model.target_shape or model.event_shape, condition_of(model, rows)
    code = model.encode(rows)
    assert code.shape == (5, *model.code_shape) and code.dtype == np.float32
    decoded = model.decode(code, **given)
    assert decoded.shape == (5, *shape) and decoded.dtype == np.float32
    assert_allclose(model.reconstruct(rows), decoded, rtol=1e-5, atol=1e-6)
    assert_allclose(model.predict(rows, verbose=0), decoded, rtol=1e-5, atol=1e-6)
    assert tuple(model.conditional(code, **given).event_shape) == shape
    posterior = model.posterior(rows, **given)
    if posterior is not None:
        assert tuple(posterior.batch_shape) == (5,)
        assert tuple(posterior.event_shape) == model.code_shape


@_check
def check_terms_and_weights_are_finite(trial: Trial) -> None:
    """In an epoch, under the names that the model says."""
    assert set(trial.history) == set(trial.model.term_names)
    for name, series in trial.history.items():
        assert np.isfinite(series).all(), f"The term {name!r} is not a finite number."
    _assert_finite(trial.model)


@_check
def check_gradients_are_finite_at_the_edges(trial: Trial) -> None:
    """On examples that are all 0 and all 1, from fresh weights: codes may be exactly 0 there."""
    model = trial.compiled()
    for value in (0, 1):
        x, *beside = trial.data if isinstance(trial.data, tuple) else (trial.data,)
        rows = some((np.full_like(x, value), *beside), slice(BATCH))
        train(model, rows if beside else rows[0])
        _assert_finite(model, f" after a step on examples of {value}")


@_check
def check_rows_do_not_depend_on_their_neighbours(trial: Trial) -> None:
    """The code of a row is the same alone and among others."""
    alone = trial.model.encode(some(trial.data, slice(7, 8)))[0]
    among = trial.model.encode(trial.data)[7]
    assert_allclose(alone, among, rtol=1e-5, atol=1e-6)


@_check
def check_generates_by_seed(trial: Trial) -> None:
    """One seed gives the same examples again, another gives others."""
    model = trial.model
    if model.prior is None:
        try:
            model.generate(3)
        except ValueError as error:
            assert "no prior" in str(error)
            return
        raise AssertionError("A model without a prior must refuse to generate.")
    first = generated(model, 3, seed=1)
    assert first.shape == (3, *model.event_shape) and np.isfinite(first).all()
    assert_array_equal(first, generated(model, 3, seed=1))
    assert not np.array_equal(first, generated(model, 3, seed=2))


@_check
def check_configuration_round_trip(trial: Trial) -> None:
    """A model made of the configuration has the same configuration, and weights of the same shapes."""
    model = trial.model
    config = json.loads(json.dumps(model.get_config()))
    again = type(model).from_config(json.loads(json.dumps(config)))
    assert json.loads(json.dumps(again.get_config())) == config
    assert [w.shape for w in again.weights] == [w.shape for w in model.weights]


@_check
def check_saves_loads_and_trains_on(trial: Trial) -> None:
    """Saved and loaded between two epochs, the model comes to the same weights and gives the same answers."""
    loaded = trial.half()
    _assert_same_terms(train(loaded, trial.data), trial.second, 1e-6)
    for one, other in zip(values(loaded.weights), values(trial.model.weights), strict=True):
        assert_allclose(one, other, rtol=1e-6, atol=1e-6)
    assert_allclose(loaded.reconstruct(trial.data), trial.model.reconstruct(trial.data), 1e-5, 1e-6)
    if loaded.prior is not None:
        assert_allclose(generated(loaded, 3), generated(trial.model, 3), 1e-5, 1e-6)


@_check
def check_compiled_by_xla_it_is_the_same(trial: Trial) -> None:
    """The terms of an epoch with XLA are those without, where every part says that XLA has its operations."""
    if not trial.model.jit_possible:
        raise unittest.SkipTest("A part or a layer says that XLA lacks an operation of it.")
    _assert_same_terms(train(trial.compiled(jit_compile=True), trial.data), trial.history, 1e-4)


@_check
def check_two_devices_are_as_one(trial: Trial) -> None:
    """Two halves of a batch, on two logical processors, give the terms and weights of the whole batch."""
    from zoo.runs.strategies import strategy

    try:
        place = strategy("mirrored", virtual_devices=2)
    except ValueError as error:
        raise unittest.SkipTest(
            f"{error} In a conftest.py, before TensorFlow computes anything: "
            "zoo.runs.strategy('mirrored', virtual_devices=2)."
        ) from error
    with place.scope():
        double = trial.compiled()
    _assert_same_terms(train(double, trial.data), trial.history, 1e-4)
    _assert_same_terms(train(double, trial.data), trial.second, 1e-4)
    for one, other in zip(values(double.weights), values(trial.model.weights), strict=True):
        assert_allclose(one, other, rtol=1e-4, atol=1e-4)


@_check
def check_trains_in_bfloat16(trial: Trial) -> None:
    """Under Keras's mixed precision, to the terms of float32 within 5 %."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = trial.compiled()
    finally:
        keras.config.set_dtype_policy(policy)
    history = train(model, trial.data)
    assert model.encode(some(trial.data, slice(5))).dtype == np.float32
    for name, series in history.items():
        assert np.isfinite(series).all(), f"The term {name!r} is not a finite number in bfloat16."
    assert_allclose(history["reconstruction"], trial.history["reconstruction"], rtol=0.05)


@_check
def check_exports(trial: Trial) -> None:
    """A SavedModel, loaded back by TensorFlow alone, encodes as the model."""
    with TemporaryDirectory() as folder:
        place = Path(folder) / "exported"
        trial.model.export(place)  # which holds all its answers to the model's
        loaded: Any = tf.saved_model.load(str(place))
        assert {"reconstruct", "encode", "decode"} <= set(loaded.signatures)


def _assert_finite(model: keras.Model, when: str = "") -> None:
    for variable in model.trainable_variables:
        assert np.isfinite(variable.numpy()).all(), f"{variable.path} is not finite{when}."


def _assert_same_terms(
    first: dict[str, list[float]], second: dict[str, list[float]], tolerance: float
) -> None:
    assert first.keys() == second.keys(), f"{sorted(first)} and {sorted(second)}"
    for name in first:
        assert_allclose(first[name], second[name], tolerance, tolerance, err_msg=name)
