"""The adversarial autoencoder, plain and with classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.bottlenecks import CategoricalStyle, Deterministic
from zoo.networks import build_networks
from zoo.registry import register
from zoo.values import positive_int


@register("adversarial_autoencoder", kind="model")
def adversarial_autoencoder(
    input_shape: Sequence[int],
    latents: int = 10,
    classes: int | None = None,
    hidden: Sequence[int] | None = None,
    networks: Any = "mlp",
    activation: str = "relu",
    critic: Sequence[int] = (1000, 1000),
    likelihood: Any = "bernoulli",
    prior: Any = "normal",
    weight: Any = 1.0,
    form: str = "non_saturating",
    norm: str = "none",
    class_norm: str = "batch",
    label_smoothing: float = 0.0,
    instance_noise: Any = 0.0,
    critic_learning_rate: Any = 2e-4,
    critic_steps: int = 1,
    regularizers: Sequence[Any] = (),
    standardize: bool = False,
    seed: int = 0,
) -> Autoencoder:
    """Adversarial autoencoder (Makhzani et al., "Adversarial Autoencoders", 2016, section 2).

    Minimises

        -log p(x|z) - weight log Dz(z),  z = E(x)

    while Dz tells codes from draws of the prior. With `classes` (section 5, unsupervised clustering) the
    code is [y, z], y a softmax over the classes and z the style, and y has a critic of its own, which
    tells it from one-hot classes:

        -log p(x|y, z) - weight [log Dz(z) + log Dy(y)],  (y, z) = E(x)

    `model.cluster(x)` is then argmax y. The paper's clustering has 16 or 30 classes.

    Args:
        input_shape: shape of one example.
        latents: dimensions of the style z.
        classes: number of classes; None for the plain form.
        hidden: units (MLP) or filters (conv); None for 1000, 1000 or the network's default.
        networks: "mlp", "conv" or a pair (encoder, decoder) of Keras models.
        activation: of the hidden layers.
        critic: units of the critics' hidden layers.
        likelihood: p(x|z), see ``zoo.names("likelihood")``.
        prior: of the style: any without classes, with them "normal" or "uniform".
        weight: of the adversarial terms, a number or a Keras schedule of the training step.
        form: of the adversarial losses, "saturating", "non_saturating" or "hinge".
        norm: of the critics' layers, "batch", "spectral" or "none".
        class_norm: of the class logits, "batch" or "none". Without it all of MNIST went to one class of 30
            in the first epoch, and few classes came back: a one-hot y passes hardly any gradient on.
        label_smoothing: of the critics.
        instance_noise: standard deviation of the noise on the codes that the critics see, a number or a
            schedule.
        critic_learning_rate: of the critics' Adam, a number or a schedule.
        critic_steps: updates of the critics for each one of the model.
        regularizers: further regularizers.
        standardize: whether to bring every column or channel to mean 0 and deviation 1 within the model.
        seed: of the noise and the order of the data.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create(
        ...     "adversarial_autoencoder", (6,), latents=2, classes=3, hidden=(4,), critic=(4,)
        ... )
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> model.encode(x).shape, model.cluster(x).shape  # 3 classes and 2 units of style
        ((20, 5), (20,))
    """
    encoder, decoder = build_networks(
        networks,
        input_shape,
        hidden,
        activation,
        default=(1000, 1000),
        likelihood=likelihood,
    )
    critics = {
        "name": "code_discriminator",
        "weight": weight,
        "hidden": critic,
        "form": form,
        "norm": norm,
        "label_smoothing": label_smoothing,
        "instance_noise": instance_noise,
        "learning_rate": critic_learning_rate,
        "critic_steps": critic_steps,
    }
    if classes is None:
        bottleneck: Any = Deterministic(latents)
        adversaries = [critics]
    else:
        units = positive_int(classes, "classes") + positive_int(latents, "latents")
        bottleneck = CategoricalStyle(units, classes=classes, norm=class_norm)
        prior = {"name": "categorical_style", "classes": classes, "style": prior}
        adversaries = [{**critics, "units": (0, classes)}, {**critics, "units": (classes, units)}]
    return Autoencoder(
        input_shape,
        encoder=encoder,
        bottleneck=bottleneck,
        decoder=decoder,
        likelihood=likelihood,
        prior=prior,
        regularizers=[*adversaries, *regularizers],
        standardize=standardize,
        seed=seed,
    )
