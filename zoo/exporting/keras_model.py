"""A model's function as an ordinary Keras model, for functional graphs and transfer."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from zoo.exporting.unknown_rows import nan_for_unknown
from zoo.networks.tied import Tied
from zoo.registry import one_of
from zoo.serialization import serializable

if TYPE_CHECKING:
    from zoo.autoencoder import Autoencoder

FUNCTIONS = ("encode", "decode", "reconstruct")
DTYPES = ("float32", "uint8")
_OUTPUTS = {"encode": "codes", "decode": "reconstruction", "reconstruct": "reconstruction"}


@serializable
class ModelFunction(keras.layers.Layer):
    """One function of a model as a layer, which trains the networks that the function uses.

    Args:
        model: an `Autoencoder`, or the saved form of one.
        function: "encode", "decode" or "reconstruct".

    Raises:
        ValueError: for another function.
    """

    def __init__(self, model: Any, function: str, **kwargs: Any):
        super().__init__(**kwargs)
        if isinstance(model, dict):
            model = keras.saving.deserialize_keras_object(model)
        self.function = one_of(function, "function", FUNCTIONS)
        # Behind a function, where Keras does not find it: the rest of the model has no gradient here.
        self._model = lambda: model
        tied = isinstance(model.decoder, Tied)
        if function != "decode" or tied:
            self.encoder, self.bottleneck = model.encoder, model.bottleneck
        if function != "encode":
            self.decoder, self.likelihood = model.decoder, model.likelihood
        if model.standardization is not None:
            self.standardization = model.standardization
        self.built = True

    def call(self, inputs: Any) -> tf.Tensor:
        """Without noise and with the moving statistics as they are, in training too; NaN for NaN."""
        x, *condition = inputs if isinstance(inputs, list | tuple) else (inputs,)
        model = self._model()
        missing = model.intake.missing and self.function != "decode"
        found = x
        if self.function != "decode":
            found = model.encode_batch(x, *condition)
        if self.function != "encode":
            found = model.decode_batch(found, *condition)
        return nan_for_unknown(found, x, *condition, missing=missing)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        model = keras.saving.serialize_keras_object(self._model())
        return {**super().get_config(), "model": model, "function": self.function}


def as_keras(
    model: Autoencoder, function: str = "reconstruct", dtype: str | None = None
) -> keras.Model:
    """A function of a model as a functional Keras model that shares its weights.

    Args:
        model: a built model.
        function: "encode", x -> codes; "decode", z -> reconstruction; or "reconstruct", x -> reconstruction.
        dtype: of x. "float32", also for None, takes numbers as networks and likelihood see them: bytes that
            are divided already. "uint8" takes bytes and divides them as the model does; Keras cuts fractions
            off that are given to it.

    Returns:
        A model of inputs (batch, *event) or float32 codes (batch, *code); of [x, condition] where the model
        declares a condition. It trains, saves and stands in other functional models as any.

    Raises:
        ValueError: for another function or type, and for "uint8" where nothing says yet what the model
            divides bytes by.

    Warns:
        UserWarning: where the model divides the bytes that it is given and no type is named.

    Example:
        >>> from zoo.exporting.keras_model import as_keras
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,))
        >>> encoder = as_keras(model, "encode")
        >>> classifier = keras.Sequential([encoder, keras.layers.Dense(3)])
        >>> classifier(np.zeros((5, 6), "float32")).shape
        TensorShape([5, 3])
    """
    one_of(function, "function", FUNCTIONS)
    of_codes = function == "decode"
    shape = model.code_shape if of_codes else model.event_shape
    kind = "float32" if of_codes else _kind(model, dtype)
    inputs: Any = keras.Input(shape, dtype=kind, name="z" if of_codes else "x")
    if model.intake.condition is not None:
        example = model.intake.condition.example()
        parts = example if isinstance(example, dict) else {"condition": example}
        given = {
            name: keras.Input(value.shape[1:], dtype=str(value.dtype), name=name)
            for name, value in parts.items()
        }
        inputs = [inputs, given if isinstance(example, dict) else given["condition"]]
    layer = ModelFunction(model, function, name=_OUTPUTS[function])
    return keras.Model(inputs, layer(inputs), name=f"{model.name}_{function}")


def _kind(model: Autoencoder, dtype: str | None) -> str:
    """The type of x."""
    divisor = model.intake.scales["x"].divisor
    if dtype is None:
        if divisor not in (None, 1.0):
            warnings.warn(
                f"The model divides bytes by {divisor:g}; as a Keras model it takes numbers that are divided "
                "already. Give dtype='uint8' for a Keras model of bytes, dtype='float32' for this one.",
                stacklevel=4,
            )
        return "float32"
    if one_of(dtype, "dtype", DTYPES) == "uint8" and divisor is None:
        raise ValueError(
            "Nothing says yet what this model divides bytes by. Create it with scale=255 for pixels, with "
            "scale='none' for other numbers, or fit it first."
        )
    return dtype
