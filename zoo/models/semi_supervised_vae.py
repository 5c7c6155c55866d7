"""The VAE of examples of which some have labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.bottlenecks import LabelAndStyle
from zoo.networks import Unconditioned, build_networks
from zoo.objectives import SemiSupervised
from zoo.registry import register
from zoo.values import positive_int


@register("semi_supervised_vae", kind="model")
def semi_supervised_vae(
    input_shape: Sequence[int],
    classes: int = 10,
    latents: int = 50,
    weight: Any = 50.0,
    style_hidden: int = 64,
    hidden: Sequence[int] | None = None,
    networks: Any = "mlp",
    activation: str = "relu",
    likelihood: Any = "bernoulli",
    regularizers: Sequence[Any] = (),
    seed: int = 0,
) -> Autoencoder:
    """Semi-supervised VAE (Kingma et al. 2014, M2, equations 6 to 9).

    Minimises, for a row of label y,

        -log p(x|y, z) - log p(y) + KL(q(z|x, y) || N(0, I)) - weight log q(y|x)

    and for a row without one, of label -1, the mean of it over q(y|x) without the last term, less the entropy
    of q(y|x). ``fit(x, y)`` has the labels as y; `cluster` and `encode` need none; `generate` takes
    ``label=``. The classifier and the style share the encoder; the paper's are two networks.

    Args:
        input_shape: shape of one example.
        classes: number of labels.
        latents: dimensions of the style z.
        weight: of the classification term, a number or a Keras schedule of the training step.
        style_hidden: units of the layer that joins features and label.
        hidden: units (MLP) or filters (conv); None for 500, 500 or the network's default.
        networks: as in `zoo.models.vae.vae`.
        activation: of the hidden layers.
        likelihood: p(x|y, z).
        regularizers: further regularizers.
        seed: of the noise and the order of the data.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("semi_supervised_vae", (6,), classes=3, latents=2, hidden=(8,))
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> model.cluster(x).shape, model.generate(4, seed=0, label=1).shape
        ((20,), (4, 6))
    """
    encoder, decoder = build_networks(
        networks, input_shape, hidden, activation, likelihood=likelihood
    )
    units = positive_int(classes, "classes") + positive_int(latents, "latents")
    return Autoencoder(
        input_shape,
        encoder=Unconditioned(encoder),
        bottleneck=LabelAndStyle(units, classes=classes, hidden=style_hidden),
        decoder=Unconditioned(decoder),
        likelihood=likelihood,
        prior={"name": "categorical_style", "classes": classes},
        objective=SemiSupervised(weight=weight),
        regularizers=regularizers,
        condition=classes,
        seed=seed,
    )
