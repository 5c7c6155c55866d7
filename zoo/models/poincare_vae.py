"""The VAE whose codes lie in a hyperbolic ball."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.models.extends import extends
from zoo.models.vae import vae
from zoo.registry import register


@register("poincare_vae", kind="model")
@extends(vae, without=("posterior", "prior", "estimator"))
def poincare_vae(
    input_shape: Sequence[int], latents: int = 10, curvature: float = 1.0, **options: Any
) -> Autoencoder:
    """VAE in the Poincaré ball (Mathieu et al. 2019, with the wrapped normal).

    Minimises

        -log p(x|z) + beta [log q(z|x) - log p(z)],  z ~ q(z|x), |z| < 1 / sqrt(c)

    with wrapped normals as q and p: distances grow towards the edge as those in a tree do with its depth. The
    decoder is given the point as it is; the paper's first layer of geodesics is not here. Densities are with
    respect to dz, so that they can be compared with those of other posteriors; pythae 0.1.2's are with
    respect to the ball's own measure, which is the same for the KL of two of them.

    Args:
        input_shape: shape of one example.
        latents: dimensions of the ball.
        curvature: c, above 0; the flat space is its limit at 0. With more than 17 latents it must be below 1.
        **options: as in `zoo.models.vae.vae`.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("poincare_vae", (6,), latents=2, hidden=(4,))
        >>> model.compile("adam")
        >>> x = np.random.default_rng(0).random((64, 6), np.float32)
        >>> sorted(model.fit(x, verbose=0).history)
        ['kl', 'loss', 'reconstruction']
    """
    both: Any = {"name": "wrapped_normal", "curvature": curvature}
    return vae(input_shape, latents, posterior=both, prior=dict(both), **options)
