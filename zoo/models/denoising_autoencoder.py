"""The denoising autoencoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.models.deep_autoencoder import autoencoder
from zoo.models.extends import extends
from zoo.networks import GaussianNoise, MaskingNoise
from zoo.registry import register, suggest

_NOISES = {"masking": MaskingNoise, "gaussian": GaussianNoise}


@register("denoising_autoencoder", kind="model")
@extends(autoencoder, without=("corruption",))
def denoising_autoencoder(
    input_shape: Sequence[int],
    noise: str = "masking",
    level: float = 0.2,
    **options: Any,
) -> Autoencoder:
    """Denoising autoencoder (Vincent et al., "Extracting and Composing Robust Features", 2008).

    Minimises

        -log p(x | z),  z = E(x'),  x' a corrupted x

    Args:
        input_shape: shape of one example.
        noise: "masking" (elements set to 0) or "gaussian".
        level: probability of masking, or the standard deviation of the noise in the input's units.
        **options: as in `zoo.models.deep_autoencoder.autoencoder`, but for ``corruption``.

    Returns:
        A built model.
    """
    if noise not in _NOISES:
        raise ValueError(f"Unknown noise {noise!r}.{suggest(noise, sorted(_NOISES))}")
    return autoencoder(input_shape, corruption=_NOISES[noise](level), **options)
