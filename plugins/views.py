"""Which models and strengths the views of a regularizer fit."""

from __future__ import annotations

import zoo


def check_view(strength: str, model: zoo.Autoencoder, name: str) -> None:
    """Refuse an unknown strength, and models of anything but pictures.

    Raises:
        ValueError: with what was expected and received.
    """
    zoo.networks.check_strength(strength, f"view of {name!r}")
    if len(model.event_shape) != 3:
        raise ValueError(
            f"The regularizer {name!r} moves and turns pictures and needs inputs of shape (height, width, "
            f"channels); the model's are {model.event_shape}."
        )
