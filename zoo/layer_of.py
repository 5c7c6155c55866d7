"""One layer of a network, by its name or as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zoo.registry import one_of

if TYPE_CHECKING:
    import keras


def layer_of(model: keras.Model, layer: str | keras.Layer) -> keras.Layer:
    """A layer of a Keras model, those of its sub-models included.

    Args:
        model: any Keras model.
        layer: the layer's name, or the layer itself where several have one name.

    Returns:
        The layer.

    Raises:
        ValueError: for a name that no layer has or several have, and for a layer of another model.

    Example:
        >>> from zoo.layer_of import layer_of
        >>> network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(6, name="middle")])
        >>> layer_of(network, "middle") is network.layers[0]
        True
    """
    every: dict[int, Any] = {id(each): each for each in model._flatten_layers()}
    del every[id(model)]
    if not isinstance(layer, str):
        if id(layer) not in every:
            raise ValueError(
                f"layer must be the name of a layer of {model.name!r}, or one of its layers; received "
                f"{layer!r}."
            )
        return layer
    named = [each for each in every.values() if each.name == layer]
    if len(named) > 1:
        raise ValueError(
            f"{len(named)} layers of {model.name!r} have the name {layer!r}. Pass the layer itself, for "
            f"example layer=model.get_layer('encoder').get_layer({layer!r})."
        )
    one_of(layer, "layer", [each.name for each in every.values()])
    return named[0]
