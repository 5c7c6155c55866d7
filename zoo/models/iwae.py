"""Models that are trained with importance-weighted bounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.bottlenecks import Stochastic
from zoo.models.extends import extends
from zoo.networks import build_networks
from zoo.objectives import ImportanceWeighted
from zoo.registry import register


@register("iwae", kind="model")
def iwae(
    input_shape: Sequence[int],
    latents: int = 10,
    samples: int = 10,
    hidden: Sequence[int] | None = None,
    networks: Any = "mlp",
    activation: str = "tanh",
    likelihood: Any = "bernoulli",
    posterior: Any = "normal",
    prior: Any = "normal",
    gradient: str = "standard",
    bound: Any = None,
    regularizers: Sequence[Any] = (),
    mask: str | None = None,
    seed: int = 0,
) -> Autoencoder:
    """Importance weighted autoencoder (Burda, Grosse & Salakhutdinov 2016, equation 8).

    Minimises

        -log 1/K sum_k p(x|z_k) p(z_k) / q(z_k|x),  z_k ~ q(z|x)

    The loss is the bound itself. Pythae 0.1.2 reports the sum of w_k log w_k with the normalised weights,
    which lies above it.

    Args:
        input_shape: shape of one example.
        latents: dimensions of the code.
        samples: K.
        hidden: units (MLP) or filters (conv); None for 500, 500 or the network's default.
        networks: as in `zoo.models.vae.vae`.
        activation: of the hidden layers.
        likelihood: p(x|z).
        posterior: family of q(z|x).
        prior: p(z).
        gradient: of the encoder, "standard", "stl" or "dreg", see `zoo.objectives.ImportanceWeighted`.
        bound: further options of `zoo.objectives.ImportanceWeighted`, a dict; K draws go to each group.
        regularizers: further regularizers.
        mask: "nan" where NaN in x stands for a missing value.
        seed: of the noise and the order of the data.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("iwae", (6,), latents=2, hidden=(4,), samples=20)
        >>> model.compile("adam")
        >>> x = np.random.default_rng(0).random((64, 6), np.float32)
        >>> found = model.evaluate(x, return_dict=True, verbose=0)
        >>> sorted(found)
        ['loss', 'reconstruction']
    """
    encoder, decoder = build_networks(
        networks, input_shape, hidden, activation, likelihood=likelihood
    )
    options = dict(bound or {})
    draws = samples * options.get("groups", 1)
    return Autoencoder(
        input_shape,
        encoder=encoder,
        bottleneck=Stochastic(latents, family=posterior, samples=draws),
        decoder=decoder,
        likelihood=likelihood,
        prior=prior,
        objective=ImportanceWeighted(gradient=gradient, **options),
        regularizers=regularizers,
        mask=mask,
        seed=seed,
    )


@register("miwae", kind="model")
@extends(iwae, without=("bound",))
def miwae(
    input_shape: Sequence[int], groups: int = 5, samples: int = 10, **options: Any
) -> Autoencoder:
    """Multiply importance weighted autoencoder (Rainforth et al. 2018, equation 11).

    Minimises

        -1/M sum_m log 1/K sum_k p(x|z_mk) p(z_mk) / q(z_mk|x)

    Pythae 0.1.2 normalises the weights over the groups in the place of the draws, which differs where M and K
    do.

    Args:
        input_shape: shape of one example.
        groups: M.
        samples: K, draws of a group.
        **options: as in `iwae`.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("miwae", (6,), latents=2, hidden=(4,), groups=3, samples=4)
        >>> model.bottleneck.samples
        12
    """
    return iwae(input_shape, samples=samples, bound={"groups": groups}, **options)


@register("piwae", kind="model")
@extends(iwae, without=("bound",))
def piwae(
    input_shape: Sequence[int], groups: int = 5, samples: int = 10, **options: Any
) -> Autoencoder:
    """Partially importance weighted autoencoder (Rainforth et al. 2018, section 5).

    Minimises, by the decoder and the prior,

        -log 1/(M K) sum_mk p(x|z_mk) p(z_mk) / q(z_mk|x)

    and by the encoder the loss of `miwae`. Both gradients come from one pass and one optimizer; pythae 0.1.2
    takes two of each.

    Args:
        input_shape: shape of one example.
        groups: M.
        samples: K, draws of a group.
        **options: as in `iwae`.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("piwae", (6,), latents=2, hidden=(4,), groups=3, samples=4)
        >>> model.objective.pooled
        True
    """
    return iwae(input_shape, samples=samples, bound={"groups": groups, "pooled": True}, **options)


@register("ciwae", kind="model")
@extends(iwae, without=("bound",))
def ciwae(input_shape: Sequence[int], beta: float = 0.5, **options: Any) -> Autoencoder:
    """Combined importance weighted autoencoder (Rainforth et al. 2018, equation 12).

    Minimises

        -beta 1/K sum_k log w_k - (1 - beta) log 1/K sum_k w_k,  w_k = p(x|z_k) p(z_k) / q(z_k|x)

    The objective of pythae 0.1.2 too, and reported as it is: see `iwae`.

    Args:
        input_shape: shape of one example.
        beta: share of the evidence lower bound.
        **options: as in `iwae`.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("ciwae", (6,), latents=2, hidden=(4,), beta=0.1)
        >>> model.objective.mix
        0.1
    """
    return iwae(input_shape, bound={"mix": beta}, **options)
