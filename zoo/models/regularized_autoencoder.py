"""Regularized autoencoders: a smooth decoder in the place of a random code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from zoo.autoencoder import Autoencoder
from zoo.models.deep_autoencoder import autoencoder
from zoo.models.extends import extends
from zoo.registry import register
from zoo.regularizers import KerasRegularizer


@register("rae_l2", kind="model")
@extends(autoencoder)
def rae_l2(
    input_shape: Sequence[int],
    beta: Any = 1e-4,
    decay: Any = 1e-7,
    likelihood: Any = "squared_error",
    regularizers: Sequence[Any] = (),
    **options: Any,
) -> Autoencoder:
    """RAE-L2 (Ghosh et al., "From Variational to Deterministic Autoencoders", 2020, equations 9 and 10).

    Minimises

        ||x - D(z)||^2 + beta / 2 ||z||^2 + decay sum_l ||W_l||_F^2,  z = E(x), W_l the kernels of D

    To generate, fit a prior, as the paper does: ``model.fit_prior("gaussian_mixture", x, components=10)``,
    which is saved with the model; pythae 0.1.2's samplers cannot be saved.

    Args:
        input_shape: shape of one example.
        beta: weight of the code's norm, a number or a Keras schedule of the training step.
        decay: weight of the decoder's kernels, likewise.
        likelihood: p(x|z); the paper's squared error, summed over the event.
        regularizers: further regularizers.
        **options: as in `zoo.models.deep_autoencoder.autoencoder`.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("rae_l2", (6,), latents=2, hidden=(4,))
        >>> x = np.random.default_rng(0).random((100, 6), np.float32)
        >>> model.fit_prior("gaussian_mixture", x, components=2).generate(3, seed=0).shape
        (3, 6)
    """
    smooth = {"name": "weight_decay", "of": "decoder", "weight": decay}
    parts = [_norm(beta), smooth, *regularizers]
    return autoencoder(input_shape, likelihood=likelihood, regularizers=parts, **options)


@register("rae_gp", kind="model")
@extends(autoencoder)
def rae_gp(
    input_shape: Sequence[int],
    beta: Any = 1e-4,
    smoothness: Any = 1e-7,
    probes: int = 1,
    likelihood: Any = "squared_error",
    regularizers: Sequence[Any] = (),
    **options: Any,
) -> Autoencoder:
    """RAE-GP (Ghosh et al., "From Variational to Deterministic Autoencoders", 2020, equations 9 and 11).

    Minimises

        ||x - D(z)||^2 + beta / 2 ||z||^2 + smoothness ||dD(z) / dz||_F^2,  z = E(x)

    The penalty is the decoder's; that of pythae 0.1.2 is the gradient by x, through the encoder too.

    Args:
        input_shape: shape of one example.
        beta: weight of the code's norm, a number or a Keras schedule of the training step.
        smoothness: weight of the decoder's Jacobian, likewise.
        probes: random directions of its estimate.
        likelihood: p(x|z); the paper's squared error, summed over the event.
        regularizers: further regularizers.
        **options: as in `zoo.models.deep_autoencoder.autoencoder`.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("rae_gp", (6,), latents=2, hidden=(4,))
        >>> [term.name for term in model.regularizers]
        ['l2', 'decoder_jacobian']
    """
    smooth = {"name": "decoder_jacobian", "weight": smoothness, "probes": probes}
    parts = [_norm(beta), smooth, *regularizers]
    return autoencoder(input_shape, likelihood=likelihood, regularizers=parts, **options)


def _norm(beta: Any) -> KerasRegularizer:
    return KerasRegularizer(keras.regularizers.L2(0.5), weight=beta, name="l2")
