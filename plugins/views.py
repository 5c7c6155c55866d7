"""Which models and strengths the views of a regularizer fit."""

from __future__ import annotations

import zoo


def check_view(strength: str, model: zoo.Autoencoder, name: str) -> None:
    """Refuse an unknown strength, and models of anything but pictures.

    Raises:
        ValueError: with what was expected and received.

    Example:
        >>> from zoo_plugins.views import check_view
        >>> model = zoo.create("autoencoder", (6,), latents=2, hidden=(4,))
        >>> check_view("weak", model, "consistency")
        Traceback (most recent call last):
            ...
        ValueError: The regularizer 'consistency' moves and turns pictures and needs inputs of shape ...
    """
    zoo.networks.check_strength(strength, f"view of {name!r}")
    if len(model.event_shape) != 3:
        raise ValueError(
            f"The regularizer {name!r} moves and turns pictures and needs inputs of shape (height, width, "
            f"channels); the model's are {model.event_shape}."
        )
