"""ONNX: the parts that draw nothing, a file each, for ONNX Runtime and all that reads its format."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from zoo.exporting.endpoints import DETERMINISTIC, Endpoint, deterministic, named_inputs

if TYPE_CHECKING:
    from zoo.autoencoder import Autoencoder

# Its runtime has no kernels for bfloat16 on most processors.
MIXED_PRECISION = False


def write(model: Autoencoder, folder: Path) -> None:
    """Write encoder.onnx, decoder.onnx and reconstruct.onnx.

    Args:
        model: a built model that computes in float32.
        folder: an empty folder.

    Raises:
        ImportError: where the extra is not installed, with the command that installs it.
    """
    _extra("tf2onnx")
    _extra("onnxruntime")
    for name, endpoint in deterministic(model).items():
        _write_function(endpoint.function, endpoint.signature, folder / f"{name}.onnx")


def write_file(endpoint: Endpoint, path: Path) -> None:
    """Write one function to one file."""
    _extra("tf2onnx")
    _extra("onnxruntime")
    _write_function(endpoint.function, endpoint.signature, path)


def load_file(path: Path) -> Callable[..., dict[str, np.ndarray]]:
    """The function of a file: output name -> array."""
    session = _session(path)
    names = [output.name for output in session.get_outputs()]

    def run(*given: Any) -> dict[str, np.ndarray]:
        return dict(zip(names, session.run(names, _fed(session, given)), strict=True))

    return run


def attempt(function: Callable[..., Any], signature: tuple[tf.TensorSpec, ...], path: Path) -> None:
    """Write a function to a file and load it; raises where ONNX or its runtime lacks an operation."""
    _write_function(function, signature, path)
    _session(path)


def load(folder: Path) -> dict[str, Callable[..., Any]]:
    """The three parts as functions of arrays, run by ONNX Runtime, by the name of their endpoint."""
    return {
        endpoint: partial(_run, _session(folder / f"{file}.onnx"))
        for file, endpoint in DETERMINISTIC.items()
    }


def _write_function(
    function: Callable[..., Any], signature: tuple[tf.TensorSpec, ...], path: Path
) -> None:
    graph = tf.function(function, input_signature=signature, autograph=False)
    convert = _extra("tf2onnx").convert.from_function
    made, _ = convert(graph, signature, output_path=str(path))
    if len(made.graph.input) > len(tf.nest.flatten(signature)):
        raise ValueError("the converter takes its constants for inputs.")


def _session(path: Path) -> Any:
    return _extra("onnxruntime").InferenceSession(str(path), providers=["CPUExecutionProvider"])


def _run(session: Any, *given: Any) -> np.ndarray:
    return session.run(None, _fed(session, given))[0]


def _fed(session: Any, given: tuple[Any, ...]) -> dict[str, np.ndarray]:
    """The inputs by name: x or z, and the condition, whose parts go by their names."""
    names = [each.name for each in session.get_inputs()]
    return named_inputs(names, given)


def _extra(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(
            f"The export format 'onnx' needs {name}, which cannot be imported ({error}). Install it with: "
            "python -m pip install 'latent-zoo[onnx]'"
        ) from error
