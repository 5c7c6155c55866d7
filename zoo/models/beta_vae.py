"""The beta-VAE, with the architectures of its paper's table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.models.extends import extends
from zoo.models.vae import vae
from zoo.registry import register


@register("beta_vae", kind="model")
@extends(vae)
def beta_vae(input_shape: Sequence[int], beta: Any = 4.0, **options: Any) -> Autoencoder:
    """beta-VAE (Higgins et al., "beta-VAE", 2017, equation 4).

        E_q[log p(x|z)] - beta KL(q(z|x) || p(z))

    Args:
        input_shape: shape of one example.
        beta: weight of the KL term, a number or a Keras schedule of the training step.
        **options: as in `zoo.models.vae.vae`.

    Returns:
        A built model.

    Example:
        >>> warm_up = zoo.recipes.LinearSchedule(0.0, 4.0, steps=1000)
        >>> model = zoo.create("beta_vae", (6,), latents=2, hidden=(4,), beta=warm_up)
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> model.posterior(x).stddev().shape
        TensorShape([20, 2])
    """
    return vae(input_shape, beta=beta, **options)


@register("beta_vae_shapes", kind="model")
@extends(beta_vae)
def beta_vae_shapes(
    input_shape: Sequence[int] = (64, 64, 1), networks: Any = "shapes", **options: Any
) -> Autoencoder:
    """beta-VAE for the 2D shapes (Higgins et al. 2017, table 1): fully connected, 10 latents.

        E_q[log p(x|z)] - beta KL(q(z|x) || p(z))

    The paper trains it with Adagrad and a learning rate of 0.01.

    Args:
        input_shape: shape of one example.
        networks: see `zoo.networks.higgins.shapes`.
        **options: as in `beta_vae`.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("beta_vae_shapes", (8, 8, 1))
        >>> model.encode(np.zeros((3, 8, 8, 1), "float32")).shape
        (3, 10)
    """
    return beta_vae(input_shape, networks=networks, **options)


@register("beta_vae_chairs", kind="model")
@extends(beta_vae)
def beta_vae_chairs(
    input_shape: Sequence[int] = (64, 64, 1),
    latents: int = 32,
    networks: Any = "chairs",
    **options: Any,
) -> Autoencoder:
    """beta-VAE for the chairs (Higgins et al. 2017, table 1): four convolutions, 32 latents.

        E_q[log p(x|z)] - beta KL(q(z|x) || p(z))

    The paper trains it with Adam and a learning rate of 0.0001.

    Args:
        input_shape: shape of one example.
        latents: dimensions of the code.
        networks: see `zoo.networks.higgins.chairs`.
        **options: as in `beta_vae`.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("beta_vae_chairs", (64, 64, 1))
        >>> model.encode(np.zeros((3, 64, 64, 1), "float32")).shape
        (3, 32)
    """
    return beta_vae(input_shape, latents=latents, networks=networks, **options)
