"""Initial biases of a one-layer autoencoder, by which the code need not learn the mean of the data."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from zoo.autoencoder import Autoencoder
from zoo.networks import Tied

# Rows that are summed at a time.
_CHUNK = 8192


def start_at_mean(model: Autoencoder, x: Any) -> None:
    """Set the biases so that the code sees, and the decoder adds to, deviations from the mean.

        b' = m,  b = -W^T m,  m = mean of x,  so that  x_hat = m + W' f(W^T (x - m))

    Where inputs are far from 0 on average, as digits are, the first steps of an autoencoder that keeps its
    largest units go into the mean: a few units learn it, win in every example, and starve the others.
    With 1,000 units on MNIST this start leaves more of them in use (docs/results, OX-KS-T1). Call it before
    `fit`; the biases are trained as ever.

    Args:
        model: an autoencoder without hidden layers, tied or not, whose likelihood has the decoder's output
            as its mean, such as ``zoo.create("k_sparse_autoencoder", ...)``. Its biases are overwritten.
        x: array (rows, *event), uint8 or float, or a `zoo.data.Data`.

    Raises:
        ValueError: for a model of other layers or with standardize=True, or data of another shape.

    Example:
        >>> from zoo.recipes.centering import start_at_mean
        >>> model = zoo.create("k_sparse_autoencoder", (6,), latents=8, k=2)
        >>> x = 0.8 + 0.1 * np.random.default_rng(0).random((50, 6), np.float32)
        >>> start_at_mean(model, x)
        >>> mean = x.mean(axis=0, keepdims=True)
        >>> np.allclose(model.encode(mean), 0, atol=1e-5)
        True
        >>> np.allclose(model.reconstruct(mean), mean, atol=1e-5)
        True
    """
    if model.standardization is not None:
        raise ValueError(
            "start_at_mean is for data far from 0; the mean of standardized data is 0. Leave it out, or "
            "standardize=True."
        )
    if model.intake.missing:
        raise ValueError(
            "start_at_mean is for whole rows; a model with mask='nan' shows its encoder what is missing too. "
            "Leave it out."
        )
    bias = _bias(model)
    array = model.intake.values(x)
    total: Any = sum(
        array[start : start + _CHUNK].sum(axis=0, dtype=np.float64)
        for start in range(0, len(array), _CHUNK)
    )
    mean = (total / len(array)).reshape(-1)
    dense = model.bottleneck.dense
    bias.assign(mean)
    dense.bias.assign(-(mean @ dense.kernel.numpy()))


def _bias(model: Autoencoder) -> keras.Variable:
    """The bias of the decoder's only layer."""
    hidden, out = _weighted(model.encoder), _weighted(model.decoder)
    last: Any = out[0] if len(out) == 1 else None
    if isinstance(last, Tied):
        biases = last.biases
    else:
        linear = isinstance(last, keras.layers.Dense) and _is_linear(last)
        biases = [last.bias] if linear and last.use_bias else []
    links = _is_linear(model.likelihood) and model.bottleneck.dense.use_bias
    if hidden or len(biases) != 1 or not links:
        raise ValueError(
            "start_at_mean needs one layer from the input to the code and one linear layer back, both with "
            "a bias, and a likelihood whose mean is the decoder's output; received an encoder with "
            f"{len(hidden)} layers before the code, a decoder of {len(out)} layers and "
            f"{type(model.likelihood).__name__}. Leave hidden empty and use likelihood='squared_error' or "
            "another one without a link."
        )
    return biases[0]


def _is_linear(part: keras.layers.Layer) -> bool:
    return part.activation is keras.activations.linear


def _weighted(network: keras.Layer) -> list[keras.Layer]:
    return [la for la in network._flatten_layers() if not list(la._layers) and la.weights]
