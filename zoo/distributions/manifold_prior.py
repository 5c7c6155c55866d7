"""The manifold that a VAE's posteriors describe, as a prior."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.distributions.fitted import FittedPrior, as_rows
from zoo.noise import Noise
from zoo.registry import register
from zoo.serialization import positive_int, scalar

LEAPFROGS = 10
_SIZES = tuple(2.0 ** (-power / 2) for power in range(13))
_ACCEPTED = 0.8  # share of proposals


@register("manifold", kind="prior")
class ManifoldPrior(FittedPrior):
    """p(z) proportional to sqrt(det G(z)): as many draws in every piece of the codes' curved space.

    With the posteriors N(m_k, diag(s_k^2)) of K training examples, the metric is

        G(z) = sum_k diag(s_k^-2) exp(-|(z - m_k) / s_k|^2 / r^2) + floor exp(-|z - m|^2 / R^2) diag(s^-2)

    with m the mean of the m_k, R^2 their mean squared distance from it, and 1 / s_d^2 the smallest precision
    of unit d: a short way in z is a long one where posteriors are narrow (Chadebec & Allassonnière, "A
    Geometric Perspective on Variational Autoencoders", 2022, which draws uniformly by this volume, as here).
    r is the median distance |(m_j - m_k) / s_k| of the nearest neighbour; the paper takes the largest, which
    one outlier decides. G is diagonal, so that its determinant is a product.

    A draw begins at a posterior's and takes `steps` Hamiltonian steps of 10 leapfrogs each, accepted or not
    (Metropolis). The normaliser is unknown: terms of the loss are given the density of the prior of the
    training. For a VAE of normal posteriors; a code without one has no metric.

    Args:
        limit: K at most; examples are chosen at random.
        steps: Hamiltonian steps of a draw.
        floor: weight of the last part of G, which far from all posteriors is alone.
        rows: K, which `fit` finds.
        **kwargs: as in `FittedPrior`.

    Example:
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,))
        >>> x = np.random.default_rng(0).random((100, 6), np.float32)
        >>> fitted = model.fit_prior("manifold", x, limit=20, steps=5)
        >>> fitted.generate(3, seed=0).shape, sorted(fitted.prior.report)
        ((3, 6), ['accepted', 'radius', 'rows', 'step_size'])
    """

    fixed = ("limit", "rows")
    of_posteriors = True

    def __init__(
        self,
        limit: int = 200,
        steps: int = 50,
        floor: float = 1e-3,
        rows: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.limit = positive_int(limit, "limit")
        self.steps = positive_int(steps, "steps")
        self.floor: Any = scalar(floor, "floor")
        if not (isinstance(self.floor, float) and self.floor > 0):
            raise ValueError(f"floor must be a number above 0; received {floor!r}.")
        self.rows: Any = rows

    def build(self, input_shape: Any = None) -> None:
        """Make room for the posteriors, (rows, units of all places) each."""
        self.refuse_unfitted(self.rows)
        shape = (self.rows, math.prod(input_shape[1:]))
        fixed: Any = {"trainable": False, "initializer": "ones"}
        self.locations = self.add_weight(name="locations", shape=shape, **fixed)
        self.scales = self.add_weight(name="scales", shape=shape, **fixed)
        self.radius = self.add_weight(name="radius", shape=(), **fixed)
        self.step_size = self.add_weight(name="step_size", shape=(), **fixed)
        super().build(input_shape)

    @property
    def has_density(self) -> bool:
        """False."""
        return False

    def volume(self, code: tf.Tensor) -> tf.Tensor:
        """The logarithm of sqrt(det G) at codes, (batch, units of all places) -> (batch,) float64."""
        # In float64: what rounding does to a chain grows with every step.
        code = tf.cast(code, tf.float64)
        locations, scales, radius = (
            tf.cast(weight.value, tf.float64)
            for weight in (self.locations, self.scales, self.radius)
        )
        precision = tf.math.reciprocal(tf.square(scales))
        squares = (
            tf.matmul(tf.square(code), precision, transpose_b=True)
            - 2 * tf.matmul(code, locations * precision, transpose_b=True)
            + tf.reduce_sum(tf.square(locations) * precision, axis=1)
        )
        near = tf.exp(-tf.nn.relu(squares) / tf.square(radius))
        middle = tf.reduce_mean(locations, axis=0)
        away = tf.reduce_sum(tf.math.squared_difference(code, middle), axis=1, keepdims=True)
        extent = tf.reduce_mean(
            tf.reduce_sum(tf.math.squared_difference(locations, middle), axis=1)
        )
        # As logarithms, so that far from all posteriors the last part does not vanish.
        last = math.log(self.floor) - away / tf.maximum(extent, tf.constant(1e-12, tf.float64))
        last += tf.math.log(tf.reduce_min(precision, axis=0))
        first = tf.math.log(tf.matmul(near, precision) + 1e-300)
        return 0.5 * tf.reduce_sum(tf.math.reduce_logsumexp([first, last], axis=0), axis=1)

    def sample(self, noise: Noise, batch: Any, *code_shape: int) -> tf.Tensor:
        """The ends of so many chains, (batch, *code) float32."""
        chosen = tf.cast(noise.fold("row").uniform(batch) * float(self.rows), tf.int32)
        start = tf.gather(self.locations.value, chosen)
        start += tf.gather(self.scales.value, chosen) * noise.normal(batch, start.shape[-1])
        code, _ = self.chain(noise, start, self.steps, self.step_size.value)
        return tf.reshape(code, (-1, *code_shape))

    def chain(
        self, noise: Noise, start: tf.Tensor, steps: int, size: Any
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Hamiltonian steps from codes.

        Args:
            noise: of the momenta and the decisions.
            start: (batch, units of all places).
            steps: how many.
            size: of a leapfrog, in mean scales of the posteriors.

        Returns:
            Codes like `start`, and the share of proposals that were accepted, a scalar.
        """
        batch, units = tf.shape(start)[0], start.shape[-1]
        momenta = tf.cast(noise.fold("momentum").normal(batch, steps, units), tf.float64)
        decisions = tf.math.log(noise.fold("decision").uniform(batch, steps))
        mean = tf.reduce_mean(tf.math.log(self.scales.value), axis=0)
        stride = tf.cast(size * tf.exp(mean), tf.float64)

        def slope(code: tf.Tensor) -> tuple[tf.Tensor, Any]:
            with tf.GradientTape() as tape:
                tape.watch(code)
                volume = self.volume(code)
            return volume, tape.gradient(volume, code)

        def step(
            index: tf.Tensor, code: tf.Tensor, volume: tf.Tensor, push: Any, accepted: tf.Tensor
        ) -> tuple[Any, ...]:
            momentum = first = tf.gather(momenta, index, axis=1)
            there, high, up = code, volume, push
            for _ in range(LEAPFROGS):
                momentum += 0.5 * stride * up
                there += stride * momentum
                high, up = slope(there)
                momentum += 0.5 * stride * up
            kinetic = 0.5 * tf.reduce_sum(tf.square(first) - tf.square(momentum), axis=1)
            taken = (
                tf.cast(tf.gather(decisions, index, axis=1), tf.float64) < high - volume + kinetic
            )
            code = tf.where(taken[:, None], there, code)
            push = tf.where(taken[:, None], up, push)
            share = tf.reduce_mean(tf.cast(taken, tf.float32))
            return index + 1, code, tf.where(taken, high, volume), push, accepted + share

        code = tf.cast(start, tf.float64)
        state: Any = (tf.constant(0), code, *slope(code), tf.constant(0.0))
        _, code, _, _, accepted = tf.while_loop(lambda index, *_: index < steps, step, state)
        return tf.cast(code, tf.float32), accepted / steps

    def fit(self, codes: tuple[np.ndarray, np.ndarray], seed: int = 0) -> None:
        """Keep posteriors, and find their radius and the largest step size of which 4 in 5 are accepted.

        Args:
            codes: locations and scales of posteriors, (rows, *code) each.
            seed: of the examples that are kept.
        """
        locations, scales = (as_rows(part, 2) for part in codes)
        order = np.sort(np.random.default_rng(seed).permutation(len(locations))[: self.limit])
        locations, scales = locations[order], scales[order]
        gaps = ((locations[:, None] - locations) / scales[:, None]) ** 2
        squares = gaps.sum(axis=-1) + np.diag(np.full(len(order), np.inf))
        radius = max(float(np.sqrt(np.median(squares.min(axis=1)))), 1e-3)
        self.found(rows=len(order))
        if not self.built:
            self.build((None, *codes[0].shape[1:]))
        for weight, value in (
            (self.locations, locations),
            (self.scales, scales),
            (self.radius, radius),
        ):
            weight.assign(value)
        noise, start = Noise(seed, 0).fold("fit"), tf.constant(locations, tf.float32)
        run = tf.function(lambda size: self.chain(noise, start, 10, size)[1], autograph=False)
        accepted = 0.0
        for size in _SIZES:
            self.step_size.assign(size)
            accepted = float(run(tf.constant(size)))
            if accepted >= _ACCEPTED:
                break
        report = {"rows": len(order), "radius": radius, "accepted": accepted}
        self.found(report={**report, "step_size": float(self.step_size.value)})

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "limit": self.limit,
            "steps": self.steps,
            "floor": self.floor,
            "rows": self.rows,
        }
