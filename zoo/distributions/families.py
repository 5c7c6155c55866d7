"""Families for the posterior q(z|x), by name."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from zoo.noise import Noise
from zoo.parts import Part
from zoo.registry import register
from zoo.tfp import tfd

# The Cauchy quantile leaves float32 near 0 and 1; this keeps draws within +-318 scales.
CAUCHY_MARGIN = 1e-3
MIN_SCALE = 1e-6
# softplus of this is 1: an untrained posterior is as wide as the prior.
UNIT_SCALE = math.log(math.e - 1)
Parameters = tuple[tf.Tensor, ...]


def loc_and_scale(numbers: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """A location and a scale, softplus(.) + 1e-6, from the halves of (batch, ..., 2 units) float32.

    Example:
        >>> from zoo.distributions.families import loc_and_scale
        >>> loc, scale = loc_and_scale(np.zeros((3, 4), "float32"))
        >>> loc.shape, round(float(scale[0, 0]), 3)
        (TensorShape([3, 2]), 1.0)
    """
    # Not by halves of the dtype that the dense layer computes in: a bfloat16 Cauchy has 128 values.
    loc, raw = tf.split(numbers, 2, axis=-1)
    return loc, tf.nn.softplus(raw + UNIT_SCALE) + MIN_SCALE


class Family(Part):
    """A family of posteriors: from what the bottleneck's dense layer gives to a member, and draws from it.

    As it stands, a location-scale family of TFP's: z = loc + scale * e with e from the standard member and
    scale = softplus(.) + 1e-6, every unit independent of the others; a subclass gives `distribution`. A
    family of another form, a flow or a sphere, overrides `outputs`, `parameters`, `member`, `location` and
    `draw`, and makes its weights in `build`.

    Attributes:
        distribution: the TFP class, built from loc and scale.
        heavy_tailed: True where the mean does not exist, so that single draws can be huge.

    Example:
        >>> from tensorflow_probability import distributions as tfd
        >>> @zoo.register("logistic", kind="posterior")
        ... class Logistic(zoo.distributions.Family):
        ...     distribution = tfd.Logistic
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,), posterior="logistic")
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> type(zoo.distributions.base_distribution(model.posterior(x))).__name__
        'Logistic'
    """

    distribution: Callable[..., tfd.Distribution]
    heavy_tailed = False

    def __init__(self, **kwargs: Any):
        super().__init__(dtype="float32", **kwargs)

    def outputs(self, units: int) -> int:
        """How many numbers of the dense layer a code of `units` units takes."""
        return 2 * units

    def build(self, code_shape: Any = None) -> None:
        """Create weights, where there are any, for codes of shape (batch, *code)."""
        del code_shape
        self.built = True

    def parameters(self, numbers: tf.Tensor) -> Parameters:
        """What the members are made of, from (batch, ..., outputs) float32: loc and scale."""
        return loc_and_scale(numbers)

    def member(self, parameters: Parameters) -> tfd.Distribution:
        """q(z|x), batch shape (batch,), event shape (*code)."""
        loc, scale = parameters
        return tfd.Independent(self.distribution(loc, scale), len(loc.shape) - 1)

    def location(self, parameters: Parameters) -> tf.Tensor:
        """The code without noise, (batch, *code)."""
        return parameters[0]

    def draw(self, parameters: Parameters, noise: Noise) -> tuple[tf.Tensor, tfd.Distribution]:
        """A draw of every row, (batch, *code), with gradients, and the member that it is from."""
        loc, scale = parameters
        standard = self.standard(noise, tf.shape(loc)[0], *loc.shape[1:])
        return loc + scale * standard, self.member(parameters)

    def standard(self, noise: Noise, batch: Any, *event: int | None) -> tf.Tensor:
        """Draws from the member with loc 0 and scale 1, (batch, *event) float32."""
        return by_quantile(self.distribution(0.0, 1.0), noise.uniform(batch, *event), "standard")

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; a subclass with options adds them."""
        return {"name": self.name}

    def example(self, code_shape: Sequence[int]) -> tfd.Distribution:
        """A member for one row, to ask what divergences it has."""
        *places, units = code_shape
        return self.member(self.parameters(tf.ones((1, *places, self.outputs(units)))))


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

    def standard(self, noise: Noise, batch: Any, *event: int | None) -> tf.Tensor:
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
