"""The contractive autoencoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.models.deep_autoencoder import autoencoder
from zoo.models.extends import extends
from zoo.registry import register


@register("contractive_autoencoder", kind="model")
@extends(autoencoder)
def contractive_autoencoder(
    input_shape: Sequence[int],
    contraction: Any = 0.1,
    probes: int | None = 1,
    latents: int = 1000,
    hidden: Sequence[int] = (),
    networks: Any = "tied",
    code_activation: str | None = "sigmoid",
    regularizers: Sequence[Any] = (),
    **options: Any,
) -> Autoencoder:
    """Contractive autoencoder (Rifai et al., "Contractive Auto-Encoders", 2011, equation 4).

    Minimises

        -log p(x | z) + contraction * ||dE(x) / dx||_F^2,  z = E(x)

    Args:
        input_shape: shape of one example.
        contraction: weight of the penalty, a number or a Keras schedule of the training step.
        probes: random directions of the penalty's estimate; None for the exact norm.
        latents: dimensions of the code.
        hidden: units of hidden layers before the code; empty for none, the paper's.
        networks: "tied" (the paper's), "mlp", "conv" or a pair (encoder, decoder) of Keras models.
        code_activation: of the code.
        regularizers: further regularizers.
        **options: as in `zoo.models.deep_autoencoder.autoencoder`.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("contractive_autoencoder", (6,), latents=4, contraction=0.1)
        >>> code = model.encode(np.random.default_rng(0).random((20, 6), np.float32))
        >>> bool(np.all((code > 0) & (code < 1)))  # of a sigmoid
        True
    """
    penalty = {"name": "contractive", "weight": contraction, "probes": probes}
    return autoencoder(
        input_shape,
        latents=latents,
        hidden=hidden,
        networks=networks,
        code_activation=code_activation,
        regularizers=[penalty, *regularizers],
        **options,
    )
