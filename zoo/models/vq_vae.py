"""Autoencoders whose codes are indices: of a learned book, of levels of books, of rounded units, of bits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.models.extends import extends
from zoo.networks import build_networks
from zoo.registry import register


def _quantized(
    input_shape: Sequence[int],
    bottleneck: dict[str, Any],
    places: int = 8,
    hidden: Sequence[int] | None = None,
    networks: Any = "mlp",
    activation: str = "relu",
    likelihood: Any = "bernoulli",
    prior: Any = None,
    regularizers: Sequence[Any] = (),
    seed: int = 0,
) -> Autoencoder:
    """What these models share.

    Args:
        input_shape: shape of one example.
        bottleneck: that makes the codes, with its options.
        places: code vectors of an example where the networks give it one vector of features.
        hidden: as in `zoo.models.vae.vae`, as are the further options.
        networks: "grid" for a code at every place of a picture's features; "mlp", "conv" or a pair.
        activation: of the hidden layers.
        likelihood: p(x|z).
        prior: None, until one is fitted.
        regularizers: further regularizers.
        seed: of the noise and the order of the data.
    """
    grid = networks == "grid"
    encoder, decoder = build_networks(
        networks, input_shape, hidden, activation, likelihood=likelihood
    )
    return Autoencoder(
        input_shape,
        encoder=encoder,
        bottleneck={"grid": grid, "places": 1 if grid else places, **bottleneck},
        decoder=decoder,
        likelihood=likelihood,
        prior=prior,
        regularizers=regularizers,
        seed=seed,
    )


@register("vq_vae", kind="model")
@extends(_quantized, without=("bottleneck",))
def vq_vae(
    input_shape: Sequence[int],
    latents: int = 16,
    codes: int = 512,
    beta: Any = 0.25,
    decay: float = 0.99,
    restart: float = 0.03,
    **options: Any,
) -> Autoencoder:
    """VQ-VAE (van den Oord, Vinyals & Kavukcuoglu 2017, equation 3 and appendix A.1).

    Minimises

        -log p(x|z_q) + beta ||z - sg(z_q)||^2,  z_q the nearest entry of the book at each place

    while the entries are moving averages of the vectors that choose them. Both terms are sums over an example
    (pythae 0.1.2 adds a mean to a sum). To generate, fit a prior:
    ``model.fit_prior("autoregressive", x)``.

    Args:
        input_shape: shape of one example.
        latents: dimensions of a code vector.
        codes: entries of the book.
        beta: weight of the commitment, a number or a Keras schedule of the training step.
        decay: of the averages.
        restart: see `zoo.bottlenecks.VectorQuantized`.
        **options: places, code vectors of an example where the networks give it one vector of features;
            hidden, networks ("grid" for a code at every place of a picture's features), activation,
            likelihood, prior (None, until one is fitted), regularizers and seed as in `zoo.models.vae.vae`.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("vq_vae", (8, 8, 1), latents=2, codes=8, networks="grid", hidden=(4,))
        >>> model.compile("adam")
        >>> x = np.random.default_rng(0).random((64, 8, 8, 1), np.float32)
        >>> history = model.fit(x, verbose=0)
        >>> model.encode(x).shape
        (64, 4, 4, 2)
    """
    own = {"codes": codes, "beta": beta, "decay": decay, "restart": restart}
    named = {"name": "vector_quantized", "units": latents, **own}
    return _quantized(input_shape, named, **options)


@register("rq_vae", kind="model")
@extends(vq_vae)
def rq_vae(
    input_shape: Sequence[int],
    latents: int = 16,
    codes: int = 256,
    levels: int = 4,
    beta: Any = 0.25,
    decay: float = 0.99,
    restart: float = 0.03,
    **options: Any,
) -> Autoencoder:
    """Residual-quantized VAE (Lee et al. 2022, equation 3, with a book for each level).

    Minimises

        -log p(x|z_L) + beta sum_l ||z - sg(z_l)||^2,  z_l = z_(l-1) + the entry nearest to z - z_(l-1)

    The books are moving averages, as in `vq_vae`; pythae's HRQVAE, on its main branch, draws entries with
    Gumbel noise.

    Args:
        input_shape: shape of one example.
        latents: dimensions of a code vector.
        codes: entries of each book.
        levels: L.
        beta: weight of the commitment, a number or a Keras schedule of the training step.
        decay: of the averages.
        restart: see `zoo.bottlenecks.VectorQuantized`.
        **options: as in `vq_vae`.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("rq_vae", (6,), latents=2, places=3, codes=4, levels=2, hidden=(8,))
        >>> model.bottleneck.levels, model.code_shape
        (2, (3, 2))
    """
    own = {"codes": codes, "levels": levels, "beta": beta, "decay": decay, "restart": restart}
    named = {"name": "residual_quantized", "units": latents, **own}
    return _quantized(input_shape, named, **options)


@register("fsq_vae", kind="model")
@extends(vq_vae, without=("latents", "codes", "beta", "decay", "restart"))
def fsq_vae(
    input_shape: Sequence[int], sizes: Sequence[int] = (8, 5, 5, 5), **options: Any
) -> Autoencoder:
    """FSQ-VAE (Mentzer et al. 2024, section 3).

    Minimises

        -log p(x|round(f(z))),  f(z) within the levels of each unit

    That of autoencoders 0.6.8 does not hold f(z) within its levels.

    Args:
        input_shape: shape of one example.
        sizes: levels of each unit of a code vector; (8, 5, 5, 5) are 1,000 entries.
        **options: as in `vq_vae`.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("fsq_vae", (6,), sizes=(3, 3), places=4, hidden=(8,))
        >>> model.code_shape, model.bottleneck.vocabulary
        ((4, 2), 9)
    """
    return _quantized(input_shape, {"name": "finite_scalar", "sizes": sizes}, **options)


@register("lfq_vae", kind="model")
@extends(vq_vae, without=("codes", "decay", "restart"))
def lfq_vae(
    input_shape: Sequence[int],
    latents: int = 10,
    beta: Any = 0.25,
    entropy: Any = 0.1,
    diversity: float = 1.0,
    **options: Any,
) -> Autoencoder:
    """LFQ-VAE (Yu et al. 2024, section 3.1).

    Minimises

        -log p(x|sign(z)) + beta ||z - sg(sign(z))||^2 + entropy (E[H(p(c|z))] - diversity H(E[p(c|z)]))

    Args:
        input_shape: shape of one example.
        latents: bits of an index.
        beta: weight of the commitment, a number or a Keras schedule of the training step.
        entropy: weight of the entropies, likewise.
        diversity: weight of the entropy of the mean among them.
        **options: as in `vq_vae`.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("lfq_vae", (6,), latents=4, places=3, hidden=(8,))
        >>> model.code_shape, model.bottleneck.vocabulary
        ((3, 4), 16)
    """
    own = {"beta": beta, "entropy": entropy, "diversity": diversity}
    named = {"name": "lookup_free", "units": latents, **own}
    return _quantized(input_shape, named, **options)
