"""ONNX: the parts that draw nothing, a file each, for ONNX Runtime and all that reads its format."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from zoo.exporting.endpoints import DETERMINISTIC, deterministic

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
    tf2onnx = _extra("tf2onnx")
    _extra("onnxruntime")
    for name, endpoint in deterministic(model).items():
        function = tf.function(
            endpoint.function, input_signature=endpoint.signature, autograph=False
        )
        tf2onnx.convert.from_function(
            function, endpoint.signature, output_path=str(folder / f"{name}.onnx")
        )


def load(folder: Path) -> dict[str, Callable[..., Any]]:
    """The three parts as functions of arrays, run by ONNX Runtime, by the name of their endpoint."""
    runtime = _extra("onnxruntime")
    return {
        endpoint: partial(
            _run,
            runtime.InferenceSession(
                str(folder / f"{file}.onnx"), providers=["CPUExecutionProvider"]
            ),
        )
        for file, endpoint in DETERMINISTIC.items()
    }


def _run(session: Any, array: np.ndarray) -> np.ndarray:
    return session.run(None, {session.get_inputs()[0].name: array})[0]


def _extra(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(
            f"The export format 'onnx' needs {name}, which cannot be imported ({error}). Install it with: "
            "python -m pip install 'latent-zoo[onnx]'"
        ) from error
