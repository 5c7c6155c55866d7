"""What a model has traced, and what tells that it is out of date."""

from __future__ import annotations

import inspect
import numbers
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras


class Traces:
    """The traced functions of a model, and the means of its terms by name.

    A plain object, which neither Keras nor TensorFlow looks into: a SavedModel would have to hold what its
    functions hold.

    Args:
        settings: of the model when they were traced, see `BlockSteps._settings`.
        means: the metrics.
        optimizers: the configuration of each optimizer when they were traced.
    """

    def __init__(
        self,
        settings: Any = None,
        means: dict[str, keras.metrics.Mean] | None = None,
        optimizers: Sequence[Mapping[str, Any]] = (),
    ):
        self.settings = settings
        self.optimizers = optimizers
        self.means = {} if means is None else means
        self.block: Any = None
        self.train: Any = None
        self.names: list[str] | None = None
        self._others: dict[str, Any] = {}

    def kept(self, name: str, make: Callable[[], Any]) -> Any:
        """What has a name and holds while no setting is changed, made where there is none yet."""
        if name not in self._others:
            self._others[name] = make()
        return self._others[name]


class Flags:
    """What may be set of a model's layers: whether they train, what they compute in, and by which numbers.

    A plain object, into which Keras does not look.
    """

    def __init__(self, model: keras.Model):
        self._layers = model._flatten_layers(include_self=False)
        self._settings = [(vars(layer), _settings_of(layer)) for layer in self._layers]
        self._variables = model.variables

    def values(self) -> list[Any]:
        """The flags as they stand; a layer that was quantized has another policy."""
        layers = [(layer.trainable, id(layer.dtype_policy)) for layer in self._layers]
        settings = [own[name] for own, names in self._settings for name in names]
        return [*layers, *settings, *(variable.trainable for variable in self._variables)]


def _settings_of(layer: keras.Layer) -> list[str]:
    """The settings of one of Keras's layers, as the rate of a dropout; a user's own may count its calls."""
    if not type(layer).__module__.startswith("keras.src.layers."):
        return []
    chosen = set(layer.get_config()) - {"name", "trainable", "dtype"}
    return [
        name
        for name, value in vars(layer).items()
        if name in chosen
        and (isinstance(value, numbers.Number | str | tuple | None) or inspect.isfunction(value))
    ]
