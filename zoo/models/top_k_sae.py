"""The sparse autoencoder that keeps k atoms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.models.extends import extends
from zoo.models.sparse_dictionary import sparse_dictionary
from zoo.registry import register


@register("top_k_sae", kind="model")
@extends(sparse_dictionary, without=("bottleneck",))
def top_k_sae(
    input_shape: Sequence[int],
    latents: int = 512,
    target_l0: int = 32,
    aux: Any = 1 / 32,
    regularizers: Sequence[Any] = (),
    **options: Any,
) -> Autoencoder:
    """Top-k sparse autoencoder (Gao et al., "Scaling and evaluating sparse autoencoders", 2024, section 2.3).

    Minimises

        ||x - x_hat||^2 / Var(x) + aux ||e - e_hat||^2 / Var(e)

    with f the k largest of relu(W^T (x - b) / s + b').

    Args:
        input_shape: (d,), or (places, d).
        latents: atoms.
        target_l0: k, the active atoms of an example; fewer where fewer are above 0.
        aux: weight of the second chance of dead units, see the regularizer "aux_k".
        regularizers: further penalties.
        **options: as in `zoo.models.sparse_dictionary.sparse_dictionary`.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("top_k_sae", (6,), latents=12, target_l0=3)
        >>> x = np.random.default_rng(0).normal(size=(256, 6)).astype("float32")
        >>> int(np.count_nonzero(model.encode(x), axis=1).max())
        3
    """
    return sparse_dictionary(
        input_shape,
        latents,
        {"name": "top_k", "k": target_l0, "activation": "relu"},
        [{"name": "aux_k", "weight": aux}, *regularizers],
        **options,
    )
