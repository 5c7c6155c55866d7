"""One InfoAE step in TensorFlow alone: the networks of `zoo.models.info_ae`, written out."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from benchmarks.contenders.bare_adam import Adam

CODE, NOISE, CLASSES = 64, 100, 10
DECAY = 0.9
EPSILON = 1e-12


class Network:
    """A stack of layers, each (kind, weight, normalised, activation), on variables of its own."""

    def __init__(self, rng: np.random.Generator, layers: list[tuple], decay: float = DECAY):
        self.layers, self.decay = [], decay
        for kind, shape, normalised, activation in layers:
            fan = math.prod(shape[:-1])
            weight = tf.Variable((rng.normal(size=shape) / math.sqrt(fan)).astype("float32"))
            width = shape[2] if kind == "up" else shape[-1]
            names = ("scale", "offset", "mean", "variance") if normalised else ("offset",)
            rest = {
                n: tf.Variable(tf.fill([width], float(n in ("scale", "variance")))) for n in names
            }
            self.layers.append((kind, weight, rest, activation))

    @property
    def weights(self) -> list[tf.Variable]:
        """What an optimizer trains."""
        found = []
        for _, weight, rest, _ in self.layers:
            found += [weight, *(rest[n] for n in ("scale", "offset") if n in rest)]
        return found

    def __call__(self, h: tf.Tensor, kind: tf.DType, update: bool = True) -> tf.Tensor:
        """Activations in `kind`; `update` moves the running statistics."""
        for name, weight, rest, activation in self.layers:
            w = tf.cast(weight, kind)
            if name == "flat":
                h = tf.reshape(h, (h.shape[0], -1))
            if name in ("flat", "dense", "map"):
                h = tf.matmul(h, w)
            elif name == "up":
                side = 2 * h.shape[1]
                h = tf.nn.conv2d_transpose(h, w, (h.shape[0], side, side, w.shape[2]), 2)
            else:
                h = tf.nn.conv2d(h, w, int(name[-1]), "SAME")
            plain = "scale" not in rest
            h = h + tf.cast(rest["offset"], kind) if plain else self._normalised(h, rest, update)
            h = activation(h)
            if name == "map":
                h = tf.reshape(h, (h.shape[0], 7, 7, 64))
        return h

    def _normalised(self, h: tf.Tensor, rest: dict, update: bool) -> tf.Tensor:
        mean, variance = tf.nn.moments(tf.cast(h, tf.float32), list(range(len(h.shape) - 1)))
        if update:
            for running, now in ((rest["mean"], mean), (rest["variance"], variance)):
                running.assign(self.decay * running + (1 - self.decay) * now)
        factor = rest["scale"] * tf.math.rsqrt(variance + 1e-3)
        return h * tf.cast(factor, h.dtype) + tf.cast(rest["offset"] - mean * factor, h.dtype)


def build(rng: np.random.Generator):
    """The step, batch (b, 28, 28, 1) -> loss."""
    relu, linear = tf.nn.relu, tf.identity

    def leaky(h):
        return tf.nn.leaky_relu(h, 0.2)

    encoder = Network(rng, [
        ("conv2", (5, 5, 1, 32), True, relu), ("conv2", (3, 3, 32, 64), True, relu),
        ("conv1", (3, 3, 64, 64), True, relu), ("flat", (3136, 256), True, relu),
        ("dense", (256, CODE), False, linear),
    ])  # fmt: skip
    decoder = Network(rng, [
        ("dense", (CODE, 256), True, relu), ("map", (256, 3136), True, relu),
        ("up", (4, 4, 32, 64), True, relu), ("up", (4, 4, 1, 32), False, linear),
    ])  # fmt: skip
    generator = Network(
        rng,
        [("dense", (NOISE + CLASSES, 256), True, relu), ("dense", (256, CODE), False, linear)],
    )
    classifier = Network(
        rng, [("dense", (CODE, 256), False, relu), ("dense", (256, CLASSES), False, linear)]
    )
    pictures = [("conv2", (4, 4, 1, 32), False, leaky), ("conv2", (4, 4, 32, 64), True, leaky)]
    discriminator = Network(rng, [*pictures, ("flat", (3136, 1), False, linear)], 0.99)
    features = Network(rng, pictures, 0.99)
    joint = Network(
        rng,
        [("dense", (3136 + CODE, 256), False, leaky), ("dense", (256, 1), False, linear)],
    )
    model = [w for n in (encoder, decoder, generator, classifier) for w in n.weights]
    critics = [discriminator.weights, [*features.weights, *joint.weights]]
    optimizers = [Adam(model), *map(Adam, critics)]

    def step(x: tf.Tensor, kind: tf.DType) -> tf.Tensor:
        rows = x.shape[0]

        def coded(pictures, update=True):
            return tf.cast(encoder(tf.cast(pictures, kind), kind, update), tf.float32)

        def decoded(code):
            return tf.sigmoid(tf.cast(decoder(tf.cast(code, kind), kind), tf.float32))

        def missed(code):
            logits = tf.cast(classifier(tf.cast(code, kind), kind), tf.float32)
            return tf.nn.softmax_cross_entropy_with_logits(label, logits)

        def judged(pictures):
            return tf.cast(discriminator(tf.cast(pictures, kind), kind), tf.float32)

        def paired(code, pictures):
            seen = tf.reshape(features(tf.cast(pictures, kind), kind), (rows, -1))
            both = tf.concat([seen, tf.cast(code, kind)], 1)
            return tf.cast(joint(both, kind), tf.float32)

        with tf.GradientTape() as tape:
            code = coded(x)
            x_r = decoded(code)
            label = tf.one_hot(tf.random.uniform([rows], 0, CLASSES, tf.int32), CLASSES)
            noise = tf.random.uniform([rows, NOISE], -1.0, 1.0)
            source = tf.cast(tf.concat([noise, label], 1), kind)
            z_g = tf.cast(generator(source, kind), tf.float32)
            x_g = decoded(z_g)
            error = tf.reduce_sum(tf.math.squared_difference(x, x_r), [1, 2, 3])
            loss = 0.4 * tf.reduce_mean(tf.sqrt(error + EPSILON))
            loss += tf.reduce_mean(missed(z_g) + missed(coded(x_g, update=False)))
            loss -= tf.reduce_mean(tf.nn.softplus(paired(code, x)))
            loss -= tf.reduce_mean(tf.nn.softplus(judged(x_r)) + tf.nn.softplus(judged(x_g)))
        optimizers[0].apply(tape.gradient(loss, model), 1e-3)
        for judge, real, fake, weights, optimizer in (
            (judged, (x,), (x_g,), critics[0], optimizers[1]),
            (paired, (z_g, x_g), (code, x), critics[1], optimizers[2]),
        ):
            with tf.GradientTape() as tape:
                apart = tf.reduce_mean(tf.nn.softplus(-judge(*real)))
                apart += tf.reduce_mean(tf.nn.softplus(judge(*fake)))
            optimizer.apply(tape.gradient(apart, weights), 2e-4)
        return loss

    return step
