"""The sparse autoencoder with gates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.models.extends import extends
from zoo.models.sparse_dictionary import held, sparse_dictionary
from zoo.registry import register


@register("gated_sae", kind="model")
@extends(sparse_dictionary, without=("bottleneck",))
def gated_sae(
    input_shape: Sequence[int],
    latents: int = 512,
    target_l0: float = 32,
    regularizers: Sequence[Any] = (),
    **options: Any,
) -> Autoencoder:
    """Gated sparse autoencoder (Rajamanoharan et al., "Gated Sparse Autoencoders", 2024, equation 8).

    Minimises

        ||x - x_hat(f)||^2 / Var(x) + w sum_j relu(pi_j) + ||x - x_hat_frozen(relu(pi))||^2 / Var(x)

    with gates f_j = 1[pi_j > 0] (...), see `zoo.bottlenecks.GatedCode`; w so that L0 is as stated.

    Args:
        input_shape: (d,), or (places, d).
        latents: atoms.
        target_l0: active atoms of an example that training aims at.
        regularizers: further penalties.
        **options: as in `zoo.models.sparse_dictionary.sparse_dictionary`.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("gated_sae", (6,), latents=12, target_l0=3)
        >>> type(model.bottleneck).__name__
        'GatedCode'
    """
    penalty = {"name": "l1", "of": "raw"}
    return sparse_dictionary(
        input_shape, latents, "gated", ["gate", held(target_l0, penalty), *regularizers], **options
    )
