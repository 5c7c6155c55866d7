"""The beta-VAE."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.models.extends import extends
from zoo.models.vae import vae


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
    """
    return vae(input_shape, beta=beta, **options)
