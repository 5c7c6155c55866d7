"""Location-scale families for the posterior q(z|x), by name."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from tensorflow_probability import distributions as tfd

from zoo.noise import Noise
from zoo.registry import register

# The Cauchy quantile leaves float32 near 0 and 1; this keeps draws within +-318 scales.
CAUCHY_MARGIN = 1e-3


class Family:
    """A location-scale family: z = loc + scale * e with e from the standard member.

    Attributes:
        distribution: the TFP class, built from loc and scale.
        heavy_tailed: True where the mean does not exist, so that single draws can be huge.
    """

    distribution: type[tfd.Distribution]
    heavy_tailed = False

    def __call__(self, loc: tf.Tensor, scale: tf.Tensor) -> tfd.Distribution:
        """The factorised distribution over the last axis of loc and scale, (batch, units)."""
        return tfd.Independent(self.distribution(loc, scale), 1)

    def standard(self, noise: Noise, batch: Any, *event: int) -> tf.Tensor:
        """Draws from the member with loc 0 and scale 1, (batch, *event) float32."""
        return by_quantile(self.distribution(0.0, 1.0), noise.uniform(batch, *event), "standard")


@register("normal", kind="posterior")
class Normal(Family):
    """N(mu, sigma^2)."""

    distribution = tfd.Normal


@register("laplace", kind="posterior")
class Laplace(Family):
    """Laplace(m, b) with density exp(-|z - m| / b) / (2 b)."""

    distribution = tfd.Laplace


@register("cauchy", kind="posterior")
class Cauchy(Family):
    """Cauchy(x0, g) with density g / (pi ((z - x0)^2 + g^2)); draws are kept within 318 g of x0."""

    distribution = tfd.Cauchy
    heavy_tailed = True

    def standard(self, noise: Noise, batch: Any, *event: int) -> tf.Tensor:
        """Draws from Cauchy(0, 1), (batch, *event) float32."""
        return standard_cauchy(noise.uniform(batch, *event))


def by_quantile(member: tfd.Distribution, uniform: tf.Tensor, method: str) -> tf.Tensor:
    """Draws from `member` by its quantiles; `method` is what a class overrides where it has none.

    Raises:
        ValueError: where it has none.
    """
    try:
        return member.quantile(uniform)
    except NotImplementedError as error:
        raise ValueError(
            f"{type(member).__name__} has no quantile, by which draws are made. Override {method!r} of the "
            "class that uses it, with numbers from `noise`."
        ) from error


def standard_cauchy(uniform: tf.Tensor) -> tf.Tensor:
    """tan(pi (u - 1/2)) for u kept in [0.001, 0.999]."""
    return tfd.Cauchy(0.0, 1.0).quantile(
        tf.clip_by_value(uniform, CAUCHY_MARGIN, 1.0 - CAUCHY_MARGIN)
    )
