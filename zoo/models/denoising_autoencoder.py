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
@extends(autoencoder, without=("corruption", "target_shape"))
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
        noise: "masking" (elements set to 0), "gaussian", or "pairs" where the noise is in the data:
            ``fit(noisy, clean)``.
        level: probability of masking, or the standard deviation of the noise in the input's units.
        **options: as in `zoo.models.deep_autoencoder.autoencoder`, without ``corruption`` and
            ``target_shape``.

    Returns:
        A built model.

    Raises:
        ValueError: for another noise, or a level out of range.

    Example:
        >>> model = zoo.create(
        ...     "denoising_autoencoder", (6,), latents=2, hidden=(4,), noise="gaussian", level=0.1
        ... )
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> np.array_equal(model.encode(x), model.encode(x))  # only training adds noise
        True
    """
    if noise == "pairs":
        return autoencoder(input_shape, target_shape=input_shape, **options)
    if noise not in _NOISES:
        raise ValueError(f"Unknown noise {noise!r}.{suggest(noise, [*sorted(_NOISES), 'pairs'])}")
    return autoencoder(input_shape, corruption=_NOISES[noise](level), **options)
