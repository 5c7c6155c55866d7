"""A sparse code of x that predicts y."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.networks import Centred, Dictionary
from zoo.registry import register


@register("transcoder", kind="model")
def transcoder(
    input_shape: Sequence[int],
    target_shape: Sequence[int] | None = None,
    latents: int = 512,
    target_l0: float = 32,
    bottleneck: Any = None,
    skip: bool = False,
    aux: Any = 1 / 32,
    regularizers: Sequence[Any] = (),
    objective: Any = "explained_variance",
    seed: int = 0,
) -> Autoencoder:
    """Transcoder (Dunefsky et al., "Transcoders Find Interpretable LLM Feature Circuits", 2024, equation 5).

    Minimises

        ||y - y_hat||^2 / Var(y) + aux ||e - e_hat||^2 / Var(e),  y_hat = s sum_j f_j d_j + b + skip W c

    with f the k largest of relu(W^T (x - m) / s_x + b'), and atoms that begin at 0. `fit(x, y)` has the
    target as y. With `skip` the model is also given x as its condition, which the decoder reads beside the
    code: ``fit(x, {"target": y, "condition": x})`` (Paulo et al., "Transcoders Beat Sparse Autoencoders for
    Interpretability", 2025, section 3).

    Args:
        input_shape: (d,), shape of one x.
        target_shape: shape of one y; None for that of x.
        latents: atoms.
        target_l0: k, the active atoms of an example.
        bottleneck: another one than top-k: a name or a dict, its units are `latents`.
        skip: whether the target is also predicted linearly.
        aux: weight of the second chance of dead units, see the regularizer "aux_k".
        regularizers: further penalties.
        objective: see ``zoo.names("objective")``.
        seed: of the order of the data.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("transcoder", (6,), target_shape=(4,), latents=12, target_l0=3)
        >>> model.compile()
        >>> x = np.random.default_rng(0).normal(size=(64, 6)).astype("float32")
        >>> history = model.fit(x, np.maximum(x[:, :4], 0), verbose=0)
        >>> model.reconstruct(x).shape
        (64, 4)
    """
    target_shape = input_shape if target_shape is None else target_shape
    named = (
        {"name": "top_k", "k": target_l0, "activation": "relu"}
        if bottleneck is None
        else bottleneck
    )
    named = {"name": named} if isinstance(named, str) else named
    return Autoencoder(
        input_shape,
        encoder=Centred(learned=False),
        bottleneck={"units": latents, **named} if isinstance(named, dict) else named,
        decoder=Dictionary(
            target_shape, unit_norm=False, shared=False, skip=skip, kernel_initializer="zeros"
        ),
        likelihood="squared_error",
        objective=objective,
        regularizers=[{"name": "aux_k", "weight": aux}, *regularizers],
        target_shape=target_shape,
        condition=(math.prod(input_shape),) if skip else None,
        seed=seed,
    )
