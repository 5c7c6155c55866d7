"""Regularizers from whatever a user hands over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from zoo.regularizers.base import Regularizer
from zoo.regularizers.keras_regularizer import KerasRegularizer
from zoo.serialization import part


def resolve(identifiers: Any) -> list[Regularizer]:
    """The regularizers of a model, with names that differ.

    Args:
        identifiers: None, one regularizer or a sequence of them, each a name, a dict with "name" and
            options, a Keras regularizer (acts on the code), or a `Regularizer`.

    Returns:
        A list of regularizers; a second one of the same name gets a number.

    Raises:
        ValueError: for anything else.

    Example:
        >>> from zoo.regularizers import resolve
        >>> found = resolve(["kl", {"name": "l1", "weight": 0.1}, keras.regularizers.L2(0.5)])
        >>> [(term.name, term.weight) for term in found]
        [('kl', 1.0), ('l1', 0.1), ('l2', 1.0)]
    """
    if identifiers is None:
        return []
    if isinstance(identifiers, str | dict) or not isinstance(identifiers, Sequence):
        identifiers = [identifiers]
    found = [_one(identifier) for identifier in identifiers]
    taken = {"loss", "reconstruction"}
    for regularizer in found:
        base, number = regularizer.name, 2
        while regularizer.name in taken:
            regularizer.name = f"{base}_{number}"
            number += 1
        taken.add(regularizer.name)
    return found


def _one(identifier: Any) -> Regularizer:
    if isinstance(identifier, keras.regularizers.Regularizer):
        return KerasRegularizer(identifier)
    if isinstance(identifier, type) and issubclass(identifier, keras.regularizers.Regularizer):
        return KerasRegularizer(identifier())
    made = part(identifier, "regularizer", Regularizer)
    return KerasRegularizer(made) if isinstance(made, keras.regularizers.Regularizer) else made
