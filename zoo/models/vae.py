"""The variational autoencoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.bottlenecks import Stochastic
from zoo.networks import build_networks
from zoo.registry import register
from zoo.regularizers import KL


@register("vae", kind="model")
def vae(
    input_shape: Sequence[int],
    latents: int = 10,
    hidden: Sequence[int] | None = None,
    networks: Any = "mlp",
    activation: str = "relu",
    likelihood: Any = "bernoulli",
    posterior: str = "normal",
    prior: Any = "normal",
    beta: Any = 1.0,
    estimator: str = "auto",
    samples: int = 1,
    regularizers: Sequence[Any] = (),
    mask: str | None = None,
    standardize: bool = False,
    seed: int = 0,
) -> Autoencoder:
    """Variational autoencoder (Kingma & Welling, "Auto-Encoding Variational Bayes", 2014, equation 3).

    Maximises the evidence lower bound

        E_q[log p(x|z)] - beta KL(q(z|x) || p(z))

    with beta = 1. Every other model with a stochastic code is this one with other parts.

    Args:
        input_shape: shape of one example.
        latents: dimensions of the code.
        hidden: units (MLP) or filters (conv); None for 500, 500 or the network's default.
        networks: "mlp", "conv", for windows of series "conv1d" or "gru", or a pair (encoder, decoder) of
            Keras models.
        activation: of the hidden layers; "gated" for those of `zoo.networks.Gated` (MLP).
        likelihood: p(x|z), see ``zoo.names("likelihood")``.
        posterior: family of q(z|x), see ``zoo.names("posterior")``.
        prior: p(z), see ``zoo.names("prior")``.
        beta: weight of the KL term, a number or a Keras schedule of the training step.
        estimator: of the KL term, "analytic", "sampled" or "auto".
        samples: posterior draws for each example.
        regularizers: further regularizers.
        mask: "nan" where NaN in x stands for a missing value.
        standardize: whether to bring every column or channel to mean 0 and deviation 1 within the model.
        seed: of the noise and the order of the data.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,))
        >>> model.compile("adam")
        >>> x = np.random.default_rng(0).random((64, 6), np.float32)
        >>> history = model.fit(x, epochs=2, verbose=0)
        >>> sorted(history.history)
        ['kl', 'loss', 'reconstruction']
        >>> model.encode(x).shape, model.generate(3, seed=0).shape
        ((64, 2), (3, 6))
    """
    encoder, decoder = build_networks(
        networks, input_shape, hidden, activation, likelihood=likelihood
    )
    return Autoencoder(
        input_shape,
        encoder=encoder,
        bottleneck=Stochastic(latents, family=posterior, samples=samples),
        decoder=decoder,
        likelihood=likelihood,
        prior=prior,
        regularizers=[KL(weight=beta, estimator=estimator), *regularizers],
        mask=mask,
        standardize=standardize,
        seed=seed,
    )
