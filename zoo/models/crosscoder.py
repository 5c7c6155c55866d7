"""One sparse code of several layers or models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.models.extends import extends
from zoo.models.sparse_dictionary import held, sparse_dictionary
from zoo.registry import register


@register("crosscoder", kind="model")
@extends(sparse_dictionary, without=("bottleneck",))
def crosscoder(
    input_shape: Sequence[int],
    latents: int = 512,
    target_l0: float = 32,
    regularizers: Sequence[Any] = (),
    **options: Any,
) -> Autoencoder:
    """Crosscoder (Lindsey et al., "Sparse Crosscoders for Cross-Layer Features and Model Diffing", 2024).

    Minimises

        mean_l ||x_l - x_hat_l||^2 / Var(x_l) + w sum_j f_j sum_l ||d_j^l||

    with f = relu(sum_l W_l^T (x_l - b_l) / s_l + b'), and w so that L0 is as stated.

    Args:
        input_shape: (layers, d), activations of the layers side by side.
        latents: atoms.
        target_l0: active atoms of an example that training aims at.
        regularizers: further penalties.
        **options: as in `zoo.models.sparse_dictionary.sparse_dictionary`.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("crosscoder", (2, 6), latents=12, target_l0=3)
        >>> x = np.random.default_rng(0).normal(size=(20, 2, 6)).astype("float32")
        >>> model.encode(x).shape, model.reconstruct(x).shape
        ((20, 12), (20, 2, 6))
    """
    penalty = {"name": "l1", "decoder_norms": True}
    return sparse_dictionary(
        input_shape,
        latents,
        {"name": "deterministic", "activation": "relu"},
        [held(target_l0, penalty), *regularizers],
        **{"unit_norm": False, **options},
    )
