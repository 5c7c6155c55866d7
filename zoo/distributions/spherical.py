"""Codes on the unit sphere: the power spherical posterior and the uniform prior."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tensorflow as tf

from zoo.distributions.families import Family, Parameters
from zoo.distributions.fitted import FittedPrior
from zoo.distributions.priors import UnscaledPrior
from zoo.noise import Noise
from zoo.registry import register
from zoo.tfp import tfd

if TYPE_CHECKING:
    from zoo.autoencoder import Autoencoder

# Below a concentration of 1 the density has an infinite slope opposite to the mean direction.
LEAST_CONCENTRATION = 1.0


@register("power_spherical", kind="posterior")
class PowerSpherical(Family):
    """q(z|x) = C (1 + mu(x) . z)^kappa(x) on the unit sphere, with kappa = softplus(.) + 1.

    De Cao & Aziz, "The Power Spherical Distribution", 2020, equation 7. The von Mises-Fisher of Davidson et
    al., "Hyperspherical Variational Auto-Encoders", 2018, is drawn by rejection, and its gradient in TFP and
    pythae 0.1.2 is not that of its draws; this one is drawn by the inverse of a Beta's cumulative
    distribution (their algorithm 1). Its prior is "sphere", and its KL is known.

    Example:
        >>> model = zoo.create("spherical_vae", (6,), latents=3, hidden=(4,))
        >>> code = model.encode(np.random.default_rng(0).random((20, 6), np.float32))
        >>> np.allclose(np.linalg.norm(code, axis=1), 1, atol=1e-5)
        True
    """

    def outputs(self, units: int) -> int:
        """A direction, and the concentration."""
        return units + 1

    def build(self, code_shape: Any = None) -> None:
        """Nothing; a sphere has two dimensions at least.

        Raises:
            ValueError: for one unit, and for a grid of codes.
        """
        if len(code_shape) != 2 or code_shape[-1] < 2:
            raise ValueError(
                "The posterior 'power_spherical' needs codes of one axis and 2 units at least; "
                f"received codes of shape {tuple(code_shape[1:])}."
            )
        super().build(code_shape)

    def check(self, model: Autoencoder) -> None:
        """The prior lies on the sphere too, or is fitted to codes there."""
        if not isinstance(model.prior, SphericalUniformPrior | FittedPrior):
            raise ValueError(
                "The posterior 'power_spherical' needs the prior 'spherical_uniform'; received "
                f"{getattr(type(model.prior), 'zoo_name', None)!r}."
            )

    def parameters(self, numbers: tf.Tensor) -> Parameters:
        """(mu, kappa), (batch, units) and (batch,)."""
        given: Any = numbers
        direction = tf.math.l2_normalize(given[..., :-1], axis=-1, epsilon=1e-12)
        return direction, tf.nn.softplus(given[..., -1]) + LEAST_CONCENTRATION

    def member(self, parameters: Parameters) -> tfd.Distribution:
        """The distribution, batch shape (batch,), event shape (units,)."""
        direction, concentration = parameters
        return tfd.PowerSpherical(direction, concentration)

    def draw(self, parameters: Parameters, noise: Noise) -> tuple[tf.Tensor, tfd.Distribution]:
        """A draw around (1, 0, ..), turned by the reflection that takes it to mu."""
        direction, concentration = parameters
        rows = tf.shape(direction)[0]
        units: Any = direction.shape[-1]
        half = (units - 1) / 2
        beta = tfd.Beta(half + concentration, half)
        along = 2 * beta.quantile(noise.fold("along").uniform(rows)) - 1
        across = noise.fold("across").normal(rows, units - 1)
        across = tf.math.l2_normalize(across, axis=-1, epsilon=1e-12)
        width = tf.sqrt(tf.maximum(1 - tf.square(along), 1e-12))
        upright = tf.concat([along[:, None], width[:, None] * across], axis=-1)
        axis = tf.one_hot(0, units) - direction
        mirror = tf.math.l2_normalize(axis, axis=-1, epsilon=1e-12)
        turned = upright - 2 * tf.reduce_sum(mirror * upright, axis=-1, keepdims=True) * mirror
        return tf.math.l2_normalize(turned, axis=-1), self.member(parameters)


@register("spherical_uniform", kind="prior")
class SphericalUniformPrior(UnscaledPrior):
    """The uniform distribution on the unit sphere (Davidson et al. 2018, section 3.2).

    Example:
        >>> model = zoo.create("spherical_vae", (6,), latents=3, hidden=(4,))
        >>> bool(abs(np.linalg.norm(model.sample_prior(5, 0), axis=1) - 1).max() < 1e-5)
        True
    """

    def check(self, model: Autoencoder) -> None:
        """A posterior on the sphere: one around it gives codes that the prior never has."""
        if not isinstance(getattr(model.bottleneck, "family", None), PowerSpherical):
            raise ValueError(
                "The prior 'spherical_uniform' needs the posterior 'power_spherical'; received a "
                f"{type(getattr(model.bottleneck, 'family', model.bottleneck)).__name__}."
            )

    def distribution(self, *code_shape: int, condition: Any = None) -> tfd.Distribution:
        """Uniform, event shape (units,)."""
        del condition
        return tfd.SphericalUniform(dimension=code_shape[-1])

    def sample(self, noise: Noise, batch: Any, *code_shape: int) -> tf.Tensor:
        """Directions of normal numbers, (batch, units) float32."""
        return tf.math.l2_normalize(noise.normal(batch, *code_shape), axis=-1)
