"""The sparse autoencoder that takes atoms one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.models.extends import extends
from zoo.models.sparse_dictionary import sparse_dictionary
from zoo.registry import register


@register("matching_pursuit_sae", kind="model")
@extends(sparse_dictionary, without=("bottleneck", "unit_norm"))
def matching_pursuit_sae(
    input_shape: Sequence[int],
    latents: int = 512,
    target_l0: int = 32,
    aux: Any = 1 / 32,
    regularizers: Sequence[Any] = (),
    **options: Any,
) -> Autoencoder:
    """Matching pursuit sparse autoencoder (Costa et al., "From Flat to Hierarchical", 2025).

    Minimises

        ||x - x_hat||^2 / Var(x) + aux ||e - e_hat||^2 / Var(e),  f = k greedy steps of matching pursuit

    Args:
        input_shape: (d,), or (places, d).
        latents: atoms.
        target_l0: k, the steps, each of which takes one atom more.
        aux: weight of the second chance of dead units, see the regularizer "aux_k".
        regularizers: further penalties.
        **options: as in `zoo.models.sparse_dictionary.sparse_dictionary`.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("matching_pursuit_sae", (6,), latents=12, target_l0=3)
        >>> atoms = model.decoder.atoms.numpy()
        >>> code = model.encode(atoms[:1])  # an atom explains itself, once b = 0
        >>> int(code.argmax()), bool(np.isclose(code.max(), 1))
        (0, True)
    """
    return sparse_dictionary(
        input_shape,
        latents,
        {"name": "matching_pursuit", "k": target_l0},
        [{"name": "aux_k", "weight": aux}, *regularizers],
        **options,
    )
