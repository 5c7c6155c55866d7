"""A code drawn from a posterior of a family."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from zoo.bottlenecks.base import Code, DenseBottleneck
from zoo.distributions.families import Family, Parameters
from zoo.noise import Noise
from zoo.registry import register
from zoo.serialization import deserialize_part, part, positive_int, serialize_part
from zoo.tfp import tfd


@register("stochastic", kind="bottleneck")
class Stochastic(DenseBottleneck):
    """z ~ q(z|x), a draw from the member of `family` that the features name.

    For a location-scale family z = loc(x) + scale(x) * e, the reparameterisation of Kingma & Welling 2014,
    section 2.4, with scale = softplus(.) + 1e-6.

    Args:
        units: dimensions of the code.
        family: posterior family, "normal", "laplace", "cauchy" or another registered one, a dict of a name
            and options, or a `zoo.distributions.Family`.
        samples: draws for each example, in training and evaluation.
        **kwargs: as in `DenseBottleneck`.

    Example:
        >>> bottleneck = zoo.bottlenecks.Stochastic(2, family="laplace")
        >>> bottleneck.build((None, 4))
        >>> posterior = bottleneck.posterior(np.ones((3, 4), "float32"))
        >>> posterior.batch_shape, posterior.event_shape
        (TensorShape([3]), TensorShape([2]))
    """

    fixed = ("family",)

    def __init__(self, units: int, family: Any = "normal", samples: int = 1, **kwargs: Any):
        if kwargs.get("activation") not in (None, "linear"):
            raise ValueError("A posterior's location and scale take no activation.")
        if isinstance(family, dict) and "name" not in family:
            family = deserialize_part(family, "posterior")
        made: Family = part(family, "posterior", Family)
        super().__init__(units, outputs=made.outputs(positive_int(units, "latents")), **kwargs)
        self.family = made
        self.samples = positive_int(samples, "samples")
        self.heavy_tailed = made.heavy_tailed

    def build(self, features_shape: Sequence[int | None]) -> None:
        """Create the dense layer and what the family has."""
        super().build(features_shape)
        if not self.family.built:
            self.family.build((None, *self.code_shape))

    def encode(self, features: tf.Tensor) -> tf.Tensor:
        """The posterior's location, (batch, *code) float32."""
        return self.family.location(self._parameters(features))

    def posterior(self, features: tf.Tensor) -> tfd.Distribution:
        """q(z|x), batch shape (batch,), event shape (*code)."""
        return self.family.member(self._parameters(features))

    def example_posterior(self) -> tfd.Distribution:
        """A member of the family."""
        return self.family.example(self.code_shape)

    def draw(self, features: tf.Tensor, noise: Noise, step: tf.Tensor, training: bool) -> Code:
        """See `Bottleneck.draw`."""
        del step, training
        parameters = self._parameters(features)
        if self.samples > 1:
            parameters = tuple(tf.repeat(value, self.samples, axis=0) for value in parameters)
        return Code(*self.family.draw(parameters, noise))

    def _parameters(self, features: tf.Tensor) -> Parameters:
        return self.family.parameters(self.numbers(features))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "family": serialize_part(self.family),
            "samples": self.samples,
        }
