"""The linear autoencoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.models.deep_autoencoder import autoencoder
from zoo.models.extends import extends
from zoo.registry import register


@register("linear_autoencoder", kind="model")
@extends(autoencoder)
def linear_autoencoder(
    input_shape: Sequence[int],
    tied: bool = False,
    hidden: Sequence[int] = (),
    networks: Any = None,
    activation: str = "linear",
    likelihood: Any = "squared_error",
    **options: Any,
) -> Autoencoder:
    """Linear autoencoder (Tanner, "Autoencoders", lecture 13 of Theories of Deep Learning, slide 3).

    Minimises

        ||x - Theta (Phi x + b) - b'||^2

    The optimum Theta Phi projects centred data on the span of their leading principal directions
    (Baldi & Hornik, "Neural networks and principal component analysis", 1989). It finds the span, not
    the directions: Theta is known up to an invertible matrix of the code.

    Args:
        input_shape: shape of one example.
        tied: whether Theta is the transpose of Phi.
        hidden: units of further linear layers; empty for none.
        networks: None for what `tied` says, or as in `autoencoder`.
        activation: of further layers.
        likelihood: p(x|z).
        **options: as in `zoo.models.deep_autoencoder.autoencoder`.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("linear_autoencoder", (6,), latents=2)
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> zero = model.encode(0 * x)
        >>> np.allclose(model.encode(2 * x) - zero, 2 * (model.encode(x) - zero), atol=1e-5)
        True
    """
    networks = ("tied" if tied else "mlp") if networks is None else networks
    return autoencoder(
        input_shape,
        hidden=hidden,
        networks=networks,
        activation=activation,
        likelihood=likelihood,
        **options,
    )
