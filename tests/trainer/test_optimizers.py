"""The fused Adam is Keras's Adam."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

from tests.conftest import make_vectors
from tests.trainer.tiny import tiny
from zoo.serialization import policy
from zoo.trainer import Adam
from zoo.trainer.optimizers import resolve_optimizer

RATE = keras.optimizers.schedules.ExponentialDecay(0.05, 3, 0.5)
OPTIONS = [
    {},
    {"learning_rate": 0.03, "beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3},
    {"learning_rate": RATE},
    {"weight_decay": 0.1},
    {"clipnorm": 0.1},
    {"global_clipnorm": 0.1},
    {"clipvalue": 0.01},
    {"use_ema": True, "ema_momentum": 0.9, "ema_overwrite_frequency": 3},
    {"amsgrad": True},
    {"loss_scale_factor": 4.0},
    {"gradient_accumulation_steps": 2},
]


def steps(optimizer, count=8):
    """Weights and slots after some updates of variables of several shapes."""
    random = np.random.default_rng(0)
    shapes = [(4, 3), (3,), ()]
    variables = [keras.Variable(random.normal(size=shape).astype("float32")) for shape in shapes]
    optimizer.build(variables)
    for _ in range(count):
        gradients = [tf.constant(random.normal(size=s), tf.float32) for s in shapes]
        optimizer.apply(gradients, variables)
    named = {v.name: v.numpy() for v in optimizer.variables if v.name != "learning_rate"}
    return [v.numpy() for v in variables], list(named.values())


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(options) or "defaults")
def test_fused_adam_is_adam(options):
    weights, slots = steps(Adam(**options))
    expected_weights, expected_slots = steps(keras.optimizers.Adam(**options))
    for one, other in zip([*weights, *slots], [*expected_weights, *expected_slots], strict=True):
        assert_allclose(one, other, rtol=1e-6, atol=1e-6)


def test_it_trains_a_model_as_adam_does():
    weights = []
    for optimizer in (Adam(0.01), keras.optimizers.Adam(0.01)):
        model = tiny()
        model.compile(optimizer, jit_compile=False)
        model.fit(make_vectors(), batch_size=16, epochs=2, verbose=0)
        weights.append([w.numpy() for w in model.weights])
    for one, other in zip(*weights, strict=True):
        assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_a_saved_optimizer_is_the_fused_one_again():
    optimizer = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(Adam(0.25, global_clipnorm=3.0))
    )
    assert type(optimizer) is Adam
    assert float(optimizer.learning_rate.numpy()) == 0.25 and optimizer.global_clipnorm == 3.0


def test_named_optimizers_clip_where_tails_are_heavy():
    assert type(resolve_optimizer("adam", False)) is Adam
    assert resolve_optimizer("adam", False).global_clipnorm is None
    assert resolve_optimizer("adam", True).global_clipnorm == 5.0
    assert resolve_optimizer("sgd", True).global_clipnorm == 5.0
    own = keras.optimizers.Adam(0.01)
    assert resolve_optimizer(own, True) is own and own.global_clipnorm is None
    assert tiny(name="cauchy_vae").heavy_tailed and not tiny().heavy_tailed


def test_an_unknown_optimizer_is_refused():
    with pytest.raises(ValueError, match="adamm"):
        tiny().compile("adamm")


@pytest.mark.parametrize("scale", ["factor", "dynamic"])
def test_a_scaled_loss_gives_the_same_training(scale):
    """The gradient is divided by what the loss was multiplied by."""
    weights = []
    for scaled in (False, True):
        optimizer = keras.optimizers.SGD(
            0.01, loss_scale_factor=1024.0 if scaled and scale == "factor" else None
        )
        if scaled and scale == "dynamic":
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=1024.0)
        model = tiny()
        model.compile(optimizer, jit_compile=False)
        model.fit(make_vectors(), batch_size=16, epochs=2, verbose=0)
        weights.append(model.get_weights())
    for one, other in zip(*weights, strict=True):
        assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_float16_scales_the_loss_of_its_own_accord():
    with policy("mixed_float16"):
        model = tiny()
    model.compile("sgd", jit_compile=False)
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    model.fit(make_vectors(), batch_size=16, epochs=3, verbose=0)
    losses = model.history.history["loss"]
    assert losses[-1] < losses[0]
    with pytest.raises(ValueError, match="skip_nonfinite=True too"):
        model.compile("sgd", skip_nonfinite=True)


@pytest.mark.parametrize(
    "optimizer",
    [
        None,
        keras.optimizers.Adam,
        keras.optimizers.schedules.CosineDecay(0.1, 10),
        0.001,
        object(),
    ],
)
def test_what_is_no_optimizer_is_refused_in_one_line(optimizer):
    with pytest.raises(ValueError, match=r"optimizer must be a name such as 'adam', .*received"):
        resolve_optimizer(optimizer, heavy_tailed=False)
