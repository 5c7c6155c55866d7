"""TensorFlow without Keras: one compiled graph loop over an epoch, the ceiling for this backend."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np

from benchmarks.contenders.tensorflow_threads import limit_threads
from benchmarks.workloads import K, Workload

LEARNING_RATE = 1e-3


def prepare_slices(workload: Workload, precision: str, threads: int) -> Callable[[], None]:
    """A round of the same loop, in which each thread computes a slice of the batch, as the library does."""
    return prepare(workload, precision, threads, slices=threads)


def prepare(
    workload: Workload, precision: str, threads: int, slices: int = 1
) -> Callable[[], None]:
    """A round of a hand-written loop on the workload's rows."""
    limit_threads(threads, 1 if slices > 1 else None)
    import tensorflow as tf

    kind = tf.bfloat16 if precision == "bfloat16" else tf.float32
    if workload.encodes:
        return _encoding(tf, workload)
    if workload.model == "info_ae":
        return _info_ae(tf, workload, kind)
    from benchmarks.contenders.bare_adam import Adam

    weights = [tf.Variable(value) for value in initial_weights(workload)]
    optimizer = Adam(weights)

    def loss_of(x, w):
        if workload.model == "k_sparse":
            return _k_sparse_loss(tf, x, w, kind)
        return _vae_loss(tf, workload, x, w, kind)

    def step(x):
        with tf.GradientTape() as tape:
            w = [tf.cast(v, kind) for v in weights]
            losses = [loss_of(part, w) for part in tf.split(x, slices)]
            loss = tf.add_n(losses) / slices
        optimizer.apply(tape.gradient(loss, weights), LEARNING_RATE)
        return loss

    # XLA pays for small dense models only, as in the library.
    return _rounds(tf, workload, step, jit=workload.size <= 16)


def _info_ae(tf, workload, kind):
    from benchmarks.contenders.bare_info_ae import build

    step = build(np.random.default_rng(0))
    return _rounds(tf, workload, lambda x: step(x, kind), jit=False)


def _rounds(tf, workload, step, jit):
    data = tf.constant(workload.data())
    steps = workload.rows // workload.batch

    @tf.function(jit_compile=jit or None, autograph=False)
    def epoch(order):
        return tf.while_loop(
            lambda i, _: i < steps,
            lambda i, total: (i + 1, total + step(tf.gather(data, order[i]))),
            (tf.constant(0), tf.constant(0.0)),
        )[1]

    rng = np.random.default_rng(0)

    def run() -> None:
        for _ in range(workload.epochs):
            order = rng.permutation(workload.rows)[: steps * workload.batch].astype("int32")
            epoch(tf.constant(order.reshape(steps, workload.batch))).numpy()

    return run


def _encoding(tf, workload):
    weights = [tf.Variable(value) for value in initial_weights(workload)]
    batches = [tf.constant(b) for b in np.split(workload.data(), workload.rows // workload.batch)]

    @tf.function(autograph=False)
    def encode(x):
        h = tf.reshape(x, (tf.shape(x)[0], workload.size))
        for layer in range(len(workload.hidden)):
            h = tf.nn.relu(tf.matmul(h, weights[2 * layer]) + weights[2 * layer + 1])
        last = 2 * len(workload.hidden)
        return (tf.matmul(h, weights[last]) + weights[last + 1])[:, : workload.latents]

    encode = encode.get_concrete_function(tf.TensorSpec((None, *workload.event)))

    def run() -> None:
        for batch in batches:
            encode(batch).numpy()

    return run


def initial_weights(workload: Workload) -> list[np.ndarray]:
    """Kernels and biases in the order in which they are used."""
    rng = np.random.default_rng(0)
    shapes: list[tuple[int, ...]] = []

    def dense(*sizes: int) -> None:
        for a, b in itertools.pairwise(sizes):
            shapes.extend([(a, b), (b,)])

    if workload.model == "k_sparse":
        shapes += [(workload.size, workload.latents), (workload.latents,), (workload.size,)]
    elif workload.conv:
        channels = [1, *workload.hidden]
        for a, b in itertools.pairwise(channels):
            shapes.extend([(4, 4, a, b), (b,)])
        dense(16 * channels[-1], 2 * workload.latents)
        dense(workload.latents, 16 * channels[-1])
        for a, b in zip(channels[::-1], channels[-2::-1], strict=False):
            shapes.extend([(4, 4, b, a), (b,)])
    else:
        dense(workload.size, *workload.hidden, 2 * workload.latents)
        dense(workload.latents, *workload.hidden[::-1], workload.size)
    return [
        (rng.normal(size=s) / math.sqrt(math.prod(s[:-1]) or 1)).astype("float32")
        if len(s) > 1
        else np.zeros(s, "float32")
        for s in shapes
    ]


def _k_sparse_loss(tf, x, w, kind):
    x = tf.reshape(x, (x.shape[0], -1))
    z = tf.cast(tf.matmul(tf.cast(x, kind), w[0]) + w[1], tf.float32)
    smallest = tf.math.top_k(tf.stop_gradient(z), K).values[:, -1:]
    z = tf.cast(tf.where(z >= smallest, z, 0.0), kind)
    y = tf.cast(tf.matmul(z, w[0], transpose_b=True) + w[2], tf.float32)
    return tf.reduce_mean(tf.reduce_sum(tf.math.squared_difference(x, y), 1))


def _vae_loss(tf, workload, x, w, kind):
    w = list(w)

    def dense(h, activation=None):
        h = tf.matmul(h, w.pop(0)) + w.pop(0)
        return activation(h) if activation else h

    h = tf.cast(x, kind)
    if workload.conv:
        for _ in workload.hidden:
            h = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(h, w.pop(0), 2, "SAME"), w.pop(0)))
        h = tf.reshape(h, (h.shape[0], -1))
    else:
        h = tf.reshape(h, (h.shape[0], -1))
        for _ in workload.hidden:
            h = dense(h, tf.nn.relu)
    loc, raw = tf.split(tf.cast(dense(h), tf.float32), 2, 1)
    scale = tf.nn.softplus(raw + math.log(math.e - 1)) + 1e-6
    noise = tf.random.normal(tf.shape(loc))
    z = loc + scale * noise
    h = tf.cast(z, kind)
    if workload.conv:
        h = tf.reshape(dense(h, tf.nn.relu), (-1, 4, 4, workload.hidden[-1]))
        side, filters = 4, [*workload.hidden[-2::-1], 1]
        for count in filters:
            side *= 2
            shape = (tf.shape(h)[0], side, side, count)
            h = tf.nn.bias_add(tf.nn.conv2d_transpose(h, w.pop(0), shape, 2), w.pop(0))
            h = tf.nn.relu(h) if count != 1 else h[:, 2:-2, 2:-2]
    else:
        for _ in workload.hidden:
            h = dense(h, tf.nn.relu)
        h = tf.reshape(dense(h), (-1, *workload.event))
    y = tf.cast(h, tf.float32)
    axes = list(range(1, len(y.shape)))
    if workload.likelihood == "bernoulli":
        error = tf.nn.sigmoid_cross_entropy_with_logits(labels=x, logits=y)
    else:
        error = tf.math.squared_difference(x, y)
    kl = tf.reduce_sum(_kl(tf, workload, loc, scale, z, noise), 1)
    return tf.reduce_mean(tf.reduce_sum(error, axes) + kl)


def _kl(tf, workload, loc, scale, z, noise):
    if workload.model == "vae":
        return 0.5 * (loc**2 + scale**2 - 1) - tf.math.log(scale)
    if workload.estimator == "sampled":
        log_q = -0.5 * noise**2 - tf.math.log(scale) - 0.5 * math.log(2 * math.pi)
        return log_q + tf.abs(z) + math.log(2)
    ratio = loc / scale
    mean = math.sqrt(2 / math.pi) * scale * tf.exp(-0.5 * ratio**2)
    mean += loc * tf.math.erf(ratio / math.sqrt(2))
    return mean + math.log(2) - 0.5 * math.log(2 * math.pi * math.e) - tf.math.log(scale)
