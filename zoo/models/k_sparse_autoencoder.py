"""The k-sparse autoencoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.bottlenecks import TopK
from zoo.networks import build_networks
from zoo.registry import register


@register("k_sparse_autoencoder", kind="model")
def k_sparse_autoencoder(
    input_shape: Sequence[int],
    latents: int = 1000,
    k: Any = None,
    alpha: float = 1.0,
    hidden: Sequence[int] | None = None,
    networks: Any = "tied",
    activation: str = "relu",
    code_activation: str | None = None,
    kernel_initializer: Any = "glorot_uniform",
    likelihood: Any = "squared_error",
    regularizers: Sequence[Any] = (),
    standardize: bool = False,
    seed: int = 0,
) -> Autoencoder:
    """k-sparse autoencoder (Makhzani & Frey, "k-Sparse Autoencoders", 2014, section 2.1).

    Minimises

        ||x - (W z + b')||^2,  z = the k largest units of W^T x + b, the others 0

    Units that never win stay as they began. `zoo.recipes.centering.start_at_mean` and a k that falls to
    its target, as the authors have it (`zoo.recipes.LinearSchedule`), keep most in use.

    Args:
        input_shape: shape of one example.
        latents: units of the code.
        k: units kept in training, or a Keras schedule of the training step; None for one in forty of the
            units, 25 of 1000, the paper's best.
        alpha: units kept at encoding are alpha * k.
        hidden: units of hidden layers before the code; None for none.
        networks: "tied" (the paper's), "mlp", "conv" or a pair (encoder, decoder) of Keras models.
        activation: of the hidden layers.
        code_activation: of the code before the k largest are kept ("relu" in the authors' code).
        kernel_initializer: Keras initializer of the code's weights; the authors draw them from
            N(0, 0.01^2), which lets more units win a place among the k largest.
        likelihood: p(x|z), see ``zoo.names("likelihood")``.
        regularizers: penalties of the code.
        standardize: whether to bring every column or channel to mean 0 and deviation 1 within the model.
        seed: of the order of the data.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("k_sparse_autoencoder", (6,), latents=8, k=2)
        >>> code = model.encode(np.random.default_rng(0).random((20, 6), np.float32))
        >>> int(np.count_nonzero(code, axis=1).max())
        2
    """
    encoder, decoder = build_networks(networks, input_shape, hidden, activation, default=())
    k = max(1, latents // 40) if k is None else k
    return Autoencoder(
        input_shape,
        encoder=encoder,
        bottleneck=TopK(
            latents,
            k=k,
            alpha=alpha,
            activation=code_activation,
            kernel_initializer=kernel_initializer,
        ),
        decoder=decoder,
        likelihood=likelihood,
        regularizers=regularizers,
        standardize=standardize,
        seed=seed,
    )
