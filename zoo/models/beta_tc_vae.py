"""The beta-TCVAE."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.models.extends import extends
from zoo.models.vae import vae
from zoo.registry import register
from zoo.serialization import number


@register("beta_tc_vae", kind="model")
@extends(vae)
def beta_tc_vae(
    input_shape: Sequence[int],
    beta: float = 6.0,
    regularizers: Sequence[Any] = (),
    **options: Any,
) -> Autoencoder:
    """beta-TCVAE (Chen et al., "Isolating Sources of Disentanglement in VAEs", 2018, equation 4).

        E_q[log p(x|z)] - KL(q(z|x) || p(z)) - (beta - 1) TC(q(z))

    which is the paper's sum of mutual information, beta times the total correlation, and the
    per-dimension KL, with alpha = gamma = 1.

    Args:
        input_shape: shape of one example.
        beta: weight of the total correlation, at least 1.
        regularizers: further regularizers.
        **options: as in `zoo.models.vae.vae`.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("beta_tc_vae", (6,), latents=2, hidden=(4,), beta=6.0)
        >>> [(term.name, term.weight) for term in model.regularizers]
        [('kl', 1.0), ('minibatch_total_correlation', 5.0)]
    """
    above_one = number(beta, "beta of beta_tc_vae", minimum=1)
    penalty = {"name": "minibatch_total_correlation", "weight": above_one - 1}
    return vae(input_shape, regularizers=[penalty, *regularizers], **options)
