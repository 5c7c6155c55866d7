"""An autoencoder whose code is made sparse by its entropy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import zoo


@zoo.register("entropy_autoencoder", kind="model")
def entropy_autoencoder(
    input_shape: Sequence[int],
    latents: int = 32,
    sparsity: Any = 1.0,
    hidden: Sequence[int] | None = None,
    networks: Any = "mlp",
    activation: str = "relu",
    seed: int = 0,
) -> zoo.Autoencoder:
    """Autoencoder with few active units in each code.

    Minimises

        -log p(x|z) + sparsity H(|z_i|^2 / sum_j |z_j|^2)

    Args:
        input_shape: shape of one example.
        latents: dimensions of the code.
        sparsity: weight of the entropy, a number or a Keras schedule of the training step.
        hidden: units of the hidden layers; None for those of the networks.
        networks: as in `zoo.networks.build_networks`.
        activation: of the hidden layers.
        seed: of the order of the data.

    Returns:
        A built model.
    """
    encoder, decoder = zoo.networks.build_networks(networks, input_shape, hidden, activation)
    return zoo.Autoencoder(
        input_shape,
        encoder=encoder,
        bottleneck={"name": "deterministic", "units": latents},
        decoder=decoder,
        regularizers=[{"name": "code_entropy", "weight": sparsity}],
        seed=seed,
    )
