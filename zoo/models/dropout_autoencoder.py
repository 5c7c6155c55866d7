"""The dropout autoencoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.models.deep_autoencoder import autoencoder
from zoo.models.extends import extends
from zoo.registry import register


@register("dropout_autoencoder", kind="model")
@extends(autoencoder)
def dropout_autoencoder(
    input_shape: Sequence[int],
    dropout: float = 0.5,
    latents: int = 1000,
    hidden: Sequence[int] = (),
    code_activation: str | None = "relu",
    **options: Any,
) -> Autoencoder:
    """Dropout autoencoder (Hinton et al., "Improving neural networks by preventing co-adaptation", 2012).

    Minimises

        -log p(x | m * z / (1 - rate)),  z = E(x),  m_i ~ Bernoulli(1 - rate)

    The combined form with 20 % of the input masked as well (Makhzani & Frey, table 1) is
    ``denoising_autoencoder(..., level=0.2, dropout=0.5)``.

    Args:
        input_shape: shape of one example.
        dropout: the rate, share of the code's units left out in training.
        latents: dimensions of the code.
        hidden: units of hidden layers before the code; empty for none, the table's.
        code_activation: of the code.
        **options: as in `zoo.models.deep_autoencoder.autoencoder`.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("dropout_autoencoder", (6,), latents=8, dropout=0.5)
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> np.array_equal(model.encode(x), model.encode(x))  # only training drops units
        True
    """
    return autoencoder(
        input_shape,
        latents=latents,
        hidden=hidden,
        code_activation=code_activation,
        dropout=dropout,
        **options,
    )
