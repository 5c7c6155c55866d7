"""The importance-weighted bound as an objective, and the model that is trained with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

import zoo


@zoo.register("importance_weighted", kind="objective")
class ImportanceWeighted(zoo.objectives.Objective):
    """-log 1/K sum_k p(x|z_k) p(z_k) / q(z_k|x), with K draws of the code for each example.

    Burda et al., "Importance Weighted Autoencoders", 2016, equation 8. The bound that is reported is the one
    that is minimised.
    """

    def check(self, model: zoo.Autoencoder) -> None:
        """There must be densities of the code, and no KL term beside them."""
        if model.example_posterior() is None or model.prior_distribution() is None:
            raise ValueError(
                "The objective 'importance_weighted' needs a stochastic bottleneck and a prior that has a "
                "density. Set prior='normal'."
            )
        if any(isinstance(r, zoo.regularizers.KL) for r in model.regularizers):
            raise ValueError(
                "The objective 'importance_weighted' holds p(z) / q(z|x); leave the regularizer 'kl' out."
            )

    def terms(self, forward: zoo.ForwardPass) -> dict[str, tf.Tensor]:
        """The bound, and the mean reconstruction."""
        reconstruction = forward.reconstruction()
        log_weights = forward.prior.log_prob(forward.code) - forward.posterior.log_prob(
            forward.code
        )
        log_weights = tf.reshape(log_weights - reconstruction, (-1, forward.samples))
        bound = tf.reduce_logsumexp(log_weights, axis=1) - tf.math.log(float(forward.samples))
        return {
            "loss": -forward.mean(bound, "bound"),
            "reconstruction": forward.mean(reconstruction, "reconstruction"),
        }


@zoo.register("iwae", kind="model")
def iwae(
    input_shape: Sequence[int],
    latents: int = 10,
    samples: int = 5,
    hidden: Sequence[int] | None = None,
    networks: Any = "mlp",
    activation: str = "tanh",
    likelihood: Any = "bernoulli",
    seed: int = 0,
) -> zoo.Autoencoder:
    """Importance weighted autoencoder (Burda et al. 2016, equation 8).

    Minimises

        -log 1/K sum_k p(x|z_k) p(z_k) / q(z_k|x),  z_k ~ q(z|x)

    Args:
        input_shape: shape of one example.
        latents: dimensions of the code.
        samples: K.
        hidden: units of the hidden layers.
        networks: as in `zoo.networks.build_networks`.
        activation: of the hidden layers.
        likelihood: p(x|z).
        seed: of the noise and the order of the data.
    """
    encoder, decoder = zoo.networks.build_networks(networks, input_shape, hidden, activation)
    return zoo.Autoencoder(
        input_shape,
        encoder=encoder,
        bottleneck={"name": "stochastic", "units": latents, "samples": samples},
        decoder=decoder,
        likelihood=likelihood,
        prior="normal",
        objective="importance_weighted",
        seed=seed,
    )
