"""The variational Renyi bound as an objective, and the model that is trained with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

import zoo


@zoo.register("renyi", kind="objective")
class Renyi(zoo.objectives.Objective):
    """-1 / (1 - alpha) log 1/K sum_k w_k^(1 - alpha), w_k = p(x|z_k) p(z_k) / q(z_k|x).

    Li & Turner, "Renyi Divergence Variational Inference", 2016, equation 8: importance weighting at 0,
    the evidence lower bound in the limit of 1.

    Args:
        alpha: from 0 to below 1.
    """

    def __init__(self, alpha: float = 0.5, **kwargs: Any):
        super().__init__(**kwargs)
        self.alpha = zoo.scalar(alpha, "alpha", minimum=0)

    def check(self, model: zoo.Autoencoder) -> None:
        """There must be densities of the code."""
        if model.example_posterior() is None or model.prior_distribution() is None:
            raise ValueError("The objective 'renyi' needs a stochastic bottleneck and a prior.")

    def terms(self, forward: zoo.ForwardPass) -> dict[str, tf.Tensor]:
        """Minus the bound, and the mean reconstruction."""
        reconstruction = forward.reconstruction()
        log_weights = forward.prior.log_prob(forward.code) - forward.posterior.log_prob(
            forward.code
        )
        log_weights = tf.reshape(log_weights - reconstruction, (-1, forward.samples))
        power = 1.0 - self.alpha
        bound = tf.reduce_logsumexp(power * log_weights, axis=1)
        bound = (bound - tf.math.log(float(forward.samples))) / power
        return {
            "loss": -forward.mean(bound, "bound"),
            "reconstruction": forward.mean(reconstruction, "reconstruction"),
        }

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "alpha": self.alpha}


@zoo.register("renyi_vae", kind="model")
def renyi_vae(
    input_shape: Sequence[int],
    latents: int = 10,
    samples: int = 5,
    alpha: float = 0.5,
    hidden: Sequence[int] | None = None,
    seed: int = 0,
) -> zoo.Autoencoder:
    """VAE with the Renyi bound (Li & Turner 2016).

    Minimises

        -1 / (1 - alpha) log 1/K sum_k (p(x|z_k) p(z_k) / q(z_k|x))^(1 - alpha),  z_k ~ q(z|x)

    Args:
        input_shape: shape of one example.
        latents: dimensions of the code.
        samples: K.
        alpha: from 0 to below 1.
        hidden: units of the hidden layers.
        seed: of the noise and the order of the data.
    """
    encoder, decoder = zoo.networks.build_networks("mlp", input_shape, hidden)
    return zoo.Autoencoder(
        input_shape,
        encoder=encoder,
        bottleneck={"name": "stochastic", "units": latents, "samples": samples},
        decoder=decoder,
        prior="normal",
        objective={"name": "renyi", "alpha": alpha},
        seed=seed,
    )
