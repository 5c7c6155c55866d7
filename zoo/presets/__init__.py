"""Trained models that come with the package, by name, each with its card.

They are a few megabytes at most and lie in the wheel: a preset then needs no network and no account, and is
the very file whose error a test measures. Larger models belong on a hub, from where
`zoo.load_model("hf://user/name")` fetches them.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from zoo.registry import one_of

HOME = Path(__file__).parent


def names() -> list[str]:
    """The names of all presets.

    Example:
        >>> zoo.presets.names()
        ['cluster_mnist', 'laplace_digits']
    """
    return sorted(path.stem for path in HOME.glob("*.keras"))


def load_preset(name: str) -> Any:
    """A trained model, ready to use; `card` says what it is.

    Args:
        name: see `names`.

    Returns:
        A `zoo.Autoencoder`, or the Keras model that the card names.

    Raises:
        ValueError: for an unknown name, with the nearest known one.

    Example:
        >>> model = zoo.load_preset("laplace_digits")
        >>> model.encode(zoo.data.load("digits", "test")).shape
        (360, 10)
    """
    import keras

    one_of(name, "preset", names())
    for module in ("zoo.autoencoder", "zoo.recipes.fine_tuning"):  # classes that Keras must know
        importlib.import_module(module)
    return keras.saving.load_model(HOME / f"{name}.keras")


def card(name: str) -> str:
    """The card of a preset: what it is, how it was trained and what it reaches, as Markdown.

    Raises:
        ValueError: for an unknown name, with the nearest known one.

    Example:
        >>> print(zoo.presets.card("cluster_mnist").splitlines()[0])
        # cluster_mnist
    """
    one_of(name, "preset", names())
    return (HOME / f"{name}.md").read_text(encoding="utf-8")
