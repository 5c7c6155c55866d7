"""A posterior of full covariance by reflections, and the model that has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from tensorflow_probability import distributions as tfd

import zoo


@zoo.register("householder", kind="posterior")
class Householder(zoo.distributions.Family):
    """z = H_K .. H_1 e, e ~ N(loc(x), diag scale(x)^2), with reflections H = I - 2 v v^T / ||v||^2 of x.

    Tomczak & Welling, "Improving Variational Auto-Encoders using Householder Flow", 2016, equation 10: the
    determinant of a reflection is -1, so that q(z|x) is Normal with a covariance that is not diagonal.

    Args:
        steps: K.
    """

    def __init__(self, steps: int = 2, **kwargs: Any):
        super().__init__(**kwargs)
        self.steps = zoo.positive_int(steps, "steps")

    def outputs(self, units: int) -> int:
        """Location, scale and the reflections."""
        return (2 + self.steps) * units

    def parameters(self, numbers: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """(loc, scale, v_1 .. v_K)."""
        loc, raw, *axes = tf.split(numbers, 2 + self.steps, axis=-1)
        return loc, tf.nn.softplus(raw + 0.5413) + 1e-6, *axes

    def member(self, parameters: tuple[tf.Tensor, ...]) -> tfd.Distribution:
        """The Normal distribution that the reflections make, event shape (units,)."""
        loc, scale, *axes = parameters
        columns = tf.linalg.diag(scale)  # each column is reflected
        for axis in axes:
            columns = tf.linalg.matrix_transpose(
                _reflected(tf.linalg.matrix_transpose(columns), axis[:, None])
            )
        covariance = tf.matmul(columns, columns, transpose_b=True)
        factor = tf.linalg.cholesky(covariance + 1e-6 * tf.eye(loc.shape[-1]))
        return tfd.MultivariateNormalTriL(self.location(parameters), factor)

    def location(self, parameters: tuple[tf.Tensor, ...]) -> tf.Tensor:
        """The reflected loc."""
        return self._moved(parameters, parameters[0])

    def draw(self, parameters: tuple[tf.Tensor, ...], noise: zoo.Noise) -> Any:
        """A reflected draw of the diagonal Normal."""
        loc, scale, *_ = parameters
        base = loc + scale * noise.normal(tf.shape(loc)[0], *loc.shape[1:])
        return self._moved(parameters, base), self.member(parameters)

    def _moved(self, parameters: tuple[tf.Tensor, ...], z: tf.Tensor) -> tf.Tensor:
        for axis in parameters[2:]:
            z = _reflected(z, axis)
        return z

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "steps": self.steps}


def _reflected(z: tf.Tensor, axis: tf.Tensor) -> tf.Tensor:
    along = tf.reduce_sum(axis * z, axis=-1, keepdims=True)
    return z - 2 * axis * along / (tf.reduce_sum(axis * axis, axis=-1, keepdims=True) + 1e-6)


@zoo.register("householder_vae", kind="model")
def householder_vae(
    input_shape: Sequence[int], latents: int = 10, steps: int = 2, seed: int = 0
) -> zoo.Autoencoder:
    """VAE with a Householder posterior (Tomczak & Welling 2016).

    Minimises

        -log p(x|z) + log q(z|x) - log p(z),  z a draw from the reflected Normal

    Args:
        input_shape: shape of one example.
        latents: dimensions of the code.
        steps: reflections.
        seed: of the noise and the order of the data.
    """
    family: Any = {"name": "householder", "steps": steps}
    return zoo.create(
        "vae", input_shape, latents=latents, posterior=family, hidden=(16,), seed=seed
    )
