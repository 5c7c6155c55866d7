"""LiteRT, once TensorFlow Lite: the parts that draw nothing, a file each, for telephones and small boards."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from zoo.exporting.endpoints import DETERMINISTIC, Endpoint, deterministic, named_inputs
from zoo.exporting.saved_model import write_endpoints

if TYPE_CHECKING:
    from zoo.autoencoder import Autoencoder

# Its built-in operations know no bfloat16.
MIXED_PRECISION = False


def write(model: Autoencoder, folder: Path, quantize: str | None = None) -> None:
    """Write encoder.tflite, decoder.tflite and reconstruct.tflite, of built-in operations only.

    Args:
        model: a built model that computes in float32.
        folder: an empty folder.
        quantize: "int8" for weights of 8 bits.

    Example:
        >>> import os
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,))
        >>> folder = zoo.exporting.export(model, "exported", format="litert")
        >>> sorted(os.listdir(folder))
        ['decoder.tflite', 'encoder.tflite', 'inputs.json', 'reconstruct.tflite']
    """
    parts = deterministic(model)
    for name, converted in _converted(parts, quantize).items():
        (folder / f"{name}.tflite").write_bytes(converted)


def write_file(endpoint: Endpoint, path: Path, quantize: str | None = None) -> None:
    """Write one function to one file."""
    path.write_bytes(_converted({"file": endpoint}, quantize)["file"])


def load_file(path: Path) -> Callable[..., dict[str, np.ndarray]]:
    """The function of a file: output name -> array."""
    runner = _runner(path)
    names = list(runner.get_input_details())
    return lambda *given: dict(runner(**named_inputs(names, given)))


def attempt(function: Callable[..., Any], signature: tuple[tf.TensorSpec, ...], path: Path) -> None:
    """Write a function to a file and load it; raises where LiteRT lacks an operation."""
    write_file(Endpoint(function, signature, function), path)
    _runner(path)


def load(folder: Path) -> dict[str, Callable[..., Any]]:
    """The three parts as functions of arrays, run by the interpreter, by the name of their endpoint."""
    return {
        endpoint: partial(_run, _runner(folder / f"{file}.tflite"))
        for file, endpoint in DETERMINISTIC.items()
    }


def _converted(named: Mapping[str, Endpoint], quantize: str | None) -> dict[str, bytes]:
    """The file of each endpoint, with its weights.

    By way of a SavedModel, which is loaded once: without it the weights of a function would be left out.
    With weights of 8 bits the numbers between the layers are rounded as they come, row by row, and what
    stands between them stays float32: were these numbers of 8 bits as well, none of them could be NaN, and a
    row that holds NaN would get an answer.
    """
    with tempfile.TemporaryDirectory() as source:
        write_endpoints(named, Path(source))
        loaded: Any = tf.saved_model.load(source)
        found = {}
        for name in named:
            signature = loaded.signatures[name]
            converter: Any = tf.lite.TFLiteConverter.from_concrete_functions([signature], loaded)
            if quantize is not None:
                converter.optimizations = [tf.lite.Optimize.DEFAULT]
            found[name] = converter.convert()
        return found


def _runner(path: Path) -> Any:
    with warnings.catch_warnings():
        # TensorFlow announces that the interpreter moves to a package of its own.
        warnings.filterwarnings("ignore", r"\s*Warning: tf.lite.Interpreter", UserWarning)
        interpreter = tf.lite.Interpreter(model_path=str(path))
    return interpreter.get_signature_runner()


def _run(runner: Any, *given: Any) -> np.ndarray:
    (answer,) = runner(**named_inputs(list(runner.get_input_details()), given)).values()
    return answer
