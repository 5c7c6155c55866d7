"""The VAE whose reconstructions are judged by a discriminator's features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.models.extends import extends
from zoo.models.vae import vae
from zoo.registry import register


@register("vae_gan", kind="model")
@extends(vae, without=("likelihood",))
def vae_gan(
    input_shape: Sequence[int],
    critic: Sequence[int] = (64, 128),
    layer: int = -1,
    features: Any = 1.0,
    adversarial: Any = 1.0,
    norm: str = "spectral",
    critic_learning_rate: Any = 2e-4,
    regularizers: Sequence[Any] = (),
    **options: Any,
) -> Autoencoder:
    """VAE/GAN (Larsen et al., "Autoencoding beyond pixels using a learned similarity metric", 2016).

    Minimises

        KL(q(z|x) || p(z)) + features [||F(x) - F(x_r)||^2 / 2 - adversarial log Di(x_g)]

    with F a hidden layer of the discriminator Di, x_r the reconstruction and x_g the picture of a draw from
    p(z). The encoder learns from the first two terms, the decoder from the last two. The error of pixels is
    reported as `reconstruction` and not trained for: a bound or a likelihood of x is none of this model's.

    Args:
        input_shape: shape of one example.
        critic: filters or units of Di.
        layer: F, counted from 0 among the hidden layers of Di; -1 for the last.
        features: weight of what Di has to say, a number or a Keras schedule of the training step.
        adversarial: of the generated pictures within it, likewise; the paper's 1 / gamma.
        norm: of Di's layers, "batch", "spectral" or "none".
        critic_learning_rate: of Di's Adam, a number or a schedule.
        regularizers: further regularizers.
        **options: as in `zoo.models.vae.vae`.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("vae_gan", (8, 8, 1), latents=2, hidden=(4,), critic=(4, 8))
        >>> [term.name for term in model.regularizers]
        ['kl', 'feature_discriminator']
    """
    judge = {
        "name": "feature_discriminator",
        "hidden": critic,
        "layer": layer,
        "weight": features,
        "adversarial": adversarial,
        "norm": norm,
        "learning_rate": critic_learning_rate,
    }
    picture = {"name": "squared_error", "activation": "sigmoid"}
    model = vae(input_shape, likelihood=picture, regularizers=[judge, *regularizers], **options)
    model.objective.weight = 0.0
    return model
