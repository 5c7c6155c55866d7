"""A VAE whose code has levels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.bottlenecks import Hierarchical
from zoo.networks import build_networks
from zoo.registry import register
from zoo.regularizers import KL
from zoo.values import positive_int


@register("hierarchical_vae", kind="model")
def hierarchical_vae(
    input_shape: Sequence[int],
    latents: int = 10,
    levels: int = 2,
    level_hidden: int = 64,
    hidden: Sequence[int] | None = None,
    networks: Any = "mlp",
    activation: str = "relu",
    likelihood: Any = "bernoulli",
    beta: Any = 1.0,
    regularizers: Sequence[Any] = (),
    standardize: bool = False,
    seed: int = 0,
) -> Autoencoder:
    """VAE of L levels (Rezende et al. 2014, equation 3; Sønderby et al. 2016, equation 6).

    Minimises

        -log p(x|z_1 .. z_L) + beta sum_l KL(q(z_l | z_(l+1) .. z_L, x) || p(z_l | z_(l+1) .. z_L))

    along a draw from the top downwards, with p(z_L) = N(0, I) and all other p learned. One level is the VAE.
    The decoder is given every level, as in NVAE; with z_1 alone the upper ones fell silent in Sønderby et al.
    ``kl_1`` .. ``kl_L`` are reported, so that a level that says nothing is seen. pythae 0.1.2 has no
    hierarchy (its HVAE is the Hamiltonian VAE); that of autoencoders 0.6.8 has a prior N(0, I) at each level,
    so that no level is given another.

    Args:
        input_shape: shape of one example.
        latents: dimensions of each level.
        levels: L.
        level_hidden: units of the hidden layer of each level's networks.
        hidden: units (MLP) or filters (conv); None for 500, 500 or the network's default.
        networks: as in `zoo.models.vae.vae`.
        activation: of the hidden layers.
        likelihood: p(x|z), see ``zoo.names("likelihood")``.
        beta: weight of the KL, a number or a Keras schedule of the training step.
        regularizers: further regularizers.
        standardize: whether to bring every column or channel to mean 0 and deviation 1 within the model.
        seed: of the noise and the order of the data.

    Returns:
        A built model, whose code is [z_1, .., z_L].

    Example:
        >>> model = zoo.create("hierarchical_vae", (6,), latents=2, hidden=(4,))
        >>> model.compile("adam")
        >>> x = np.random.default_rng(0).random((64, 6), np.float32)
        >>> sorted(model.fit(x, verbose=0).history)
        ['kl', 'kl_1', 'kl_2', 'loss', 'reconstruction']
    """
    encoder, decoder = build_networks(
        networks, input_shape, hidden, activation, likelihood=likelihood
    )
    units = positive_int(latents, "latents") * positive_int(levels, "levels")
    return Autoencoder(
        input_shape,
        encoder=encoder,
        bottleneck=Hierarchical(units, levels=levels, hidden=level_hidden),
        decoder=decoder,
        likelihood=likelihood,
        prior={"name": "hierarchical", "levels": levels, "hidden": level_hidden},
        regularizers=[KL(weight=beta), *regularizers],
        standardize=standardize,
        seed=seed,
    )
