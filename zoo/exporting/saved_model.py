"""TensorFlow's SavedModel: every endpoint in one folder, read by TensorFlow alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from zoo.exporting.endpoints import OUTPUTS, Endpoint, endpoints
from zoo.trainer.slices import in_slices

if TYPE_CHECKING:
    from zoo.autoencoder import Autoencoder

MIXED_PRECISION = True
# First arguments of the endpoints that treat rows by themselves.
ROWS = ("x", "z")
SERVED = "serving_default"


def write(model: Autoencoder, folder: Path) -> None:
    """Write a SavedModel of all endpoints; the first, `reconstruct`, is `serving_default` too.

    Args:
        model: a built model.
        folder: an empty folder.
    """
    slices = model.slices_in_use
    named = {
        name: endpoint._replace(function=in_slices(endpoint.function, slices))
        if endpoint.signature[0].name in ROWS
        else endpoint
        for name, endpoint in endpoints(model).items()
    }
    tables = [getattr(layer, "lookup_table", None) for layer in model._flatten_layers()]
    write_endpoints(named, folder, [table for table in tables if table is not None])


def write_endpoints(
    named: Mapping[str, Endpoint], folder: Path, tables: Iterable[Any] = ()
) -> None:
    """Write a SavedModel of these endpoints, the variables that they use, and these tables.

    Loaded, an endpoint is a function that gives what the model gives; its signature of the same name, which
    a server calls, gives a dict under the names of `OUTPUTS`. The first is `serving_default` too.

    Args:
        named: the endpoints by name.
        folder: an empty folder.
        tables: of Keras's lookups, which are no variables.
    """
    module: Any = tf.Module()
    signatures, variables = {}, {}
    for name, endpoint in named.items():
        given = list(endpoint.signature)
        function: Any = tf.function(endpoint.function, input_signature=given, autograph=False)
        traced = function.get_concrete_function()
        variables |= {id(variable): variable for variable in traced.variables}
        setattr(module, name, function)
        if not isinstance(traced.structured_outputs, dict):
            by_name = _under(OUTPUTS.get(name, name), function)
            traced = tf.function(
                by_name, input_signature=given, autograph=False
            ).get_concrete_function()
        signatures[name] = traced
        signatures.setdefault(SERVED, traced)
    module.held = [*variables.values(), *tables]
    tf.saved_model.save(module, str(folder), signatures)


def _under(output: str, function: Callable[..., Any]) -> Callable[..., dict[str, tf.Tensor]]:
    def by_name(*given: Any) -> dict[str, tf.Tensor]:
        return {output: function(*given)}

    return by_name


def attempt(function: Callable[..., Any], signature: tuple[tf.TensorSpec, ...], path: Path) -> None:
    """Write a function to a folder and load it."""
    write_endpoints({"layer": Endpoint(function, signature, function)}, path)
    tf.saved_model.load(str(path))


def load(folder: Path) -> dict[str, Callable[..., Any]]:
    """The endpoints of a SavedModel as functions of arrays."""
    loaded = tf.saved_model.load(str(folder))
    names = [name for name in loaded.signatures if name != SERVED]
    # Each holds on to the whole, whose variables would else be gone.
    return {name: partial(_call, loaded, name) for name in names}


def _call(loaded: Any, name: str, *arguments: Any) -> Any:
    return getattr(loaded, name)(*arguments)
