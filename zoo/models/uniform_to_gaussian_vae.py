"""The VAE that carries a uniform distribution to a Gaussian and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.models.extends import extends
from zoo.models.vae import vae
from zoo.registry import register


@register("uniform_to_gaussian_vae", kind="model")
@extends(vae)
def uniform_to_gaussian_vae(
    input_shape: Sequence[int] = (2,),
    beta: Any = 0.005,
    weight_decay: Any = 0.0,
    latents: int = 2,
    hidden: Sequence[int] = (30, 30),
    likelihood: Any = "squared_error",
    regularizers: Sequence[Any] = (),
    **options: Any,
) -> Autoencoder:
    """Uniform to Gaussian (Idler, "AIML 425, Assignment 2, Problem 2", 2022, section 2.2).

        E_q[log p(x|z)] - beta KL(q(z|x) || p(z)) - weight_decay sum_l ||W_l||^2

    The report gives neither beta nor how its losses are scaled. With the squared error summed over the
    coordinates, a linear model of one uniform coordinate ignores its input from beta = 1/6 on; the
    default lies well below.

    Args:
        input_shape: shape of one example; the paper's points of the unit square are (2,).
        beta: weight of the KL term, a number or a Keras schedule of the training step.
        weight_decay: lambda, weight of the squared kernels of all layers.
        latents: dimensions of the code, 2 or 1 in the report.
        hidden: units of the hidden layers.
        likelihood: p(x|z).
        regularizers: further regularizers.
        **options: as in `zoo.models.vae.vae`.

    Returns:
        A built model.

    Example:
        >>> data = zoo.data.load("uniform_square", n=20)
        >>> model = zoo.create("uniform_to_gaussian_vae", data.event_shape, beta=0.005)
        >>> model.encode(data.inputs).shape
        (20, 2)
    """
    return vae(
        input_shape,
        latents=latents,
        hidden=hidden,
        beta=beta,
        likelihood=likelihood,
        regularizers=[{"name": "weight_decay", "weight": weight_decay}, *regularizers],
        **options,
    )
