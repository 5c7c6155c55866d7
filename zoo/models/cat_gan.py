"""The categorical GAN, with its discriminator, a classifier, as the encoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.bottlenecks import CategoricalStyle
from zoo.networks import Networks, build_networks
from zoo.networks.dcgan import dcgan_decoder, dcgan_encoder
from zoo.registry import register
from zoo.values import positive_int, whole_number


@register("cat_gan", kind="model")
def cat_gan(
    input_shape: Sequence[int],
    classes: int = 10,
    noise_units: int = 128,
    hidden: Sequence[int] | None = None,
    networks: Any = None,
    critic_learning_rate: Any = 2e-4,
    critic_steps: int = 1,
    regularizers: Sequence[Any] = (),
    seed: int = 0,
) -> Autoencoder:
    """Categorical GAN (Springenberg 2016, equations 7 and 8).

    The generator, here the decoder, and the discriminator, here the encoder, minimise

        mean H(p(c|x_g)) - H(mean p(c|x_g))    and    mean H(p(c|x)) - H(mean p(c|x)) - mean H(p(c|x_g))

    with x_g = D(e) of noise e: see the regularizer "class_entropy". `cluster` gives the classes. The noise
    has a one-hot part, which the code has for the classes and the generator may read as more noise; of
    reconstructions, D of the code of x, nothing is asked. The paper's 4.27 % on MNIST is with 20 classes.

    Args:
        input_shape: shape of one example.
        classes: of the discriminator.
        noise_units: dimensions of e.
        hidden: units of an MLP; None for 500, 500, or for the convolutions of pictures.
        networks: None for strided convolutions with batch normalisation (an MLP for vectors), or as in
            `zoo.networks.build_networks`.
        critic_learning_rate: of the discriminator's Adam, a number or a schedule.
        critic_steps: updates of the discriminator for each one of the generator.
        regularizers: further regularizers.
        seed: of the noise and the order of the data.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("cat_gan", (6,), classes=3, noise_units=4, hidden=(8,))
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> model.cluster(x).shape, model.generate(5, seed=0).shape
        ((20,), (5, 6))
    """
    if networks is None and hidden is None and len(input_shape) == 3:
        pair = Networks(dcgan_encoder((64, 128), (1024,)), dcgan_decoder(input_shape, (128, 64)))
    else:
        pair = build_networks(networks or "mlp", input_shape, hidden)
    game = {
        "name": "class_entropy",
        "learning_rate": critic_learning_rate,
        "critic_steps": critic_steps,
    }
    units = positive_int(classes, "classes") + whole_number(noise_units, "noise_units", 0)
    return Autoencoder(
        input_shape,
        encoder=pair.encoder,
        bottleneck=CategoricalStyle(units, classes=classes),
        decoder=pair.decoder,
        likelihood={"name": "squared_error", "activation": "sigmoid"},
        prior={"name": "categorical_style", "classes": classes},
        regularizers=[game, *regularizers],
        objective={"name": "elbo", "weight": 0.0},
        seed=seed,
    )
