"""A conditional VAE."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import zoo


@zoo.register("conditional_vae", kind="model")
def conditional_vae(
    input_shape: Sequence[int],
    condition: Any = 10,
    latents: int = 10,
    hidden: Sequence[int] | None = None,
    networks: Any = "mlp",
    activation: str = "relu",
    seed: int = 0,
) -> zoo.Autoencoder:
    """Conditional VAE (Sohn et al., "Learning Structured Output Representation", 2015, equation 3).

    Minimises

        -log p(x|z, c) + KL(q(z|x, c) || p(z))

    Args:
        input_shape: shape of one example.
        condition: what c is, see `zoo.conditions`; `fit(x, y)` has it as y.
        latents: dimensions of the code.
        hidden: units of the hidden layers.
        networks: as in `zoo.networks.build_networks`.
        activation: of the hidden layers.
        seed: of the noise and the order of the data.
    """
    encoder, decoder = zoo.networks.build_networks(networks, input_shape, hidden, activation)
    return zoo.Autoencoder(
        input_shape,
        encoder=zoo.networks.Conditioned(encoder),
        bottleneck={"name": "stochastic", "units": latents},
        decoder=zoo.networks.Conditioned(decoder),
        prior="normal",
        regularizers=["kl"],
        condition=condition,
        seed=seed,
    )
