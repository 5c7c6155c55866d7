"""The sparse autoencoder that keeps k atoms of an example on average."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.models.extends import extends
from zoo.models.sparse_dictionary import sparse_dictionary
from zoo.registry import register


@register("batch_top_k_sae", kind="model")
@extends(sparse_dictionary, without=("bottleneck",))
def batch_top_k_sae(
    input_shape: Sequence[int],
    latents: int = 512,
    target_l0: float = 32,
    aux: Any = 1 / 32,
    regularizers: Sequence[Any] = (),
    **options: Any,
) -> Autoencoder:
    """Batch top-k sparse autoencoder (Bussmann et al., "BatchTopK Sparse Autoencoders", 2024, section 3).

    Minimises

        ||x - x_hat||^2 / Var(x) + aux ||e - e_hat||^2 / Var(e),  f = the k n largest of a batch of n

    Args:
        input_shape: (d,), or (places, d).
        latents: atoms.
        target_l0: k, the mean number of active atoms.
        aux: weight of the second chance of dead units, see the regularizer "aux_k".
        regularizers: further penalties.
        **options: as in `zoo.models.sparse_dictionary.sparse_dictionary`.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("batch_top_k_sae", (6,), latents=12, target_l0=3)
        >>> model.compile()
        >>> x = np.random.default_rng(0).normal(size=(256, 6)).astype("float32")
        >>> history = model.fit(x, epochs=5, verbose=0)
        >>> bool(abs(np.count_nonzero(model.encode(x), axis=1).mean() - 3) < 0.3)
        True
    """
    return sparse_dictionary(
        input_shape,
        latents,
        {"name": "batch_top_k", "k": target_l0},
        [{"name": "aux_k", "weight": aux}, *regularizers],
        **options,
    )
