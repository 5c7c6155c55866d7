"""Codes in the Poincaré ball: the wrapped normal, as posterior and as prior."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import tensorflow as tf
import tensorflow_probability as tfp

from zoo.distributions.families import Family, Parameters, loc_and_scale
from zoo.distributions.priors import Prior
from zoo.noise import Noise
from zoo.registry import register
from zoo.serialization import scalar
from zoo.tfp import tfd

if TYPE_CHECKING:
    from zoo.autoencoder import Autoencoder

# Codes stay this far, in radii of the ball, from its edge, which lies infinitely far away: nearer to it
# float32 knows no distances. It is a distance of 6.2 from the centre of a ball of curvature -1.
EDGE = 4e-3
LIMIT = 2 * math.atanh(1 - EDGE)
# Deviations of the length of a normal draw, below 1 each, that shall find room beyond its mean.
BEYOND = 2.0
_TINY = 1e-15


def added(x: tf.Tensor, y: tf.Tensor, curvature: float) -> tf.Tensor:
    """Möbius addition of points of the ball, (..., units): x moved by y.

    Example:
        >>> from zoo.distributions.ball import added
        >>> x, y = np.float32([[0.3, 0.2]]), np.float32([[0.1, -0.4]])
        >>> np.allclose(added(-x, added(x, y, 1.0), 1.0), y, atol=1e-6)  # it can be undone
        True
    """
    inner = 2 * curvature * tf.reduce_sum(x * y, axis=-1, keepdims=True)
    own, other = (curvature * tf.reduce_sum(tf.square(v), axis=-1, keepdims=True) for v in (x, y))
    return ((1 + inner + other) * x + (1 - own) * y) / (1 + inner + own * other)


def outward(tangent: tf.Tensor, curvature: float) -> tf.Tensor:
    """The point at the end of a tangent at 0, whose length is the distance to it; within `EDGE`."""
    root = curvature**0.5
    length = _length(tangent)
    reach = tf.minimum(tf.tanh(root * length / 2), 1 - EDGE)
    return reach * tangent / (root * length)


def inward(point: tf.Tensor, curvature: float) -> tf.Tensor:
    """The tangent at 0 that leads to a point; the inverse of `outward`."""
    root = curvature**0.5
    length = _length(point)
    reach = tf.minimum(root * length, 1 - EDGE)
    return 2 * tf.atanh(reach) * point / (root * length)


def _length(vector: tf.Tensor) -> tf.Tensor:
    return tf.sqrt(tf.reduce_sum(tf.square(vector), axis=-1, keepdims=True) + _TINY)


class WrappedNormal(tfd.Distribution):
    """z = loc (+) exp_0(e), e ~ N(0, diag scale^2): a normal at `loc`, wrapped around the ball.

    With r = |e| the distance of z from loc, d units and curvature -c, the density with respect to dz is

        N(e; 0, scale^2) [sqrt(c) r / sinh(sqrt(c) r)]^(d - 1) [2 / (1 - c |z|^2)]^d

    (Mathieu et al., "Continuous Hierarchical Representations with Poincaré Variational Auto-Encoders", 2019,
    appendix B; their density, with respect to the ball's own measure, lacks the last factor).

    Args:
        loc: (..., units), within the ball of radius 1 / sqrt(c).
        scale: (..., units).
        curvature: c.
    """

    def __init__(self, loc: tf.Tensor, scale: tf.Tensor, curvature: float = 1.0):
        self.centre = loc
        self.spread = scale
        self.curvature = curvature
        super().__init__(
            dtype=tf.float32,
            reparameterization_type=tfd.FULLY_REPARAMETERIZED,
            validate_args=False,
            allow_nan_stats=True,
            name="WrappedNormal",
        )

    def at(self, standard: tf.Tensor) -> tf.Tensor:
        """The draw that standard normal numbers stand for, (..., units)."""
        return _inside(
            added(self.centre, outward(self.spread * standard, self.curvature), self.curvature),
            self.curvature,
        )

    def _log_prob(self, value: tf.Tensor) -> tf.Tensor:
        units: Any = value.shape[-1]
        tangent = inward(added(-self.centre, value, self.curvature), self.curvature)
        root = self.curvature**0.5
        reach = root * tf.squeeze(_length(tangent), axis=-1)
        # log(r / sinh r), written so that a large r does not overflow.
        wrapped = tf.math.log(2 * reach) - reach - tf.math.log1p(-tf.exp(-2 * reach))
        square = self.curvature * tf.reduce_sum(tf.square(value), axis=-1)
        measure = tf.math.log(2.0) - tf.math.log1p(-tf.minimum(square, (1 - EDGE) ** 2))
        normal = tfd.Normal(tf.zeros_like(self.spread), self.spread).log_prob(tangent)
        return tf.reduce_sum(normal, axis=-1) + (units - 1) * wrapped + units * measure

    def _sample_n(self, n: Any, seed: Any = None) -> tf.Tensor:
        shape = tf.concat([[n], tf.shape(self.centre)], axis=0)
        seed = tfp.random.sanitize_seed(seed)
        return self.at(tf.random.stateless_normal(shape, seed))

    def _batch_shape(self) -> tf.TensorShape:
        return self.centre.shape[:-1]

    def _batch_shape_tensor(self) -> tf.Tensor:
        return tf.shape(self.centre)[:-1]

    def _event_shape(self) -> tf.TensorShape:
        return self.centre.shape[-1:]

    def _event_shape_tensor(self) -> tf.Tensor:
        return tf.shape(self.centre)[-1:]

    @classmethod
    def _parameter_properties(cls, dtype: Any, num_classes: Any = None) -> dict[str, Any]:
        return {}


def _inside(point: tf.Tensor, curvature: float) -> tf.Tensor:
    """Pulled back from the edge where rounding has put it there."""
    length = curvature**0.5 * _length(point)
    return point * tf.minimum(1.0, (1 - EDGE) / length)


@register("wrapped_normal", kind="posterior")
class WrappedNormalFamily(Family):
    """q(z|x), a `WrappedNormal` of curvature -c, with loc = exp_0(.) and scale = softplus(.) + 1e-6.

    Args:
        curvature: c, above 0.

    Example:
        >>> model = zoo.create("poincare_vae", (6,), latents=2, hidden=(4,))
        >>> code = model.encode(np.random.default_rng(0).random((20, 6), np.float32))
        >>> bool((np.linalg.norm(code, axis=1) < 1).all())
        True
    """

    fixed = ("curvature",)

    def __init__(self, curvature: float = 1.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.curvature = _curvature(curvature)

    def parameters(self, numbers: tf.Tensor) -> Parameters:
        """(loc, scale), (batch, ..., units) each."""
        tangent, scale = loc_and_scale(numbers)
        return outward(tangent, self.curvature), scale

    def member(self, parameters: Parameters) -> tfd.Distribution:
        """The distribution, batch shape (batch,), event shape (*code)."""
        loc, scale = parameters
        return _independent(WrappedNormal(loc, scale, self.curvature))

    def draw(self, parameters: Parameters, noise: Noise) -> tuple[tf.Tensor, tfd.Distribution]:
        """A draw of every row, and the member that it is from."""
        loc, scale = parameters
        own = WrappedNormal(loc, scale, self.curvature)
        return own.at(noise.normal(tf.shape(loc)[0], *loc.shape[1:])), _independent(own)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "curvature": self.curvature}


@register("wrapped_normal", kind="prior")
class WrappedNormalPrior(Prior):
    """A `WrappedNormal` around the centre of the ball.

    Args:
        curvature: c, above 0, as the posterior has it.
        scale: of every unit, above 0.

    Raises:
        ValueError: where draws would come to the edge: sqrt(c) scale (sqrt(units) + 2) must be below 6.2.

    Example:
        >>> model = zoo.create("poincare_vae", (6,), latents=2, hidden=(4,), curvature=2.0)
        >>> bool((np.linalg.norm(model.sample_prior(50, 0), axis=1) < 0.5**0.5).all())  # the radius
        True
    """

    def __init__(self, curvature: float = 1.0, scale: float = 1.0, **kwargs: Any):
        super().__init__(scale, **kwargs)
        self.curvature = _curvature(curvature)

    def check(self, model: Autoencoder) -> None:
        """Draws lie at a distance of scale sqrt(units) from the centre: not where float32 knows none."""
        reach = self.scale * (model.units**0.5 + BEYOND)
        if reach > LIMIT / self.curvature**0.5:
            most = (LIMIT / reach) ** 2
            raise ValueError(
                f"With {model.units} latents draws of the prior come to the edge of a ball of curvature "
                f"-{self.curvature:g}, where float32 has no distances, and the divergence is wrong. Give "
                f"curvature={math.floor(100 * most) / 100:g} or less, or fewer latents."
            )

    def distribution(self, *code_shape: int, condition: Any = None) -> tfd.Distribution:
        """The distribution, event shape (*code)."""
        del condition
        wide = tf.fill(code_shape, self.scale)
        return _independent(WrappedNormal(tf.zeros(code_shape), wide, self.curvature), 0)

    def sample(self, noise: Noise, batch: Any, *code_shape: int) -> tf.Tensor:
        """Draws, (batch, *code) float32."""
        standard = noise.normal(batch, *code_shape)
        return outward(self.scale * standard, self.curvature)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "curvature": self.curvature}


def _independent(distribution: WrappedNormal, rows: int = 1) -> tfd.Distribution:
    """With the places of a grid of codes in the event."""
    places = len(distribution.batch_shape) - rows
    return tfd.Independent(distribution, places) if places else distribution


def _curvature(value: Any) -> float:
    number = scalar(value, "curvature")
    if not isinstance(number, float) or number <= 0:
        raise ValueError(f"curvature must be a number above 0; received {value!r}.")
    return number
