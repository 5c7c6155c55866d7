"""The Hamiltonian VAE."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.bottlenecks import Stochastic
from zoo.networks import build_networks
from zoo.objectives import Hamiltonian
from zoo.registry import register


@register("hamiltonian_vae", kind="model")
def hamiltonian_vae(
    input_shape: Sequence[int],
    latents: int = 10,
    steps: int = 3,
    step_size: float = 0.01,
    tempering: float = 0.3,
    hidden: Sequence[int] | None = None,
    networks: Any = "mlp",
    activation: str = "softplus",
    likelihood: Any = "bernoulli",
    posterior: Any = "normal",
    prior: Any = "normal",
    regularizers: Sequence[Any] = (),
    seed: int = 0,
) -> Autoencoder:
    """Hamiltonian VAE (Caterini et al. 2018, algorithm 1).

    Minimises

        -[log p(x|z_K) + log p(z_K) + log N(r_K; 0, I) - log q(z_0|x) - log N(g; 0, I)]

    where (z_K, r_K) come from z_0 ~ q(z|x) and g by K leapfrog steps down -log p(x, z): see
    `zoo.objectives.Hamiltonian`, also for what pythae 0.1.2 does otherwise. A step costs a pass through the
    decoder and back. The decoder's slopes are differentiated again, which ReLUs forget: hence softplus.

    Args:
        input_shape: shape of one example.
        latents: dimensions of the code.
        steps: K.
        step_size: of every unit at first; it is learned.
        tempering: b_0, what the momentum is divided by the root of; it is learned. 1 for none.
        hidden: units (MLP) or filters (conv); None for 500, 500 or the network's default.
        networks: as in `zoo.models.vae.vae`.
        activation: of the hidden layers.
        likelihood: p(x|z), see ``zoo.names("likelihood")``.
        posterior: family of q(z|x), see ``zoo.names("posterior")``.
        prior: p(z), see ``zoo.names("prior")``.
        regularizers: further regularizers.
        seed: of the noise and the order of the data.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("hamiltonian_vae", (6,), latents=2, hidden=(4,), steps=2)
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> model.encode(x).shape, model.generate(3, seed=0).shape
        ((20, 2), (3, 6))
    """
    encoder, decoder = build_networks(
        networks, input_shape, hidden, activation, likelihood=likelihood
    )
    return Autoencoder(
        input_shape,
        encoder=encoder,
        bottleneck=Stochastic(latents, family=posterior),
        decoder=decoder,
        likelihood=likelihood,
        prior=prior,
        objective=Hamiltonian(steps=steps, step_size=step_size, tempering=tempering),
        regularizers=regularizers,
        seed=seed,
    )
