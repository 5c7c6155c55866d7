"""The sparse autoencoder with learned thresholds."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.models.extends import extends
from zoo.models.sparse_dictionary import held, sparse_dictionary
from zoo.registry import register

# Thresholds answer to the multiplier alone, and at once: it may be quick.
QUICK = {"rate": 30.0, "gain": 5.0, "start": 0.1, "pull": 1.0}


@register("jump_relu_sae", kind="model")
@extends(sparse_dictionary, without=("bottleneck",))
def jump_relu_sae(
    input_shape: Sequence[int],
    latents: int = 512,
    target_l0: float = 32,
    threshold: float | None = None,
    bandwidth: float = 0.3,
    penalty: Any = "l0",
    regularizers: Sequence[Any] = (),
    **options: Any,
) -> Autoencoder:
    """JumpReLU sparse autoencoder (Rajamanoharan et al., "Jumping Ahead", 2024, equations 3, 9 and 11).

    Minimises

        ||x - x_hat||^2 / Var(x) + w penalty,  f_j = v_j H(v_j - theta_j),  v = W^T (x - b) / s + b'

    with w so that L0 is as stated.

    Args:
        input_shape: (d,), or (places, d).
        latents: atoms.
        target_l0: active atoms of an example that training aims at.
        threshold: theta at the start; None for what a share target_l0 / latents of normal numbers exceeds.
        bandwidth: of the kernel that estimates the thresholds' gradient.
        penalty: what is weighted by w: "l0", or a dict of one of its forms.
        regularizers: further penalties.
        **options: as in `zoo.models.sparse_dictionary.sparse_dictionary`.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("jump_relu_sae", (6,), latents=12, target_l0=3)
        >>> np.allclose(model.bottleneck.thresholds, 0.6745, atol=1e-4)  # 3 of 12 normal numbers exceed it
        True
    """
    if threshold is None:
        share = min(target_l0 / latents, 0.5)
        threshold = statistics.NormalDist().inv_cdf(1 - share)
    bottleneck = {"name": "jump_relu", "threshold": threshold, "bandwidth": bandwidth}
    return sparse_dictionary(
        input_shape,
        latents,
        bottleneck,
        [held(target_l0, penalty, **QUICK), *regularizers],
        **options,
    )
