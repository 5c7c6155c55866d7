"""An inverse autoregressive posterior, and the model that has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow_probability import bijectors as tfb
from tensorflow_probability import distributions as tfd

import zoo


class _Masked(keras.layers.Layer):
    """m_i and s_i of z_1 .. z_(i-1) and a context, by two masked matrix products."""

    def __init__(self, units: int, hidden: int, **kwargs: Any):
        super().__init__(dtype="float32", **kwargs)
        self.units, self.hidden = units, hidden

    def build(self, input_shape: Any = None) -> None:
        degree = np.arange(self.hidden) % max(self.units - 1, 1)
        self.first = np.float32(np.arange(self.units)[:, None] <= degree)
        self.last = np.float32(np.tile(degree[:, None] < np.arange(self.units), (1, 2)))
        init = {"initializer": "glorot_uniform"}
        self.into = self.add_weight(name="into", shape=(self.units, self.hidden), **init)
        self.context = self.add_weight(name="context", shape=(self.units, self.hidden), **init)
        self.out = self.add_weight(name="out", shape=(self.hidden, 2 * self.units), **init)
        self.built = True

    def call(self, z: tf.Tensor, context: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        hidden = tf.tanh(z @ (self.into * self.first) + context @ self.context)
        shift, gate = tf.split(hidden @ (self.out * self.last), 2, axis=-1)
        return shift, tf.math.log_sigmoid(gate + 1.0)


@zoo.register("inverse_autoregressive", kind="posterior")
class InverseAutoregressive(zoo.distributions.Family):
    """z = s * e' + m with e' ~ N(loc(x), scale(x)^2) and (m, s) autoregressive in e', given x.

    Kingma et al., "Improved Variational Inference with Inverse Autoregressive Flow", 2016, section 3; one
    flow, conditioned on x by a context that the bottleneck's dense layer gives.

    Args:
        hidden: units of the masked network.
    """

    def __init__(self, hidden: int = 32, **kwargs: Any):
        super().__init__(**kwargs)
        self.hidden = zoo.positive_int(hidden, "hidden")

    def outputs(self, units: int) -> int:
        """Location, scale and context."""
        return 3 * units

    def build(self, code_shape: Any = None) -> None:
        """Create the masked network."""
        self.network = _Masked(code_shape[-1], self.hidden)
        self.network.build()
        super().build(code_shape)

    def parameters(self, numbers: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """(loc, scale, context)."""
        loc, raw, context = tf.split(numbers, 3, axis=-1)
        return loc, tf.nn.softplus(raw + 0.5413) + 1e-6, context

    def member(self, parameters: tuple[tf.Tensor, ...]) -> tfd.Distribution:
        """The base under the flow, event shape (units,)."""
        loc, scale, context = parameters
        flow = tfb.MaskedAutoregressiveFlow(
            lambda z: self.network(z, context), event_ndims=1, is_constant_jacobian=False
        )
        # Inverse: sampling is one pass, as the paper has it; the density of a draw is cached by TFP.
        return tfd.TransformedDistribution(tfd.MultivariateNormalDiag(loc, scale), tfb.Invert(flow))

    def location(self, parameters: tuple[tf.Tensor, ...]) -> tf.Tensor:
        """The flow of loc."""
        return self.member(parameters).bijector.forward(parameters[0])

    def draw(self, parameters: tuple[tf.Tensor, ...], noise: zoo.Noise) -> Any:
        """One pass of the flow."""
        loc, scale, _ = parameters
        member = self.member(parameters)
        base = loc + scale * noise.normal(tf.shape(loc)[0], *loc.shape[1:])
        return member.bijector.forward(base), member

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "hidden": self.hidden}


@zoo.register("iaf_vae", kind="model")
def iaf_vae(input_shape: Sequence[int], latents: int = 10, seed: int = 0) -> zoo.Autoencoder:
    """VAE with an inverse autoregressive posterior (Kingma et al. 2016).

    Minimises

        -log p(x|z) + log q(z|x) - log p(z),  z a draw from the flow

    Args:
        input_shape: shape of one example.
        latents: dimensions of the code.
        seed: of the noise and the order of the data.
    """
    return zoo.create(
        "vae",
        input_shape,
        latents=latents,
        posterior="inverse_autoregressive",
        hidden=(16,),
        seed=seed,
    )
