"""A prior that asks its model's encoder, and the model that has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from tensorflow_probability import distributions as tfd

import zoo


@zoo.register("vamp", kind="prior")
class VampPrior(zoo.distributions.Prior):
    """p(z) = 1/K sum_k q(z|u_k), the posteriors of K learned pseudo-inputs.

    Tomczak & Welling, "VAE with a VampPrior", 2018, equation 9. Pseudo-inputs are held to [0, 1].

    Args:
        components: K.
    """

    sees_model = True

    def __init__(self, components: int = 20, **kwargs: Any):
        super().__init__(**kwargs)
        self.components = zoo.positive_int(components, "components")

    def build(self, input_shape: Any = None) -> None:
        """Create the pseudo-inputs."""
        self.pseudo = self.add_weight(
            name="pseudo", shape=(self.components, *self.model.event_shape), initializer="uniform"
        )
        super().build(input_shape)

    def check(self, model: zoo.Autoencoder) -> None:
        """The components are posteriors."""
        if model.example_posterior() is None:
            raise ValueError("The prior 'vamp' needs a stochastic bottleneck.")

    def distribution(self, *code_shape: int, condition: Any = None) -> tfd.Distribution:
        """The mixture, event shape (*code)."""
        return tfd.MixtureSameFamily(
            tfd.Categorical(logits=tf.zeros(self.components)), self._parts()
        )

    def sample(self, noise: zoo.Noise, batch: Any, *code_shape: int) -> tf.Tensor:
        """Draws, (batch, units) float32: a component for every row, and a draw of it."""
        pick = noise.fold("component").uniform(batch) * self.components
        base = zoo.distributions.base_distribution(self._parts())
        loc, scale = (tf.gather(value, tf.cast(pick, tf.int32)) for value in (base.loc, base.scale))
        return loc + scale * noise.normal(batch, *code_shape)

    def _parts(self) -> tfd.Distribution:
        return self.model.posterior_batch(tf.clip_by_value(tf.convert_to_tensor(self.pseudo), 0, 1))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "components": self.components}


@zoo.register("vamp_vae", kind="model")
def vamp_vae(
    input_shape: Sequence[int], latents: int = 10, components: int = 20, seed: int = 0
) -> zoo.Autoencoder:
    """VAE with a VampPrior (Tomczak & Welling 2018).

    Minimises

        -log p(x|z) + log q(z|x) - log 1/K sum_k q(z|u_k)

    Args:
        input_shape: shape of one example.
        latents: dimensions of the code.
        components: K.
        seed: of the noise and the order of the data.
    """
    prior = {"name": "vamp", "components": components}
    return zoo.create("vae", input_shape, latents=latents, prior=prior, hidden=(16,), seed=seed)
