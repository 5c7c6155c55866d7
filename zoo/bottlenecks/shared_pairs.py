"""Codes of pairs that share what did not change between them."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from zoo.bottlenecks.base import Code
from zoo.bottlenecks.stochastic import Stochastic
from zoo.noise import Noise
from zoo.registry import one_of, register

AVERAGES = ("mean", "product")


@register("shared_pairs", kind="bottleneck")
class SharedPairs(Stochastic):
    """z ~ N(loc(x), scale(x)^2), where the units that a pair shares have one posterior for both.

    With d_i = KL(q(z_i|x_1) || q(z_i|x_2)) + KL(q(z_i|x_2) || q(z_i|x_1)), unit i is shared where

        d_i < (max_j d_j + min_j d_j) / 2

    and its two posteriors become one, by `average`:

        "mean": that of the mean location and the mean variance (Ada-GVAE)
        "product": sqrt(q(z_i|x_1) q(z_i|x_2)), normalised: 1/scale^2 is the mean of the two, and loc their
        mean weighted by 1/scale^2, so that the surer one counts more (Ada-ML-VAE)

    (Locatello et al., "Weakly-Supervised Disentanglement Without Compromises", 2020, section 4.1; the paper's
    d_i is the first term, which depends on the order of a pair, and disent's default is the sum, as here; the
    root of the product is that of disentanglement_lib and disent, and leaves equal posteriors as they are).
    In use each example stands for itself. Reported: ``shared``, the share of units that pairs share.

    Args:
        units: dimensions of the code.
        average: "mean" or "product".
        **kwargs: as in `zoo.bottlenecks.DenseBottleneck`.

    Example:
        >>> model = zoo.create("ada_gvae", (6,), latents=3, hidden=(4,))
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> model.compile("adam")
        >>> history = model.fit(x, x[::-1].copy(), verbose=0)  # rows of the second array are the partners
        >>> model.encode(x).shape, 0 < history.history["shared"][0] < 1
        ((20, 3), True)
    """

    row_wise = False  # rows meet in pairs

    def __init__(self, units: int, average: str = "mean", **kwargs: Any):
        kwargs = {key: value for key, value in kwargs.items() if key not in ("family", "samples")}
        super().__init__(units, family="normal", samples=1, **kwargs)
        self.average = one_of(average, "average", AVERAGES)

    def draw_pairs(
        self, features: tf.Tensor, noise: Noise, step: tf.Tensor, training: bool
    ) -> Code:
        """See `Bottleneck.draw_pairs`."""
        del step, training
        loc, scale = self._parameters(features)
        pair = (-1, 2, self.units)
        means, variances = tf.reshape(loc, pair), tf.reshape(tf.square(scale), pair)
        apart = tf.stop_gradient(self._apart(means, variances))
        lowest, highest = (f(apart, axis=1, keepdims=True) for f in (tf.reduce_min, tf.reduce_max))
        shared = (apart < (lowest + highest) / 2)[:, None]
        mean, variance = self._of_both(means, variances)
        means, variances = tf.where(shared, mean, means), tf.where(shared, variance, variances)
        rows = (-1, self.units)
        given = tf.reshape(means, rows), tf.sqrt(tf.reshape(variances, rows))
        share = tf.reduce_mean(tf.cast(shared[:, 0], tf.float32), axis=1)
        return Code(*self.family.draw(given, noise), measures={"shared": tf.repeat(share, 2)})

    def _of_both(self, means: tf.Tensor, variances: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The mean and variance that stand for both, (pairs, 1, units), from (pairs, 2, units)."""
        if self.average == "mean":
            mean, variance = (tf.reduce_mean(v, axis=1, keepdims=True) for v in (means, variances))
            return mean, variance
        precisions = 1.0 / variances
        variance = 1.0 / tf.reduce_mean(precisions, axis=1, keepdims=True)
        return variance * tf.reduce_mean(precisions * means, axis=1, keepdims=True), variance

    @staticmethod
    def _apart(means: tf.Tensor, variances: tf.Tensor) -> tf.Tensor:
        """The distance of every unit, (pairs, units), from (pairs, 2, units)."""
        first, second = variances[:, 0], variances[:, 1]
        square = tf.math.squared_difference(means[:, 0], means[:, 1])
        return 0.5 * ((first + square) / second + (second + square) / first) - 1.0

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = super().get_config()
        kept = {key: value for key, value in config.items() if key not in ("family", "samples")}
        return {**kept, "average": self.average}
