"""Weights that are cast once in a step of mixed precision."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

import zoo
from zoo.serialization import policy
from zoo.trainer.casts import cast_once

X = np.random.default_rng(0).random((4, 6)).astype("float32")


@pytest.fixture
def half():
    with policy("mixed_bfloat16"):
        yield


def needed(outputs):
    """The operations of a graph that its outputs need."""
    found, todo = {}, [tensor.op for tensor in outputs]
    while todo:
        operation = todo.pop()
        if operation.name not in found:
            found[operation.name] = operation
            todo += [tensor.op for tensor in operation.inputs]
    return found.values()


def step(network, x, layers):
    with tf.GradientTape() as tape, cast_once(layers):
        outputs = tf.cast(network(x), tf.float32), tf.cast(network(x + 1), tf.float32)
        loss = tf.add_n([tf.reduce_sum(output**2) for output in outputs])
    return tape.gradient(loss, network.kernel.value)


def test_a_weight_that_is_read_twice_is_cast_once_and_its_gradient_too(half):
    network = keras.layers.Dense(3)
    network.build((None, 6))
    for layers, casts in (([], 4), ([network], 2)):
        graph = tf.function(
            lambda la=layers: step(network, tf.constant(X), la)
        ).get_concrete_function()
        of_kernel = [
            op
            for op in needed(graph.outputs)
            if op.type == "Cast" and op.outputs[0].shape == (6, 3)
        ]
        assert len(of_kernel) == casts


def test_the_gradient_is_that_of_float64_and_weights_read_as_before_afterwards(half):
    network = keras.layers.Dense(3)
    network.build((None, 6))
    kernel, bias = network.kernel.numpy().astype("float64"), network.bias.numpy()
    expected = sum(x.T @ (2 * (x @ kernel + bias)) for x in (X, X + 1))
    assert_allclose(step(network, X, [network]), expected, rtol=2e-2, atol=2e-2)
    network.kernel.assign(2 * kernel)  # a copy that outlived its step would hold the old weights
    assert_allclose(tf.cast(network(X), tf.float32), X @ (2 * kernel), rtol=2e-2, atol=2e-2)
    assert network.kernel.value.dtype == tf.float32


def test_a_tied_decoder_reads_the_copy_that_its_encoder_reads(half):
    model = zoo.create("linear_autoencoder", (6,), latents=3, tied=True)
    model.compile(jit_compile=False)
    noise = zoo.Noise(0, 0).fold("training")

    def gradient():
        with tf.GradientTape() as tape, model._weights_cast_once():
            loss = model.terms(model.passes(zoo.Batch(tf.constant(X)), noise, training=True))[
                "loss"
            ]
        return tape.gradient(loss, model.model_variables[0].value)

    graph = tf.function(gradient).get_concrete_function()
    casts = [
        op for op in needed(graph.outputs) if op.type == "Cast" and op.outputs[0].shape == (6, 3)
    ]
    assert len(casts) == 2


def test_all_weights_train_those_of_critics_too(half):
    critic = {"name": "total_correlation", "hidden": (4,), "learning_rate": 0.01}
    model = zoo.create("vae", (6,), latents=2, hidden=(4,), regularizers=[critic])
    model.compile()
    before = [weight.numpy() for weight in model.trainable_weights]
    model.update(zoo.Batch(tf.constant(X)), zoo.Noise(0, 0))
    for weight, value in zip(model.trainable_weights, before, strict=True):
        assert np.any(weight.numpy() != value), weight.path
