"""What the parts of a model have in common: bottlenecks, priors, likelihoods, regularizers, objectives."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from zoo.registry import option_names

if TYPE_CHECKING:
    from zoo.autoencoder import Autoencoder


class Untracked:
    """Holds layers of others without Keras counting their weights among those of the holder.

    Args:
        value: a layer, a model, or several.

    Example:
        >>> from zoo.parts import Untracked
        >>> layer = keras.layers.Identity()
        >>> layer.beside = Untracked(keras.layers.Dense(2))
        >>> layer.beside.value.build((None, 3))
        >>> len(layer.weights)
        0
    """

    def __init__(self, value: Any):
        self.value = value


class Part(keras.layers.Layer):
    """A part of an `Autoencoder`.

    A model builds its parts, then calls `check` of each. A public attribute of a part acts whenever it is
    set: the model traces its step anew. (A schedule or a `keras.Variable` changes without a new trace; what
    the part itself sets while it is computed is no setting.) An option of the constructor is checked as it
    was there; one that decided what was built is refused.

    Attributes:
        fixed: the options that decide what is built, such as a number of units. A subclass names its own;
            those of its bases stay.
        sees_model: whether the part asks for its model; `model` is then there from `build` on. Most parts
            need none: what a pass gave reaches them as a `ForwardPass`.
        changes: how often a public attribute was set.
        row_wise: whether what the part gives for a row depends on no other row, but for what `zoo.gather`
            brings together; a training step may then compute a batch in slices, one on each core. A class
            says it for itself and not for its subclasses; None for one that does not say: True for the
            zoo's own.

    Example:
        >>> from zoo.parts import Part
        >>> issubclass(zoo.Regularizer, Part), issubclass(zoo.distributions.Prior, Part)
        (True, True)
        >>> term = zoo.get("l1", weight=0.1)
        >>> before = term.changes
        >>> term.weight = 0.2  # acts on a model that is trained already
        >>> term.changes - before
        1
    """

    fixed: tuple[str, ...] = ("name",)
    sees_model = False
    changes = 0
    row_wise: bool | None = None

    @property
    def model(self) -> Autoencoder:
        """The model that the part belongs to.

        Raises:
            AttributeError: where the part has none, or did not ask for it by `sees_model`.
        """
        seen = self.__dict__.get("_seen")
        if seen is None:
            raise AttributeError(
                f"{type(self).__name__} sees no model: set sees_model = True in the class, and make it part "
                "of an Autoencoder."
            )
        return seen.value

    @property
    def output_shape(self) -> tuple[int | None, ...]:
        """What a model's summary shows: () for a term of the loss, else the shape of what the part gives."""
        return self.__dict__.get("_output_shape", ())

    def shown_as(self, shape: tuple[int, ...]) -> None:
        """Remember the shape of what the part gives for one example, for summaries."""
        self.__dict__["_output_shape"] = (None, *shape)

    def see(self, model: Autoencoder) -> None:
        """Remember the model, where the part asks for it.

        Raises:
            ValueError: where it belongs to another one.
        """
        if not self.sees_model:
            return
        seen = self.__dict__.get("_seen")
        if seen is not None and seen.value is not model:
            raise ValueError(
                f"{type(self).__name__} {self.name!r} belongs to another model already: give every model "
                "one of its own."
            )
        self._seen = Untracked(model)

    def check(self, model: Autoencoder) -> None:
        """Raise ValueError where the part cannot work with `model`.

        Called when all is built, and again where a setting was changed.
        """

    def check_config(self) -> None:
        """Raise ValueError where `get_config` and the constructor do not fit each other.

        A model that is saved, copied or given a fitted prior would else come back with the defaults, or not
        at all.
        """
        owner = next(cls for cls in type(self).__mro__ if "__init__" in vars(cls))
        if owner.__module__.partition(".")[0] in ("zoo", "keras"):
            return
        taken = list(inspect.signature(owner.__init__).parameters.values())[1:]
        named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
        options = [p.name for p in taken if p.kind in named]
        config = self.get_config()
        if left_out := [name for name in options if name not in config]:
            pairs = ", ".join(f'"{name}": self.{name}' for name in left_out)
            raise ValueError(
                f"get_config of {owner.__name__} leaves out {', '.join(left_out)}, which its constructor "
                "takes and a saved model would lose. Add a method: def get_config(self): return "
                f"{{**super().get_config(), {pairs}}}"
            )
        unknown = sorted(config.keys() - set(options))
        if unknown and all(p.kind is not p.VAR_KEYWORD for p in taken):
            raise ValueError(
                f"get_config of {owner.__name__} gives {', '.join(unknown)}, which its constructor does not "
                "take, so that a saved model could not be loaded. Let it take **kwargs, and pass them to "
                "super().__init__."
            )

    def settle(self) -> None:
        """From now on options are checked where they are set; the model calls it when all is built."""
        self.__dict__["_settled"] = True

    def checked_option(self, name: str, value: Any) -> Any:
        """A new value of an option of a part in use, as its constructor takes it.

        Args:
            name: of the option.
            value: the new one.

        Returns:
            The value that the attribute is set to.

        Raises:
            ValueError: where the constructor refuses it, or the option decided what was built.
        """
        fixed = {each for cls in type(self).__mro__ for each in vars(cls).get("fixed", ())}
        if name in fixed or not hasattr(self, name):
            raise ValueError(
                f"{name} of {self.name!r} is chosen when a {type(self).__name__} is made; received a new one "
                "later. Create a new model with it."
            )
        twin = type(self)(**{**self.get_config(), name: value})
        return getattr(twin, name)

    def __dir__(self) -> list[str]:
        # Keras saves and loads what it finds by `dir`, and the model is not part of its part.
        return [name for name in super().__dir__() if name != "model"]

    def __setattr__(self, name: str, value: Any) -> None:
        if self.__dict__.get("_settled") and name in option_names(type(self)) | {"name"}:
            value = self.checked_option(name, value)
        if getattr(value, "is_setting", False):
            # Keras would count it among the weights, and train it.
            object.__setattr__(self, name, value)
        else:
            super().__setattr__(name, value)
        if not name.startswith("_") and name != "built" and not tf.inside_function():
            self.__dict__["changes"] = self.changes + 1
