"""The VAE of x given a condition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.bottlenecks import Stochastic
from zoo.networks import Conditioned, build_networks
from zoo.registry import register
from zoo.regularizers import KL


@register("conditional_vae", kind="model")
def conditional_vae(
    input_shape: Sequence[int],
    condition: Any = 10,
    latents: int = 10,
    hidden: Sequence[int] | None = None,
    networks: Any = "mlp",
    activation: str = "relu",
    likelihood: Any = "bernoulli",
    posterior: Any = "normal",
    prior: Any = "normal",
    beta: Any = 1.0,
    estimator: str = "auto",
    samples: int = 1,
    regularizers: Sequence[Any] = (),
    seed: int = 0,
) -> Autoencoder:
    """Conditional VAE (Sohn et al., "Learning Structured Output Representation", 2015, equation 4).

    Minimises

        -log p(x|z, c) + beta KL(q(z|x, c) || p(z|c))

    with p(z|c) = p(z) unless the prior is "conditional_normal". Trained by ``fit(x, y)``, y the condition;
    `encode`, `reconstruct` and `generate` take it as ``condition=``, and an export as an input.

    Args:
        input_shape: shape of one example.
        condition: a number of classes (a row of label -1 has none), the shape of one row of covariates such
            as (3,), or a dict of names to these.
        latents: dimensions of the code.
        hidden: units (MLP) or filters (conv); None for 500, 500 or the network's default.
        networks: as in `zoo.models.vae.vae`.
        activation: of the hidden layers.
        likelihood: p(x|z, c).
        posterior: family of q(z|x, c).
        prior: p(z), or "conditional_normal" for p(z|c).
        beta: weight of the KL term, a number or a Keras schedule of the training step.
        estimator: of the KL term.
        samples: posterior draws for each example.
        regularizers: further regularizers.
        seed: of the noise and the order of the data.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("conditional_vae", (6,), condition=3, latents=2, hidden=(8,))
        >>> model.compile("adam")
        >>> x = np.random.default_rng(0).random((64, 6), np.float32)
        >>> history = model.fit(x, np.arange(64) % 3, verbose=0)
        >>> model.generate(4, seed=0, condition=2).shape  # four of class 2
        (4, 6)
    """
    encoder, decoder = build_networks(
        networks, input_shape, hidden, activation, likelihood=likelihood
    )
    return Autoencoder(
        input_shape,
        encoder=Conditioned(encoder),
        bottleneck=Stochastic(latents, family=posterior, samples=samples),
        decoder=Conditioned(decoder),
        likelihood=likelihood,
        prior=prior,
        regularizers=[KL(weight=beta, estimator=estimator), *regularizers],
        condition=condition,
        seed=seed,
    )
