"""One line in place of a converter's traceback: which layer has no counterpart, and what to do."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

if TYPE_CHECKING:
    from zoo.autoencoder import Autoencoder

# Writes a function with a signature to a file and loads it back; raises where the format cannot hold it.
Trial = Callable[[Callable[..., Any], tuple[tf.TensorSpec, ...], Path], None]

# Activations that a format lacks -> the nearest that all have.
_NEAREST = {"gelu": "silu", "celu": "elu"}
_LONGEST = 160  # characters of a converter's own words
# Where ONNX Runtime, tf2onnx and LiteRT name the operation that they lack.
_OPERATIONS = (
    r'Node, \("[^"]*", (\w+)',
    r"Tensorflow op \[[^\]]*: (\w+)\] is not supported",
    r"'tf\.(\w+)' op",
    r'fused\["(\w+):',
)


def refusal(model: Autoencoder, format: str, error: Exception, attempt: Trial) -> ValueError:
    """The error that names the layer which a format cannot hold.

    The converter names an operation, deep within. So every layer is tried by itself; the first that fails
    in the same way is the one.

    Args:
        model: what was to be exported.
        format: the name of the format.
        error: what the converter or the runtime raised.
        attempt: exports a single function.

    Returns:
        A ValueError of one line.
    """
    for layer, function, signature in _layers(model):
        with tempfile.TemporaryDirectory() as folder:
            try:
                attempt(function, signature, Path(folder) / "layer")
            except Exception as found:  # a converter raises anything
                if _alike(found, error):
                    return ValueError(
                        f"The format {format!r} cannot hold the layer {_described(layer)}: "
                        f"{_reason(found)} {_remedy(layer)}{_elsewhere(format, ' or export')} Nothing was "
                        "exported."
                    )
    return ValueError(
        f"The format {format!r} cannot hold this model: {_reason(error)} No layer alone fails so"
        f"{_elsewhere(format, '; export')} Nothing was exported."
    )


def _elsewhere(format: str, words: str) -> str:
    """The format that holds nearly every layer, where it is another one."""
    return "." if format == "tf_saved_model" else f"{words} with format='tf_saved_model'."


def _layers(
    model: Autoencoder,
) -> Iterator[tuple[Any, Callable[..., Any], tuple[tf.TensorSpec, ...]]]:
    """The innermost layers whose inputs are known, each as a function with its signature."""
    for layer in model._flatten_layers(include_self=False):
        if getattr(layer, "layers", None) or isinstance(layer, keras.layers.InputLayer):
            continue
        try:
            inputs = layer.input
        except (AttributeError, ValueError):  # never called on a symbolic tensor
            continue
        flat = tf.nest.flatten(inputs)
        signature = tuple(
            tf.TensorSpec((None, *tensor.shape[1:]), tensor.dtype, name=f"input_{index}")
            for index, tensor in enumerate(flat)
        )
        yield layer, _function(layer, inputs, len(flat)), signature


def _function(layer: Any, inputs: Any, count: int) -> Callable[..., Any]:
    """The layer as a function of so many tensors, which carry the names of its signature."""
    if count == 1:
        return lambda input_0: layer(input_0)

    def call(*tensors: tf.Tensor) -> tf.Tensor:
        return layer(tf.nest.pack_sequence_as(inputs, tensors))

    return call


def _described(layer: Any) -> str:
    activation = _activation(layer)
    kind = type(layer).__name__ + (f", activation {activation}" if activation else "")
    return f"{layer.name!r} ({kind})"


def _activation(layer: Any) -> str:
    name = getattr(getattr(layer, "activation", None), "__name__", "")
    return "" if name == "linear" else name


def _remedy(layer: Any) -> str:
    activation = _activation(layer)
    if activation in _NEAREST:
        return f"Use activation={_NEAREST[activation]!r} there, which is near to it"
    recurrent = getattr(layer, "forward_layer", layer)  # within Bidirectional
    if getattr(recurrent, "unroll", None) is False:
        return "Build it with unroll=True"
    return "Use another layer there"


def _operation(error: Exception) -> str | None:
    """The operation that a converter or a runtime says it lacks."""
    found = (re.search(pattern, str(error)) for pattern in _OPERATIONS)
    return next((match[1] for match in found if match), None)


def _alike(first: Exception, second: Exception) -> bool:
    operation = _operation(second)
    return _operation(first) == operation if operation else type(first) is type(second)


def _reason(error: Exception) -> str:
    """The operation that is lacking, or the first words of the error, as a sentence on one line."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).strip() or type(error).__name__
    operation = _operation(error)
    if operation:
        return f"it lacks the operation {operation}."
    text = " ".join(text.split())
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST].rsplit(' ', 1)[0]} ..."
    return text if text.endswith((".", "...")) else f"{text}."
