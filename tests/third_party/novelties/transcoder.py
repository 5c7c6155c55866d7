"""A transcoder: a sparse code of x that predicts y."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

import zoo


@zoo.register("transcoder", kind="model")
def transcoder(
    input_shape: Sequence[int],
    target_shape: Sequence[int] = (8,),
    latents: int = 32,
    k: Any = 8,
    seed: int = 0,
) -> zoo.Autoencoder:
    """Top-k transcoder (Dunefsky et al., "Transcoders Find Interpretable Feature Circuits", 2024).

    Minimises

        ||y - D z||^2,  z the k largest of W x + b

    Args:
        input_shape: (d,), shape of one x.
        target_shape: (e,), shape of one y.
        latents: atoms.
        k: active atoms.
        seed: of the order of the data.
    """
    return zoo.Autoencoder(
        input_shape,
        encoder=keras.layers.Identity(),
        bottleneck={"name": "top_k", "units": latents, "k": k},
        decoder=keras.layers.Dense(target_shape[0]),
        likelihood="squared_error",
        target_shape=target_shape,
        seed=seed,
    )
