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

from zoo.exporting.endpoints import DETERMINISTIC, Endpoint, deterministic
from zoo.exporting.saved_model import write_endpoints

if TYPE_CHECKING:
    from zoo.autoencoder import Autoencoder

# Its built-in operations know no bfloat16.
MIXED_PRECISION = False


def write(model: Autoencoder, folder: Path) -> None:
    """Write encoder.tflite, decoder.tflite and reconstruct.tflite, of built-in operations only.

    Args:
        model: a built model that computes in float32.
        folder: an empty folder.

    Example:
        >>> import os
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,))
        >>> folder = zoo.exporting.export(model, "exported", format="litert")
        >>> sorted(os.listdir(folder))
        ['decoder.tflite', 'encoder.tflite', 'inputs.json', 'reconstruct.tflite']
    """
    parts = deterministic(model)
    for name, converted in _converted(parts).items():
        (folder / f"{name}.tflite").write_bytes(converted)


def write_file(endpoint: Endpoint, path: Path) -> None:
    """Write one function to one file."""
    path.write_bytes(_converted({"file": endpoint})["file"])


def load_file(path: Path) -> Callable[..., dict[str, np.ndarray]]:
    """The function of a file: output name -> array."""
    runner = _runner(path)
    (name,) = runner.get_input_details()
    return lambda array: dict(runner(**{name: array}))


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


def _converted(named: Mapping[str, Endpoint]) -> dict[str, bytes]:
    """The file of each endpoint, with its weights.

    By way of a SavedModel, which is loaded once: without it the weights of a function would be left out.
    """
    with tempfile.TemporaryDirectory() as source:
        write_endpoints(named, Path(source))
        loaded: Any = tf.saved_model.load(source)
        return {
            name: tf.lite.TFLiteConverter.from_concrete_functions(
                [loaded.signatures[name]], loaded
            ).convert()
            for name in named
        }


def _runner(path: Path) -> Any:
    with warnings.catch_warnings():
        # TensorFlow announces that the interpreter moves to a package of its own.
        warnings.filterwarnings("ignore", r"\s*Warning: tf.lite.Interpreter", UserWarning)
        interpreter = tf.lite.Interpreter(model_path=str(path))
    return interpreter.get_signature_runner()


def _run(runner: Any, array: np.ndarray) -> np.ndarray:
    (name,) = runner.get_input_details()
    (answer,) = runner(**{name: array}).values()
    return answer
