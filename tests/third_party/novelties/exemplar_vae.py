"""A prior of examples that asks its model's encoder, and the model that has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from tensorflow_probability import distributions as tfd

import zoo


@zoo.register("exemplars", kind="prior")
class Exemplars(zoo.distributions.Prior):
    """p(z) = 1/K sum_k N(z; loc(x_k), scale^2), around the codes of K examples, with one learned scale.

    Norouzi et al., "Exemplar VAE", 2020, equation 5. ``model.prior.examples.assign(x[:K])`` chooses them.

    Args:
        components: K.
    """

    sees_model = True

    def __init__(self, components: int = 20, **kwargs: Any):
        super().__init__(**kwargs)
        self.components = zoo.positive_int(components, "components")

    def build(self, input_shape: Any = None) -> None:
        """Make room for the examples."""
        shape = (self.components, *self.model.event_shape)
        self.examples = self.add_weight(
            name="examples", shape=shape, initializer="uniform", trainable=False
        )
        self.log_scale = self.add_weight(name="log_scale", shape=(), initializer="zeros")
        super().build(input_shape)

    def check(self, model: zoo.Autoencoder) -> None:
        """The components are posteriors."""
        if model.example_posterior() is None:
            raise ValueError("The prior 'exemplars' needs a stochastic bottleneck.")

    def distribution(self, *code_shape: int, condition: Any = None) -> tfd.Distribution:
        """The mixture, event shape (*code)."""
        return tfd.MixtureSameFamily(
            tfd.Categorical(logits=tf.zeros(self.components)), self._parts()
        )

    def sample(self, noise: zoo.Noise, batch: Any, *code_shape: int) -> tf.Tensor:
        """Draws, (batch, units) float32: an example for every row, and a draw near it."""
        pick = noise.fold("component").uniform(batch) * self.components
        base = zoo.distributions.base_distribution(self._parts())
        loc = tf.gather(base.loc, tf.cast(pick, tf.int32))
        return loc + tf.exp(tf.convert_to_tensor(self.log_scale)) * noise.normal(batch, *code_shape)

    def _parts(self) -> tfd.Distribution:
        loc = self.model.encode_batch(tf.convert_to_tensor(self.examples))
        scale = tf.fill(tf.shape(loc), tf.exp(tf.convert_to_tensor(self.log_scale)))
        return tfd.Independent(tfd.Normal(loc, scale), 1)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "components": self.components}


@zoo.register("exemplar_vae", kind="model")
def exemplar_vae(
    input_shape: Sequence[int], latents: int = 10, components: int = 20, seed: int = 0
) -> zoo.Autoencoder:
    """VAE with a prior around examples (Norouzi et al. 2020).

    Minimises

        -log p(x|z) + log q(z|x) - log 1/K sum_k N(z; loc(x_k), scale^2)

    Args:
        input_shape: shape of one example.
        latents: dimensions of the code.
        components: K.
        seed: of the noise and the order of the data.
    """
    prior = {"name": "exemplars", "components": components}
    return zoo.create("vae", input_shape, latents=latents, prior=prior, hidden=(16,), seed=seed)
