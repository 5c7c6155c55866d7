"""The deterministic autoencoder, of any shape and in the deep form of its paper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.bottlenecks import Deterministic
from zoo.models.extends import extends
from zoo.networks import build_networks
from zoo.networks.corruption import Corruption
from zoo.registry import register


@register("autoencoder", kind="model")
def autoencoder(
    input_shape: Sequence[int],
    latents: int = 10,
    hidden: Sequence[int] | None = None,
    networks: Any = "mlp",
    activation: str = "relu",
    code_activation: str | None = None,
    dropout: float = 0.0,
    kernel_initializer: Any = "glorot_uniform",
    likelihood: Any = "bernoulli",
    prior: Any = None,
    regularizers: Sequence[Any] = (),
    corruption: Corruption | None = None,
    target_shape: Sequence[int] | None = None,
    mask: str | None = None,
    standardize: bool = False,
    seed: int = 0,
) -> Autoencoder:
    """Deterministic autoencoder (Hinton & Salakhutdinov, "Reducing the Dimensionality of Data", 2006).

    Minimises

        -log p(x | z),  z = E(x)

    which is the cross-entropy of the paper for the Bernoulli likelihood. Linear with ``hidden=()`` and
    ``likelihood="squared_error"``, when its optimum spans the principal subspace of centred data.

    Args:
        input_shape: shape of one example.
        latents: dimensions of the code.
        hidden: units (MLP) or filters (conv); None for 500, 500 or the network's default.
        networks: "mlp", "conv", "tied" or a pair (encoder, decoder) of Keras models.
        activation: of the hidden layers.
        code_activation: of the code.
        dropout: share of the code's units left out in training.
        kernel_initializer: Keras initializer of the code's weights.
        likelihood: p(x|z), see ``zoo.names("likelihood")``.
        prior: p(z) to generate from, or None.
        regularizers: penalties of the code.
        corruption: what is done to the encoder's input in training.
        target_shape: shape of one y, for a model that reconstructs y and not x.
        mask: "nan" where NaN in x stands for a missing value.
        standardize: whether to bring every column or channel to mean 0 and deviation 1 within the model.
        seed: of the noise and the order of the data.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("autoencoder", (6,), latents=2, hidden=(4,), likelihood="squared_error")
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> model.encode(x).shape, model.reconstruct(x).shape
        ((20, 2), (20, 6))
    """
    encoder, decoder = build_networks(
        networks,
        input_shape,
        hidden,
        activation,
        output_shape=target_shape,
        likelihood=likelihood,
    )
    return Autoencoder(
        input_shape,
        encoder=encoder,
        bottleneck=Deterministic(
            latents,
            dropout=dropout,
            activation=code_activation,
            kernel_initializer=kernel_initializer,
        ),
        decoder=decoder,
        likelihood=likelihood,
        prior=prior,
        regularizers=regularizers,
        corruption=corruption,
        target_shape=target_shape,
        mask=mask,
        standardize=standardize,
        seed=seed,
    )


@register("deep_autoencoder", kind="model")
@extends(autoencoder)
def deep_autoencoder(
    input_shape: Sequence[int],
    latents: int = 2,
    hidden: Sequence[int] = (1000, 500, 250),
    activation: str = "sigmoid",
    **options: Any,
) -> Autoencoder:
    """The 784-1000-500-250-2 autoencoder (Hinton & Salakhutdinov 2006, figure 3).

    Minimises the cross-entropy

        -sum_i [x_i log x_hat_i + (1 - x_i) log(1 - x_hat_i)],  z = E(x) linear in the last hidden layer

    The paper first trains every layer as a restricted Boltzmann machine: `zoo.recipes.rbm.pretrain`.

    Args:
        input_shape: shape of one example.
        latents: dimensions of the code, 2 or 30 in the paper.
        hidden: units of the encoder's hidden layers, mirrored in the decoder.
        activation: of the hidden layers.
        **options: as in `autoencoder`.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("deep_autoencoder", (6,), hidden=(5, 4, 3))
        >>> model.encode(np.zeros((3, 6), "float32")).shape
        (3, 2)
    """
    return autoencoder(
        input_shape, latents=latents, hidden=hidden, activation=activation, **options
    )
