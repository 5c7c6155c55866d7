"""The sparse autoencoder whose first atoms reconstruct by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.models.batch_top_k_sae import batch_top_k_sae
from zoo.models.extends import extends
from zoo.registry import register


@register("matryoshka_sae", kind="model")
@extends(batch_top_k_sae, without=("objective",))
def matryoshka_sae(
    input_shape: Sequence[int],
    latents: int = 512,
    target_l0: float = 32,
    widths: Sequence[int] | None = None,
    regularizers: Sequence[Any] = (),
    **options: Any,
) -> Autoencoder:
    """Matryoshka sparse autoencoder (Bussmann et al., "Matryoshka Sparse Autoencoders", 2025).

    Minimises

        mean over widths m of ||x - x_hat_{1:m}||^2 / Var(x) + aux ||e - e_hat||^2 / Var(e)

    with f as in batch top-k, and x_hat_{1:m} by the first m atoms.

    Args:
        input_shape: (d,), or (places, d).
        latents: atoms.
        target_l0: k, the mean number of active atoms.
        widths: rising numbers of atoms; None for a 16th, an eighth, a quarter, a half and all.
        regularizers: further penalties.
        **options: as in `zoo.models.batch_top_k_sae.batch_top_k_sae`.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("matryoshka_sae", (6,), latents=12, target_l0=3)
        >>> model.objective.widths
        (1, 3, 6, 12)
    """
    objective = {"name": "nested", "widths": default_widths(latents) if widths is None else widths}
    return batch_top_k_sae(
        input_shape, latents, target_l0, regularizers=regularizers, objective=objective, **options
    )


def default_widths(latents: int) -> tuple[int, ...]:
    """A 16th, an eighth, a quarter, a half and all of the atoms, where there are so many.

    Example:
        >>> from zoo.models.matryoshka_sae import default_widths
        >>> default_widths(64), default_widths(6)
        ((4, 8, 16, 32, 64), (1, 3, 6))
    """
    return tuple(latents >> shift for shift in range(4, -1, -1) if latents >> shift)
