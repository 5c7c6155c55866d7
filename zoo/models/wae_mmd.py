"""The Wasserstein autoencoder with MMD."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.models.deep_autoencoder import autoencoder
from zoo.models.extends import extends
from zoo.registry import register


@register("wae_mmd", kind="model")
@extends(autoencoder)
def wae_mmd(
    input_shape: Sequence[int],
    lam: Any = 10.0,
    kernel: str = "inverse_multiquadric",
    likelihood: Any = "squared_error",
    prior: Any = "normal",
    regularizers: Sequence[Any] = (),
    **options: Any,
) -> Autoencoder:
    """WAE-MMD (Tolstikhin et al., "Wasserstein Auto-Encoders", 2018, algorithm 2).

    Minimises

        ||x - x_hat||^2 + lam MMD^2(q(z), p(z))

    with a deterministic encoder.

    Args:
        input_shape: shape of one example.
        lam: lambda, a number or a Keras schedule of the training step.
        kernel: of the discrepancy, see the regularizer ``mmd``.
        likelihood: p(x|z); the paper's squared error, summed over the event.
        prior: p(z).
        regularizers: further regularizers.
        **options: as in `zoo.models.deep_autoencoder.autoencoder`.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("wae_mmd", (6,), latents=2, hidden=(4,), lam=10.0)
        >>> [(term.name, term.weight) for term in model.regularizers]
        [('mmd', 10.0)]
    """
    penalty = {"name": "mmd", "kernel": kernel, "weight": lam}
    regularizers = [penalty, *regularizers]
    return autoencoder(
        input_shape, likelihood=likelihood, prior=prior, regularizers=regularizers, **options
    )
