"""Keras's optimizers, their options and its regularizers: they act, and two devices train as one."""

import contextlib
import inspect

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from tests.conftest import make_vectors
from tests.trainer.tiny import tiny

X = make_vectors(32)
BASES = ("Optimizer", "OptimizerMap", "MultiOptimizer", "LossScaleOptimizer")
OPTIMIZERS = sorted(
    name
    for name, cls in vars(keras.optimizers).items()
    if inspect.isclass(cls) and name not in BASES
)
# Groups of options that go together.
GROUPS = [
    {"clipnorm": 0.1},
    {"clipvalue": 0.01},
    {"global_clipnorm": 0.1},
    {"weight_decay": 0.5},
    {"use_ema": True, "ema_momentum": 0.5},
    {"loss_scale_factor": 8.0, "clipnorm": 0.1},
]
# Of one replica only.
ALONE = {"gradient_accumulation_steps": 2, "ema_overwrite_frequency": 1}


def fitted(optimizer, strategy=None, **options):
    """The weights after two steps."""
    with contextlib.nullcontext() if strategy is None else strategy.scope():
        model = tiny(name="autoencoder", **options)
        model.compile(optimizer(), jit_compile=False)
    model.fit(X, batch_size=16, shuffle=False, verbose=0)
    return model


def assert_same_weights(first, second):
    for one, other in zip(first.weights, second.weights, strict=True):
        assert_allclose(one.numpy(), other.numpy(), rtol=1e-4, atol=1e-6, err_msg=one.path)


def test_every_option_stands_in_a_group():
    known = set(inspect.signature(keras.optimizers.SGD).parameters)
    own = {"learning_rate", "momentum", "nesterov", "name", "kwargs"}
    assert known - own == {*ALONE, *(name for group in GROUPS for name in group)}


@pytest.fixture(scope="module")
def without_options():
    return fitted(lambda: keras.optimizers.SGD(0.05))


@pytest.mark.parametrize("options", GROUPS, ids="-".join)
def test_an_option_acts_and_two_devices_are_one(options, two_devices, without_options):
    one = fitted(lambda: keras.optimizers.SGD(0.05, **options))
    two = fitted(lambda: keras.optimizers.SGD(0.05, **options), two_devices)
    assert_same_weights(one, two)
    gap = [
        np.abs(a.numpy() - b.numpy()).max()
        for a, b in zip(one.weights, without_options.weights, strict=True)
    ]
    assert max(gap) > 1e-4


@pytest.mark.parametrize("option", ALONE)
def test_an_option_that_needs_one_replica_is_refused_on_two(option, two_devices):
    optimizer = keras.optimizers.SGD(0.05, use_ema=True, **{option: ALONE[option]})
    with two_devices.scope():
        model = tiny(name="autoencoder")
    with pytest.raises(ValueError, match=f"{option} works on one replica only"):
        model.compile(optimizer)


def test_accumulated_gradients_are_those_of_a_larger_batch():
    accumulated = fitted(lambda: keras.optimizers.SGD(0.05, gradient_accumulation_steps=2))
    model = tiny(name="autoencoder")
    model.compile(keras.optimizers.SGD(0.05), jit_compile=False)
    model.fit(X, batch_size=32, shuffle=False, verbose=0)
    for one, other in zip(accumulated.trainable_weights, model.trainable_weights, strict=True):
        assert_allclose(one.numpy(), other.numpy(), rtol=1e-5, atol=1e-7)


@pytest.mark.long
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_trains_on_two_devices_as_on_one(name, two_devices):
    cls = getattr(keras.optimizers, name)
    # Where a gradient is near zero, some divide it by its size: a sum in another order would decide the sign.
    steady = {"epsilon": 1e-3} if "epsilon" in inspect.signature(cls).parameters else {}
    one, two = (fitted(lambda: cls(0.01, **steady), strategy) for strategy in (None, two_devices))
    assert_same_weights(one, two)


def one_for_each(**options):
    """The encoder's weights and the others have an optimizer each."""
    sgd, other = keras.optimizers.SGD, keras.optimizers.RMSprop
    pairs = keras.optimizers.OptimizerMap(sgd(0.05, **options), {".*encoder.*": other(0.01)})
    return keras.optimizers.MultiOptimizer(pairs)


def test_an_optimizer_for_each_network_on_two_devices(two_devices, without_options):
    one, two = (fitted(one_for_each, strategy) for strategy in (None, two_devices))
    assert_same_weights(one, two)
    for ours, plain in zip(one.weights, without_options.weights, strict=True):
        if "encoder" in ours.path and ours.trainable:
            assert np.abs(ours.numpy() - plain.numpy()).max() > 1e-4
    with two_devices.scope():
        model = tiny(name="autoencoder")
    with pytest.raises(ValueError, match="clipnorm works on one replica only; received"):
        model.compile(one_for_each(clipnorm=0.1))


def regularizers():
    classes = {
        cls
        for cls in vars(keras.regularizers).values()
        if inspect.isclass(cls) and cls is not keras.regularizers.Regularizer
    }
    return [cls() for cls in sorted(classes, key=lambda cls: cls.__name__)]


def test_every_regularizer_of_the_code_and_of_a_layer_on_two_devices(two_devices):
    """Of the code, of kernels, of biases and of what a layer gives, all at once; beside them a constraint."""
    layer = keras.layers.Dense

    def build():
        keras.utils.set_random_seed(0)
        encoder = keras.Sequential(
            [layer(4, kernel_regularizer=r, bias_regularizer="l2") for r in regularizers()]
            + [
                layer(
                    4,
                    activity_regularizer=keras.regularizers.L1L2(0.01, 0.02),
                    kernel_constraint="max_norm",
                )
            ]
        )
        decoder = keras.Sequential([layer(6, kernel_regularizer="l1")])
        return {"networks": (encoder, decoder), "hidden": None, "regularizers": regularizers()}

    models = [fitted(lambda: keras.optimizers.SGD(0.05), s, **build()) for s in (None,)]
    with two_devices.scope():
        options = build()
    models.append(fitted(lambda: keras.optimizers.SGD(0.05), two_devices, **options))
    assert_same_weights(*models)
    first, second = (model.evaluate(X, verbose=0, return_dict=True) for model in models)
    assert len(first) == 2 + len(regularizers())
    for name in first:
        assert_allclose(first[name], second[name], rtol=1e-5, err_msg=name)
