"""InfoGAN, with its recognition network as the encoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.bottlenecks import CategoricalStyle
from zoo.networks import Networks, build_networks
from zoo.networks.critic import SHARED, encoder_on_critic
from zoo.networks.dcgan import dcgan_decoder, dcgan_encoder
from zoo.registry import register
from zoo.values import positive_int, whole_number

FEATURES = (1024,)
RECOGNITION = (128,)


@register("info_gan", kind="model")
def info_gan(
    input_shape: Sequence[int],
    classes: int = 10,
    styles: int = 2,
    noise_units: int = 62,
    critic: Sequence[int] = (64, 128),
    networks: Any = None,
    information: Any = 1.0,
    form: str = "non_saturating",
    norm: str = "batch",
    spread: bool = False,
    label_smoothing: float = 0.0,
    instance_noise: Any = 0.0,
    critic_learning_rate: Any = 2e-4,
    critic_steps: int = 1,
    shared: bool = False,
    regularizers: Sequence[Any] = (),
    seed: int = 0,
) -> Autoencoder:
    """InfoGAN (Chen et al., "InfoGAN", 2016, equation 6 and appendix C.1).

    The generator, here the decoder D, and the recognition network, here the encoder E, minimise

        -log Di(x_g) + information [CE(c, E(x_g)) + ||s - E(x_g)||^2 / 2]

    with x_g = D(c, s, e), c uniform over the classes, s ~ U(-1, 1)^2 and e ~ U(-1, 1)^62; the
    discriminator Di maximises its likelihood. With `shared` the recognition network goes on from Di's layers,
    as the paper has it; without, it is one of its own. Reconstructions are D(E(x)) and not trained for. The
    paper's rates are 1e-3 for the generator and 2e-4 for the discriminator:
    ``compile(zoo.trainer.Adam(1e-3, beta_1=0.5))``.

    Args:
        input_shape: shape of one example.
        classes: of c; 1 for a code of styles alone.
        styles: continuous codes s that E recovers.
        noise_units: dimensions of e.
        critic: filters or units of Di, unless `networks` bring its layers.
        networks: None for strided convolutions with batch normalisation (an MLP for vectors), or as in
            `zoo.networks.build_networks`; "info_gan" with `shared` for those of `zoo.networks.higgins`,
            whose table has classes=1, styles=5 and noise_units=5.
        information: lambda, a number or a Keras schedule of the training step.
        form: of the adversarial losses, "saturating", "non_saturating" or "hinge".
        norm: of Di's layers, "batch", "spectral" or "none".
        spread: whether Di sees the batch's mean standard deviation.
        label_smoothing: of Di.
        instance_noise: standard deviation of the noise on what Di sees, a number or a schedule.
        critic_learning_rate: of Di's Adam, a number or a schedule.
        critic_steps: updates of Di for each one of the model.
        shared: whether E is a layer of 128 units and the code's on the layers of Di, which are those of
            `critic` and, for pictures, one of 1024 units (appendix C.1), unless the encoder of `networks`
            begins with layers named "shared". Layers of your own must: see
            `zoo_plugins.shared_discriminator`.
        regularizers: further regularizers.
        seed: of the noise and the order of the data.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("info_gan", (6,), classes=3, styles=1, noise_units=4, critic=(8,))
        >>> model.generate(5, label=2, seed=0).shape
        (5, 6)
        >>> model.encode(np.zeros((2, 6), "float32")).shape  # 3 classes, 1 style and 4 units of noise
        (2, 8)
    """
    if networks is None and len(input_shape) == 3:
        pair = Networks(
            dcgan_encoder((64, 128), (1024,)), dcgan_decoder(input_shape, (128, 64), (1024,))
        )
    else:
        pair = build_networks(networks or "mlp", input_shape, None)
    own: dict[str, Any] = {"name": "discriminator", "fakes": "generated", "hidden": critic}
    if shared:
        own = {"name": "shared_discriminator"}
        if not (isinstance(networks, Networks) or _begins_shared(pair.encoder)):
            dense = FEATURES if len(input_shape) == 3 else ()
            encoder = encoder_on_critic(input_shape, critic, norm, dense, RECOGNITION)
            pair = Networks(encoder, pair.decoder)
    discriminator = {
        **own,
        "form": form,
        "norm": norm,
        "spread": spread,
        "label_smoothing": label_smoothing,
        "instance_noise": instance_noise,
        "learning_rate": critic_learning_rate,
        "critic_steps": critic_steps,
    }
    recognition = {
        "name": "mutual_information",
        "codes": "recoded",
        "styles": styles,
        "weight": information,
    }
    units = positive_int(classes, "classes")
    units += whole_number(styles, "styles", 0) + whole_number(noise_units, "noise_units", 0)
    return Autoencoder(
        input_shape,
        encoder=pair.encoder,
        bottleneck=CategoricalStyle(units, classes=classes),
        decoder=pair.decoder,
        likelihood={"name": "squared_error", "activation": "sigmoid"},
        prior={"name": "categorical_style", "classes": classes, "style": "uniform"},
        regularizers=[recognition, discriminator, *regularizers],
        objective={"name": "elbo", "weight": 0.0},
        seed=seed,
    )


def _begins_shared(encoder: Any) -> bool:
    return any(layer.name == SHARED for layer in getattr(encoder, "layers", [])[:1])
