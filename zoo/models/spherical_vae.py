"""The VAE whose codes lie on a sphere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.models.extends import extends
from zoo.models.vae import vae
from zoo.registry import register


@register("spherical_vae", kind="model")
@extends(vae, without=("posterior", "prior", "estimator"))
def spherical_vae(input_shape: Sequence[int], latents: int = 10, **options: Any) -> Autoencoder:
    """VAE on the unit sphere (Davidson et al. 2018, with the posterior of De Cao & Aziz 2020).

    Minimises

        -log p(x|z) + beta KL(C (1 + mu(x) . z)^kappa(x) || U(sphere)),  |z| = 1

    with the KL in closed form. Good for directions, in up to about 10 dimensions; in many a normal has its
    mass on a sphere anyway. pythae 0.1.2's SVAE has a von Mises-Fisher posterior, drawn by rejection, whose
    gradient is biased, and another concentration in training than in use.

    Args:
        input_shape: shape of one example.
        latents: dimensions of the space of the sphere, 2 at least.
        **options: as in `zoo.models.vae.vae`.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("spherical_vae", (6,), latents=3, hidden=(4,))
        >>> model.compile("adam")
        >>> x = np.random.default_rng(0).random((64, 6), np.float32)
        >>> sorted(model.fit(x, verbose=0).history)
        ['kl', 'loss', 'reconstruction']
    """
    return vae(
        input_shape, latents, posterior="power_spherical", prior="spherical_uniform", **options
    )
