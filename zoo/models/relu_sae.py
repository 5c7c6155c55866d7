"""The sparse autoencoder with an L1 penalty."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.models.extends import extends
from zoo.models.sparse_dictionary import held, sparse_dictionary
from zoo.registry import register


@register("relu_sae", kind="model")
@extends(sparse_dictionary, without=("bottleneck",))
def relu_sae(
    input_shape: Sequence[int],
    latents: int = 512,
    target_l0: float = 32,
    penalty: Any = "l1",
    regularizers: Sequence[Any] = (),
    **options: Any,
) -> Autoencoder:
    """ReLU sparse autoencoder (Bricken et al., "Towards Monosemanticity", 2023, "Sparse autoencoder setup").

    Minimises

        ||x - x_hat||^2 / Var(x) + w penalty(f),  f = relu(W^T (x - b) / s + b'),  w so that L0 is as stated

    With unit_norm=False and penalty={"name": "l1", "decoder_norms": True} it is that of Conerly et al.,
    "Update on how we train SAEs", 2024.

    Args:
        input_shape: (d,), or (places, d).
        latents: atoms.
        target_l0: active atoms of an example that training aims at.
        penalty: what is weighted by w: "l1", "lp_norm" with a p that falls, or another one.
        regularizers: further penalties.
        **options: as in `zoo.models.sparse_dictionary.sparse_dictionary`.

    Returns:
        A built model.

    Example:
        >>> from zoo.recipes import LinearSchedule
        >>> falling = {"name": "lp_norm", "p": LinearSchedule(1.0, 0.2, steps=1000), "weight": 1.0}
        >>> model = zoo.create("relu_sae", (6,), latents=12, target_l0=3, penalty=falling)  # L_p, p annealed
        >>> model.regularizers[0].held.name
        'lp_norm'
    """
    return sparse_dictionary(
        input_shape,
        latents,
        {"name": "deterministic", "activation": "relu"},
        [held(target_l0, penalty), *regularizers],
        **options,
    )
