"""The sparse autoencoder whose atoms stay near the data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.models.extends import extends
from zoo.models.top_k_sae import top_k_sae
from zoo.networks import Archetypal
from zoo.registry import register


@register("archetypal_sae", kind="model")
@extends(top_k_sae, without=("unit_norm", "decoder"))
def archetypal_sae(
    input_shape: Sequence[int],
    latents: int = 512,
    target_l0: int = 32,
    points: int = 64,
    delta: float = 1.0,
    regularizers: Sequence[Any] = (),
    **options: Any,
) -> Autoencoder:
    """Archetypal sparse autoencoder (Fel et al., "Archetypal SAE", 2025, equations 4 and 5).

    Minimises

        ||x - x_hat||^2 / Var(x) + aux ||e - e_hat||^2 / Var(e),  D = exp(m) (W C + L)

    with W row-stochastic, ||L_i|| <= delta and f as in top-k.

    Args:
        input_shape: (d,), or (places, d).
        latents: atoms.
        target_l0: k, the active atoms of an example; fewer where fewer are above 0.
        points: rows of C, the centres of k-means once `zoo.recipes.dictionaries.start` has seen the data.
        delta: how far an atom may lie from their hull, in units of s.
        regularizers: further penalties.
        **options: as in `zoo.models.top_k_sae.top_k_sae`.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("archetypal_sae", (6,), latents=12, target_l0=3, points=8)
        >>> x = np.random.default_rng(0).normal(size=(256, 6)).astype("float32")
        >>> from zoo.recipes.dictionaries import start
        >>> found = start(model, x, verbose=False)
        >>> tuple(model.decoder.points.shape)
        (8, 6)
    """
    return top_k_sae(
        input_shape,
        latents,
        target_l0,
        regularizers=regularizers,
        decoder=Archetypal(input_shape, points, delta),
        **options,
    )
