"""A code drawn from a posterior of a location-scale family."""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf
from tensorflow_probability import distributions as tfd

from zoo import registry
from zoo.bottlenecks.base import Bottleneck, Draw
from zoo.distributions.families import Family
from zoo.noise import Noise
from zoo.registry import register
from zoo.serialization import positive_int

MIN_SCALE = 1e-6
# softplus of this is 1: an untrained posterior is as wide as the prior.
_UNIT_SCALE = math.log(math.e - 1)


@register("stochastic", kind="bottleneck")
class Stochastic(Bottleneck):
    """z = loc(x) + scale(x) * e, with e from the standard member of `family`.

    The reparameterisation of Kingma & Welling 2014, section 2.4; scale = softplus(.) + 1e-6.

    Args:
        units: dimensions of the code.
        family: posterior family, "normal", "laplace", "cauchy" or another registered one.
        samples: draws for each example, in training and evaluation.
        **kwargs: as in `Bottleneck`.
    """

    outputs_per_unit = 2

    def __init__(self, units: int, family: str = "normal", samples: int = 1, **kwargs: Any):
        if kwargs.get("activation") not in (None, "linear"):
            raise ValueError("A posterior's location and scale take no activation.")
        super().__init__(units, **kwargs)
        self.family = family
        self.samples = positive_int(samples, "samples")
        self._family: Family = registry.get(family, "posterior")
        self.heavy_tailed = self._family.heavy_tailed

    def encode(self, features: tf.Tensor) -> tf.Tensor:
        """The posterior's location, (batch, units) float32."""
        return self._parameters(features)[0]

    def posterior(self, features: tf.Tensor) -> tfd.Distribution:
        """q(z|x), batch shape (batch,), event shape (units,)."""
        return self._family(*self._parameters(features))

    def draw(self, features: tf.Tensor, noise: Noise, step: tf.Tensor, training: bool) -> Draw:
        """See `Bottleneck.draw`."""
        del step, training
        loc, scale = self._parameters(features)
        if self.samples > 1:
            loc, scale = (tf.repeat(value, self.samples, axis=0) for value in (loc, scale))
        standard = self._family.standard(noise, tf.shape(loc)[0], self.units)
        return Draw(loc + scale * standard, self._family(loc, scale))

    def _parameters(self, features: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        # float32 from here on: a bfloat16 Cauchy has 128 values.
        loc, raw = tf.split(tf.cast(self.dense(features), tf.float32), 2, axis=-1)
        return loc, tf.nn.softplus(raw + _UNIT_SCALE) + MIN_SCALE

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "family": self.family, "samples": self.samples}
