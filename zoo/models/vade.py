"""VAEs whose prior is learned with them: a mixture, and a mixture of their own posteriors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.models.extends import extends
from zoo.models.vae import vae
from zoo.registry import register


@register("vade", kind="model")
@extends(vae, without=("prior", "estimator"))
def vade(input_shape: Sequence[int], components: int = 10, **options: Any) -> Autoencoder:
    """Variational deep embedding (Jiang et al., "Variational Deep Embedding", 2017, equation 9).

    Minimises

        -log p(x|z) + beta [log q(z|x) - log sum_k pi_k N(z; m_k, diag s_k^2)],  z ~ q(z|x)

    which is the paper's bound with its q(k|x) = p(k|z); the paper takes the mean over z of parts of it in
    closed form. `cluster` gives the component of each row, `generate` takes it as ``label``. As in the paper
    the mixture should begin at clusters of codes that were trained without it: see
    `zoo.recipes.start_at_clusters`.

    Args:
        input_shape: shape of one example.
        components: K.
        **options: as in `zoo.models.vae.vae`.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("vade", (6,), latents=2, hidden=(4,), components=3)
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> model.cluster(x).shape, model.generate(4, seed=0, label=2).shape
        ((20,), (4, 6))
    """
    mixture = {"name": "gaussian_mixture", "components": components, "covariance": "diagonal"}
    return vae(input_shape, prior=mixture, **options)


@register("vamp_vae", kind="model")
@extends(vae, without=("prior", "estimator"))
def vamp_vae(input_shape: Sequence[int], components: int = 50, **options: Any) -> Autoencoder:
    """VAE with a VampPrior (Tomczak & Welling 2018, equation 9).

    Minimises

        -log p(x|z) + beta [log q(z|x) - log 1/K sum_k q(z|u_k)],  z ~ q(z|x)

    It generates from components at random, by the posterior that it was trained with; pythae 0.1.2 takes the
    first ones in order, and squashes their scale.

    Args:
        input_shape: shape of one example.
        components: K.
        **options: as in `zoo.models.vae.vae`.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("vamp_vae", (6,), latents=2, hidden=(4,), components=4)
        >>> model.compile("adam")
        >>> x = np.random.default_rng(0).random((64, 6), np.float32)
        >>> sorted(model.fit(x, verbose=0).history)
        ['kl', 'loss', 'reconstruction']
    """
    return vae(input_shape, prior={"name": "vamp", "components": components}, **options)
