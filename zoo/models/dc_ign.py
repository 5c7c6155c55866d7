"""DC-IGN: a VAE that is told which factor varies in a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.bottlenecks import Clamped
from zoo.networks import Unconditioned, WithCondition, build_networks
from zoo.registry import register
from zoo.regularizers import KL


@register("dc_ign", kind="model")
def dc_ign(
    input_shape: Sequence[int] = (64, 64, 1),
    sizes: Sequence[int] = (6, 1, 1, 1, 1),
    hidden: Sequence[int] | None = None,
    networks: Any = "dc_ign",
    activation: str = "relu",
    likelihood: Any = "bernoulli",
    pull: Any = 0.01,
    beta: Any = 1.0,
    regularizers: Sequence[Any] = (),
    seed: int = 0,
) -> Autoencoder:
    """DC-IGN (Kulkarni et al., "Deep Convolutional Inverse Graphics Network", 2015, section 3).

    Minimises, over batches in which the pictures differ in one factor, which is known,

        -log p(x|z) + beta KL(q(z|x) || p(z))

    by the gradient of the units of that factor alone. The others are clamped to their mean over the batch,
    and pulled to it: see `zoo.bottlenecks.Clamped`. ``fit(x, y)`` has the factor of every row as y, the same
    throughout a batch; `zoo.data.sprite_scenes` gives such batches. In use it is a VAE of single examples:
    `encode` and `generate` need no factor, `evaluate` and an exported model one of -1.

    The networks are those of table 1 of Higgins et al., "beta-VAE", 2017, with 10 latents. Figure 7 there
    clamps one each for scale, orientation and the two positions, and 5 for the shape; it does not say what
    the tenth is for. Here the shape has 6, so that no unit goes without a factor. The paper trains with
    rmsprop and a rate of 0.0005.

    Args:
        input_shape: shape of one example.
        sizes: units of each factor, in the order of the labels; by default those of the sprites.
        hidden: units (MLP) or filters (conv), for networks that take them.
        networks: as in `zoo.models.vae.vae`, by default `zoo.networks.higgins.dc_ign`.
        activation: of the hidden layers of such networks.
        likelihood: p(x|z), see ``zoo.names("likelihood")``.
        pull: weight of the pull to the mean, a number or a Keras schedule of the training step.
        beta: weight of the KL term, likewise.
        regularizers: further regularizers.
        seed: of the noise and the order of the data.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("dc_ign", (16, 16, 1))
        >>> model.encode(np.zeros((3, 16, 16, 1), "float32")).shape
        (3, 10)
    """
    encoder, decoder = build_networks(
        networks, input_shape, hidden, activation, likelihood=likelihood
    )
    return Autoencoder(
        input_shape,
        encoder=WithCondition(encoder),
        bottleneck=Clamped(sizes, pull=pull),
        decoder=Unconditioned(decoder),
        likelihood=likelihood,
        prior="normal",
        regularizers=[KL(weight=beta), *regularizers],
        condition=len(tuple(sizes)),
        seed=seed,
    )
