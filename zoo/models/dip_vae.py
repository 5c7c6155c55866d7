"""The DIP-VAE, I and II."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.models.extends import extends
from zoo.models.vae import vae
from zoo.registry import register


@register("dip_vae", kind="model")
@extends(vae)
def dip_vae(
    input_shape: Sequence[int],
    variant: str = "i",
    lambda_od: Any = 10.0,
    ratio: float | None = None,
    regularizers: Sequence[Any] = (),
    **options: Any,
) -> Autoencoder:
    """DIP-VAE (Kumar et al., "Variational Inference of Disentangled Latent Concepts", 2018, equation 5).

        E_q[log p(x|z)] - KL(q(z|x) || p(z)) - lambda_od [sum_{i != j} C_ij^2 + r sum_i (C_ii - 1)^2]

    Args:
        input_shape: shape of one example.
        variant: "i" (C of the means) or "ii" (C of the samples).
        lambda_od: weight of the off-diagonal part, a number or a Keras schedule.
        ratio: r, see the regularizer ``dip``.
        regularizers: further regularizers.
        **options: as in `zoo.models.vae.vae`.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("dip_vae", (6,), latents=2, hidden=(4,), variant="ii", lambda_od=10.0)
        >>> [(term.name, term.weight) for term in model.regularizers]
        [('kl', 1.0), ('dip', 10.0)]
    """
    penalty = {"name": "dip", "variant": variant, "ratio": ratio, "weight": lambda_od}
    return vae(input_shape, regularizers=[penalty, *regularizers], **options)
