"""Layer-wise pre-training of a deep autoencoder with restricted Boltzmann machines."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from zoo.autoencoder import Autoencoder
from zoo.noise import Noise
from zoo.trainer.blocks import permutation


class Settings(NamedTuple):
    """How a machine is trained (Hinton & Salakhutdinov 2006, supporting material).

    Attributes:
        epochs: passes over the data for each layer.
        batch_size: rows of a batch.
        learning_rate: of layers with binary hidden units.
        gaussian_learning_rate: of the layer whose hidden units are linear, the code.
        momentum: from the sixth epoch on; 0.5 before.
        weight_cost: strength of weight decay.
        deviation: of the initial weights, N(0, deviation^2).

    Example:
        >>> from zoo.recipes.rbm import Settings, pretrain
        >>> model = zoo.create("deep_autoencoder", (6,), hidden=(5, 4))
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> machines = pretrain(model, x, Settings(epochs=2, batch_size=10))
        >>> len(machines[0].errors)
        2
    """

    epochs: int = 50
    batch_size: int = 100
    learning_rate: float = 0.1
    gaussian_learning_rate: float = 0.001
    momentum: float = 0.9
    weight_cost: float = 2e-4
    deviation: float = 0.1


class RBM(NamedTuple):
    """What was learnt: kernel (visible, hidden), biases (hidden,) and (visible,), error of each epoch.

    The error is the mean over the examples of ||v - v'||^2, v' the one-step reconstruction.

    Example:
        >>> from zoo.recipes.rbm import Settings, train_rbm
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> machine = train_rbm(x, units=3, settings=Settings(epochs=2, batch_size=10))
        >>> [value.shape for value in machine[:3]]
        [(6, 3), (3,), (6,)]
    """

    kernel: np.ndarray
    hidden_bias: np.ndarray
    visible_bias: np.ndarray
    errors: list[float]


def train_rbm(
    data: np.ndarray,
    units: int,
    gaussian: bool = False,
    settings: Settings | None = None,
    seed: int = 0,
) -> RBM:
    """One-step contrastive divergence (Hinton, "Training Products of Experts", 2002, section 5).

    dW = rate * (<v h> - <v' h'> - cost * W), with h sampled given the data v, v' the probabilities given
    h, and h' those given v'.

    Args:
        data: (rows, visible) in [0, 1].
        units: hidden units.
        gaussian: whether the hidden units are linear with unit noise instead of binary.
        settings: see `Settings`.
        seed: of weights, noise and order.

    Returns:
        The machine.

    Raises:
        ValueError: for fewer rows than a batch.

    Example:
        >>> from zoo.recipes.rbm import Settings, train_rbm
        >>> x = np.float32([[1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]] * 50)
        >>> machine = train_rbm(x, units=2, settings=Settings(epochs=20, batch_size=10))
        >>> machine.errors[-1] < machine.errors[0]
        True
    """
    settings = settings or Settings()
    if len(data) < settings.batch_size:
        raise ValueError(
            f"Pre-training needs at least one batch of {settings.batch_size} rows; received {len(data)}."
        )
    rng = np.random.default_rng([seed, units])
    shape = (data.shape[1], units)
    start = [settings.deviation * rng.standard_normal(shape), np.zeros(units), np.zeros(shape[0])]
    weights = [tf.Variable(value.astype(np.float32)) for value in start]
    speeds = [tf.Variable(tf.zeros_like(weight)) for weight in weights]
    rows = tf.constant(data, tf.float32)
    rate = settings.gaussian_learning_rate if gaussian else settings.learning_rate

    @tf.function
    def epoch(order: tf.Tensor, momentum: float, count: tf.Tensor) -> tf.Tensor:
        total = tf.constant(0.0)
        for index in tf.range(tf.shape(order)[0]):
            batch = tf.gather(rows, order[index])
            noise = Noise(seed, count + tf.cast(index, tf.int64)).fold(f"rbm{units}")
            steps, error = _contrast(batch, weights, gaussian, noise)
            for weight, speed, step in zip(weights, speeds, steps, strict=True):
                cost = settings.weight_cost * weight if len(weight.shape) == 2 else 0.0
                speed.assign(momentum * speed + rate * (step - cost))
                weight.assign_add(speed)
            total += error
        return total / tf.cast(tf.size(order), tf.float32)

    batches = len(data) // settings.batch_size
    errors = []
    for number in range(settings.epochs):
        order = permutation(len(data), seed, number)[: batches * settings.batch_size]
        momentum = settings.momentum if number >= 5 else 0.5
        plan = tf.constant(order.reshape(batches, settings.batch_size), tf.int32)
        errors.append(float(epoch(plan, momentum, tf.constant(number * batches, tf.int64))))
    kernel, hidden_bias, visible_bias = (weight.numpy() for weight in weights)
    return RBM(kernel, hidden_bias, visible_bias, errors)


def pretrain(
    model: Autoencoder, x: Any, settings: Settings | None = None, seed: int = 0
) -> list[RBM]:
    """Train every layer as a machine on the layer below, then unroll them into encoder and decoder.

    The decoder starts from the transposed weights; from then on it has weights of its own (Hinton &
    Salakhutdinov 2006, figure 1). Compile and fit the model afterwards.

    Args:
        model: an autoencoder of sigmoid layers with a linear code and a mirrored decoder, such as
            ``zoo.create("deep_autoencoder", ...)``.
        x: array (rows, *event) or a `zoo.data.Data`.
        settings: see `Settings`.
        seed: of weights, noise and order.

    Returns:
        The machines, first to last.

    Raises:
        ValueError: for a model of other layers.

    Example:
        >>> from zoo.recipes.rbm import Settings, pretrain
        >>> model = zoo.create("deep_autoencoder", (6,), latents=2, hidden=(5, 4))
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> machines = pretrain(model, x, Settings(epochs=1, batch_size=10))
        >>> [machine.kernel.shape for machine in machines]
        [(6, 5), (5, 4), (4, 2)]
    """
    if model.standardization is not None:
        raise ValueError(
            "The visible units of a Boltzmann machine are for data in [0, 1]. Leave standardize=True out."
        )
    down = [*_dense(model.encoder), model.bottleneck.dense]
    up = _dense(model.decoder)
    _check(down, up)
    array = model.intake.values(x)
    data = array.reshape(len(array), -1)
    machines = []
    for index, layer in enumerate(down):
        last = index == len(down) - 1
        machine = train_rbm(data, layer.units, last, settings, seed + index)
        layer.set_weights([machine.kernel, machine.hidden_bias])
        up[len(down) - 1 - index].set_weights([machine.kernel.T, machine.visible_bias])
        machines.append(machine)
        # Probabilities, not samples, are the next machine's data.
        data = 1 / (1 + np.exp(-(data @ machine.kernel + machine.hidden_bias)))
    return machines


def _contrast(
    visible: tf.Tensor, weights: list[tf.Variable], gaussian: bool, noise: Noise
) -> tuple[list[tf.Tensor], tf.Tensor]:
    """The directions of one step for kernel and biases, and the squared error of the batch."""
    kernel, hidden_bias, visible_bias = weights
    shape = (tf.shape(visible)[0], kernel.shape[1])
    drive = visible @ kernel + hidden_bias
    hidden = drive if gaussian else tf.sigmoid(drive)
    binary = tf.cast(noise.uniform(*shape) < hidden, tf.float32)
    state = hidden + noise.normal(*shape) if gaussian else binary
    again = tf.sigmoid(tf.matmul(state, kernel, transpose_b=True) + visible_bias)
    drive = again @ kernel + hidden_bias
    echo = drive if gaussian else tf.sigmoid(drive)
    rows = tf.cast(shape[0], tf.float32)
    outer = tf.matmul(visible, hidden, transpose_a=True) - tf.matmul(again, echo, transpose_a=True)
    steps = [
        outer / rows,
        tf.reduce_mean(hidden - echo, axis=0),
        tf.reduce_mean(visible - again, axis=0),
    ]
    return steps, tf.reduce_sum(tf.math.squared_difference(visible, again))


def _dense(network: keras.Layer) -> list[keras.layers.Dense]:
    return [la for la in network._flatten_layers() if isinstance(la, keras.layers.Dense)]


def _check(down: list[keras.layers.Dense], up: list[keras.layers.Dense]) -> None:
    shapes = [_kernel_shape(layer) for layer in down]
    mirrored = [_kernel_shape(layer)[::-1] for layer in reversed(up)]
    hidden = {layer.activation.__name__ for layer in [*down[:-1], *up[:-1]]}
    if shapes != mirrored or hidden - {"sigmoid"} or down[-1].activation.__name__ != "linear":
        raise ValueError(
            "RBM pre-training needs sigmoid hidden layers, a linear code and a mirrored, untied decoder; "
            f"received encoder {shapes}, decoder (reversed) {mirrored}, activations {sorted(hidden)} and "
            f"a {down[-1].activation.__name__} code. Use zoo.create('deep_autoencoder', ...)."
        )


def _kernel_shape(layer: Any) -> tuple[int, ...]:
    return tuple(layer.kernel.shape)
