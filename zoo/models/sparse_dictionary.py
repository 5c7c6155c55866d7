"""What all sparse dictionaries have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from zoo.autoencoder import Autoencoder
from zoo.networks import Centred, Dictionary
from zoo.registry import register


@register("sparse_dictionary", kind="model")
def sparse_dictionary(
    input_shape: Sequence[int],
    latents: int = 512,
    bottleneck: Any = "top_k",
    regularizers: Sequence[Any] = (),
    objective: Any = "explained_variance",
    unit_norm: bool = True,
    decoder: keras.Layer | None = None,
    seed: int = 0,
) -> Autoencoder:
    """A sparse code of any kind over a dictionary of atoms.

    Minimises

        ||x - x_hat||^2 / Var(x) + penalties,  x_hat = s sum_j f_j d_j + b,  f = the code of (x - b) / s

    b and s begin as mean and spread of the first batch, so that the same options serve activations of any
    norm; `zoo.recipes.dictionaries.start` takes them from all data. The encoder's kernel begins as the
    transposed atoms.

    Args:
        input_shape: (d,), or (places, d).
        latents: atoms.
        bottleneck: a name or a dict with "name" and options; its units are `latents`.
        regularizers: penalties of the code.
        objective: see ``zoo.names("objective")``.
        unit_norm: whether atoms have norm 1.
        decoder: a `zoo.networks.Dictionary`; None for one of norm `unit_norm`.
        seed: of the order of the data.

    Returns:
        A built model.

    Example:
        >>> both_signs = {"name": "top_k", "k": 2, "select": "magnitude"}
        >>> model = zoo.create("sparse_dictionary", (6,), latents=12, bottleneck=both_signs)
        >>> x = np.random.default_rng(0).normal(size=(20, 6)).astype("float32")
        >>> np.count_nonzero(model.encode(x), axis=1).tolist() == [2] * 20
        True
    """
    named = {"name": bottleneck} if isinstance(bottleneck, str) else bottleneck
    if isinstance(named, dict):
        named = {"units": latents, **named}
    return Autoencoder(
        input_shape,
        encoder=Centred(),
        bottleneck=named,
        decoder=decoder or Dictionary(input_shape, unit_norm=unit_norm),
        likelihood="squared_error",
        objective=objective,
        regularizers=regularizers,
        seed=seed,
    )


def held(target_l0: float, penalty: Any, **options: Any) -> dict[str, Any]:
    """The regularizer that holds a stated L0 by a penalty."""
    return {"name": "hold_l0", "target": target_l0, "penalty": penalty, **options}
