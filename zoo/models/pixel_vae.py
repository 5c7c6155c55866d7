"""VAEs whose decoder draws pixel by pixel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.bottlenecks import CategoricalStyle
from zoo.models.extends import extends
from zoo.models.vae import vae
from zoo.networks import build_networks
from zoo.registry import register


@register("pixel_vae", kind="model")
@extends(vae, without=("likelihood",))
def pixel_vae(
    input_shape: Sequence[int],
    levels: int = 2,
    filters: int = 32,
    layers: int = 3,
    context: int = 8,
    networks: Any = "conv",
    **options: Any,
) -> Autoencoder:
    """VAE with a PixelCNN in its decoder (Gulrajani et al., "PixelVAE", 2017, section 3.1, one level).

    Minimises

        -sum_i log p(x_i | x_1 .. x_(i-1), z) + beta KL(q(z|x) || p(z))

    `generate` draws the pixels; none of pythae, disent and multivae has such a decoder (pythae's PixelCNN is
    a prior of VQ-VAE's indices).

    Args:
        input_shape: shape of one example, (h, w, channels).
        levels: of a pixel: 2 for black and white, 256 for bytes.
        filters: of the PixelCNN.
        layers: of the PixelCNN.
        context: numbers that the decoder gives for each place.
        networks: as in `zoo.models.vae.vae`.
        **options: as in `zoo.models.vae.vae`.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("pixel_vae", (8, 8, 1), latents=2, hidden=(4,), filters=4, layers=1)
        >>> x = (np.random.default_rng(0).random((20, 8, 8, 1)) < 0.5).astype("float32")
        >>> model.encode(x).shape, model.reconstruct(x[:2]).shape
        ((20, 2), (2, 8, 8, 1))
    """
    likelihood = _drawn(levels, filters, layers, context)
    return vae(input_shape, networks=networks, likelihood=likelihood, **options)


@register("pixel_gan_autoencoder", kind="model")
def pixel_gan_autoencoder(
    input_shape: Sequence[int],
    classes: int = 30,
    levels: int = 2,
    filters: int = 32,
    layers: int = 3,
    context: int = 8,
    hidden: Sequence[int] | None = None,
    networks: Any = "conv",
    activation: str = "relu",
    critic: Sequence[int] = (1000, 1000),
    weight: Any = 1.0,
    critic_learning_rate: Any = 2e-4,
    regularizers: Sequence[Any] = (),
    seed: int = 0,
) -> Autoencoder:
    """PixelGAN autoencoder with a categorical code (Makhzani & Frey 2017, section 3.1 and figure 5).

    Minimises

        -sum_i log p(x_i | x_1 .. x_(i-1), y) - weight log D(y),  y = E(x), a softmax over the classes

    while D tells the codes from one-hot classes. What the pixels explain among themselves, style, need not be
    in the code, which keeps what they all share: `cluster` gives argmax y. The class logits are normalised
    over the batch, as in `adversarial_autoencoder`. The paper's 5.27 % on MNIST is with 30 classes.

    Args:
        input_shape: shape of one example, (h, w, channels).
        classes: of the code.
        levels: of a pixel: 2 for black and white, 256 for bytes.
        filters: of the PixelCNN.
        layers: of the PixelCNN.
        context: numbers that the decoder gives for each place.
        hidden: units (MLP) or filters (conv); None for the network's default.
        networks: as in `zoo.models.vae.vae`.
        activation: of the hidden layers.
        critic: units of D's hidden layers.
        weight: of the adversarial term, a number or a Keras schedule of the training step.
        critic_learning_rate: of D's Adam, a number or a schedule.
        regularizers: further regularizers.
        seed: of the noise and the order of the data.

    Returns:
        A built model.

    Example:
        >>> small = {"classes": 3, "hidden": (4,), "filters": 4, "layers": 1, "critic": (4,)}
        >>> model = zoo.create("pixel_gan_autoencoder", (8, 8, 1), **small)
        >>> x = np.zeros((5, 8, 8, 1), "float32")
        >>> model.cluster(x).shape, model.generate(2, label=1).shape
        ((5,), (2, 8, 8, 1))
    """
    likelihood = _drawn(levels, filters, layers, context)
    encoder, decoder = build_networks(
        networks, input_shape, hidden, activation, likelihood=likelihood
    )
    adversary = {
        "name": "code_discriminator",
        "weight": weight,
        "hidden": critic,
        "norm": "none",
        "learning_rate": critic_learning_rate,
    }
    return Autoencoder(
        input_shape,
        encoder=encoder,
        bottleneck=CategoricalStyle(classes, classes=classes, norm="batch"),
        decoder=decoder,
        likelihood=likelihood,
        prior={"name": "categorical_style", "classes": classes},
        regularizers=[adversary, *regularizers],
        seed=seed,
    )


def _drawn(levels: int, filters: int, layers: int, context: int) -> dict[str, Any]:
    own = {"levels": levels, "filters": filters, "layers": layers, "context": context}
    return {"name": "autoregressive", **own}
