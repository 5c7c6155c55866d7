"""The FactorVAE."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.models.extends import extends
from zoo.models.vae import vae
from zoo.registry import register


@register("factor_vae", kind="model")
@extends(vae)
def factor_vae(
    input_shape: Sequence[int],
    gamma: Any = 10.0,
    critic_hidden: Sequence[int] = (256, 256, 256),
    regularizers: Sequence[Any] = (),
    **options: Any,
) -> Autoencoder:
    """FactorVAE (Kim & Mnih, "Disentangling by Factorising", 2018, equation 2).

        E_q[log p(x|z)] - KL(q(z|x) || p(z)) - gamma TC(q(z))

    with the total correlation estimated by a critic.

    Args:
        input_shape: shape of one example.
        gamma: weight of the total correlation, a number or a Keras schedule of the training step.
        critic_hidden: units of the critic's hidden layers; the paper's has six of 1000.
        regularizers: further regularizers.
        **options: as in `zoo.models.vae.vae`.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("factor_vae", (6,), latents=2, hidden=(4,), critic_hidden=(8,))
        >>> [(term.name, term.weight) for term in model.regularizers]
        [('kl', 1.0), ('total_correlation', 10.0)]
    """
    penalty = {"name": "total_correlation", "weight": gamma, "hidden": critic_hidden}
    return vae(input_shape, regularizers=[penalty, *regularizers], **options)
