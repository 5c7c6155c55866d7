"""The VAE of pairs that differ in few factors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.bottlenecks import SharedPairs
from zoo.networks import build_networks
from zoo.registry import register
from zoo.regularizers import KL


@register("ada_gvae", kind="model")
def ada_gvae(
    input_shape: Sequence[int],
    latents: int = 10,
    hidden: Sequence[int] | None = None,
    networks: Any = "mlp",
    activation: str = "relu",
    likelihood: Any = "bernoulli",
    prior: Any = "normal",
    beta: Any = 1.0,
    average: str = "mean",
    regularizers: Sequence[Any] = (),
    seed: int = 0,
) -> Autoencoder:
    """Adaptive group VAE (Locatello et al. 2020, equation 5 and section 4.1).

    Minimises, over pairs (x_1, x_2) that differ in an unknown few of their factors,

        sum_(k=1,2) -log p(x_k|z_k) + beta KL(q'(z_k|x_1, x_2) || p(z_k))

    where q' has one posterior for both in the units that the pair seems to share: see
    `zoo.bottlenecks.SharedPairs`, also for what is otherwise than in disent 0.9.3. ``fit(x, partner)`` takes
    the pairs as two arrays, or a data set of (x, partner); `zoo.data.sprite_pairs` makes such ones. In use
    it is a VAE of single examples: `encode`, `evaluate` of codes, `generate`, `export`.

    Args:
        input_shape: shape of one example.
        latents: dimensions of the code.
        hidden: units (MLP) or filters (conv); None for 500, 500 or the network's default.
        networks: as in `zoo.models.vae.vae`.
        activation: of the hidden layers.
        likelihood: p(x|z), see ``zoo.names("likelihood")``.
        prior: p(z), see ``zoo.names("prior")``.
        beta: weight of the KL term, a number or a Keras schedule of the training step.
        average: of the two posteriors of a unit that a pair shares: "mean", or "product", which makes it the
            Ada-ML-VAE of the same paper.
        regularizers: further regularizers.
        seed: of the noise and the order of the data.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("ada_gvae", (6,), latents=3, hidden=(4,))
        >>> model.compile("adam")
        >>> x = np.random.default_rng(0).random((64, 6), np.float32)
        >>> partner = np.where(np.arange(6) == 2, 1 - x, x)  # one factor changes
        >>> sorted(model.fit(x, partner, verbose=0).history)
        ['kl', 'loss', 'reconstruction', 'shared']
    """
    encoder, decoder = build_networks(
        networks, input_shape, hidden, activation, likelihood=likelihood
    )
    return Autoencoder(
        input_shape,
        encoder=encoder,
        bottleneck=SharedPairs(latents, average),
        decoder=decoder,
        likelihood=likelihood,
        prior=prior,
        regularizers=[KL(weight=beta), *regularizers],
        pairs=True,
        seed=seed,
    )
