"""Convolutions between few channels and many against Keras's own layers in float64."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

import zoo
from zoo.networks import Conv2D, Conv2DTranspose, Cropping2D

# Kernel, stride, channels of the pictures, their height and width.
CASES = [
    *[(4, 2, 1, 8, 8), (5, 2, 3, 9, 7), (3, 2, 1, 7, 10), ((5, 3), 3, 2, 8, 11)],
    *[(1, 2, 1, 5, 6), (1, (1, 3), 6, 6, 9)],
]


def pair(kind, own, size, **options):
    """A layer and Keras's of the same weights in float64, both built."""
    layers = kind(*own, padding="same", **options), None
    theirs = type(layers[0]).__bases__[0](*own, padding="same", dtype="float64", **options)
    layers = layers[0], theirs
    for layer in layers:
        layer.build((None, *size))
    random = np.random.default_rng(1)
    for weight, other in zip(layers[0].weights, theirs.weights, strict=True):
        value = random.normal(size=weight.shape).astype("float32")
        weight.assign(value)
        other.assign(value)
    return layers


def with_gradients(layer, x, upstream):
    """What a layer gives, and the gradients with respect to its input and its weights."""
    x = tf.constant(x, layer.compute_dtype)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x)
        loss = tf.reduce_sum(y * tf.cast(upstream, y.dtype))
    sources = [x, *(weight.value for weight in layer.trainable_weights)]
    return [y, *tape.gradient(loss, sources)]


@pytest.mark.parametrize("kind", [Conv2D, Conv2DTranspose])
@pytest.mark.parametrize(("kernel", "stride", "channels", "height", "width"), CASES)
def test_results_and_gradients_are_kerass(kind, kernel, stride, channels, height, width):
    into = kind is Conv2D
    size = (height, width, channels if into else 6)
    layers = pair(kind, (6 if into else channels, kernel, stride), size, activation="tanh")
    random = np.random.default_rng(0)
    x = random.normal(size=(3, *size)).astype("float32") / 8
    upstream = random.normal(size=layers[1](x).shape).astype("float32")
    found, expected = (with_gradients(layer, x, upstream) for layer in layers)
    for value, true in zip(found, expected, strict=True):
        assert value.shape == true.shape
        assert_allclose(value, true, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", [Conv2D, Conv2DTranspose])
def test_in_bfloat16_results_are_as_near_as_kerass(kind):
    size = (8, 8, 1) if kind is Conv2D else (8, 8, 32)
    filters = 32 if kind is Conv2D else 1
    own, exact = pair(kind, (filters, 4, 2), size)
    half = [
        type(layer)(filters, 4, 2, padding="same", dtype="mixed_bfloat16") for layer in (own, exact)
    ]
    for layer in half:
        layer.build((None, *size))
        layer.set_weights(own.get_weights())
    random = np.random.default_rng(0)
    x = random.normal(size=(4, *size)).astype("float32")
    upstream = random.normal(size=exact(x).shape).astype("float32")
    true = with_gradients(exact, x, upstream)
    ours, theirs = (with_gradients(layer, x, upstream) for layer in half)
    for mine, other, value in zip(ours, theirs, true, strict=True):
        assert mine.dtype == other.dtype
        error, usual = (
            np.sqrt(np.mean((tf.cast(v, tf.float64) - value) ** 2)) for v in (mine, other)
        )
        assert error < 1.5 * usual


@pytest.mark.parametrize("kind", [Conv2D, Conv2DTranspose])
def test_no_kernel_of_one_pixel_is_left_to_onednn(kind):
    """Its gradient writes over other memory there, and takes the process with it."""
    layer = kind(6, 1, strides=2, padding="same")
    layer.build((None, 8, 10, 3))

    @tf.function
    def gradient(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(x) ** 2)
        return tape.gradient(loss, layer.trainable_weights[0].value)

    graph = gradient.get_concrete_function(tf.TensorSpec((3, 8, 10, 3))).graph
    assert not [op.type for op in graph.get_operations() if "Conv2D" in op.type]


@pytest.mark.parametrize("kind", ["Conv2D", "Conv2DTranspose"])
def test_compile_refuses_kerass_layers_of_one_pixel_and_takes_ours(kind):
    def model(layers):
        pixel = getattr(layers, kind)(4, 1, strides=2)
        encoder = keras.Sequential([keras.Input((4, 4, 1)), pixel, keras.layers.Flatten()])
        decoder = keras.Sequential(
            [keras.Input((2,)), keras.layers.Dense(16), keras.layers.Reshape((4, 4, 1))]
        )
        return zoo.create("autoencoder", (4, 4, 1), networks=(encoder, decoder), latents=2)

    with pytest.raises(ValueError, match=f"zoo.networks.{kind}, which has the same"):
        model(keras.layers).compile("adam")
    model(zoo.networks).compile("adam")


def test_the_gradient_of_a_gradient_is_kerass():
    layers = pair(Conv2DTranspose, (1, 4, 2), (3, 3, 5))
    x = np.random.default_rng(0).normal(size=(2, 3, 3, 5)).astype("float32")

    def penalised(layer):
        inputs = tf.constant(x, layer.compute_dtype)
        with tf.GradientTape() as outer:
            with tf.GradientTape() as tape:
                tape.watch(inputs)
                loss = tf.reduce_sum(layer(inputs) ** 3)
            penalty = tf.reduce_sum(tape.gradient(loss, inputs) ** 2)
        return outer.gradient(penalty, layer.kernel.value)

    found, true = map(penalised, layers)
    assert_allclose(found, true, rtol=1e-3, atol=1e-5 * np.abs(true).max())


def test_xla_compiles_them():
    layers = [Conv2DTranspose(1, 4, 2, "same"), Conv2D(6, 4, 2, "same"), Cropping2D(1)]
    network = keras.Sequential([keras.Input((4, 4, 6)), *layers])
    x = np.random.default_rng(0).normal(size=(2, 4, 4, 6)).astype("float32")
    compiled = tf.function(network, jit_compile=True)
    assert_allclose(compiled(x), network(x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("margins", [((1, 2), (0, 3)), ((0, 0), (0, 1)), ((2, 0), (1, 1))])
def test_cropping_and_its_gradient_are_kerass(margins):
    x = tf.constant(np.random.default_rng(0).normal(size=(2, 6, 7, 2)).astype("float32"))
    found, expected = (
        with_gradients(layer(margins), x, layer(margins)(x))
        for layer in (Cropping2D, keras.layers.Cropping2D)
    )
    for value, true in zip(found, expected, strict=True):
        assert_allclose(value, true)


def test_a_size_that_is_not_known_and_many_channels_are_left_to_keras():
    x = np.random.default_rng(0).normal(size=(2, 6, 6, 5)).astype("float32")
    for filters in (1, 9):
        ours, theirs = pair(Conv2DTranspose, (filters, 4, 2), (None, None, 5))
        free = keras.Sequential([keras.Input((None, None, 5)), ours])
        assert_allclose(free(x), theirs(x), rtol=1e-4, atol=1e-4)


def test_the_decoder_of_pictures_has_the_names_of_kerass_layers():
    decoder = zoo.networks.conv_decoder((4, 8), output_shape=(9, 9, 1))
    names = [layer.name.rstrip("_0123456789") for layer in decoder.layers]
    assert names == ["dense", "reshape", "conv2d_transpose", "conv2d_transpose", "cropping2d"]
