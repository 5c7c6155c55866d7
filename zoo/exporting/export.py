"""Export a model for use where this library is not installed."""

from __future__ import annotations

import importlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.exporting.staging import INPUTS, staged
from zoo.registry import one_of

if TYPE_CHECKING:
    from zoo.autoencoder import Autoencoder

# Name of a format -> its module, imported when the format is asked for.
FORMATS = {"tf_saved_model": "saved_model", "onnx": "onnx", "litert": "litert"}


def export(
    model: Autoencoder,
    filepath: str | os.PathLike[str],
    format: str = "tf_saved_model",
    check: Any = True,
) -> Path:
    """Write a folder with the model's functions, once they are seen to answer as the model does.

    Formats:

    - "tf_saved_model": one SavedModel with the endpoints `reconstruct` (also `serving_default`),
      `encode`, `decode`, `posterior` (loc and scale) where the code is drawn from a location-scale
      family, and `generate(n, seed)` where the model has a prior. It loads where only TensorFlow is
      installed.
    - "onnx": encoder.onnx, decoder.onnx and reconstruct.onnx; needs the extra ``latent-zoo[onnx]``.
    - "litert": encoder.tflite, decoder.tflite and reconstruct.tflite.

    Numbers go in as float32 as the model sees them, pictures in [0, 1]. The file inputs.json says the shape
    of one example, and what the caller divides bytes by (null where the model was never given any). The batch
    size is free. Draws from the posterior are left to the caller: scale * noise + loc. ONNX and LiteRT
    compute in float32 also where the model computes in mixed precision.

    The export is written beside `filepath`, loaded back, compared, and only then put in place, so that an
    export that stands there stays until the new one is complete.

    Args:
        model: a built model.
        filepath: the folder to write; an earlier export there is replaced, and nothing else is.
        format: one of the three above.
        check: True to compare the export with the model on generated rows, an array (rows, *event) to
            compare on these, False not to compare. Every answer must agree to 1e-5 of the largest number
            of its row, or to 1e-5 where that is below 1.

    Returns:
        The folder.

    Raises:
        ValueError: for an unknown format, a place that cannot be written or holds something else, rows
            that do not fit the model, a layer that the format cannot hold, or an export that disagrees
            with the model.
        ImportError: where the extra of the format is not installed.

    Example:
        >>> import tensorflow as tf
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,))
        >>> folder = zoo.exporting.export(model, "exported")
        >>> loaded = tf.saved_model.load(folder)
        >>> loaded.encode(np.zeros((3, 6), "float32")).shape
        TensorShape([3, 2])
    """
    module = FORMATS[one_of(format, "export format", sorted(FORMATS))]
    kind = importlib.import_module(f"zoo.exporting.{module}")
    import tensorflow as tf

    from zoo.exporting.endpoints import in_float32
    from zoo.exporting.parity import compare, rows_to_compare
    from zoo.exporting.refusal import refusal

    rows = rows_to_compare(model, check)
    if not kind.MIXED_PRECISION:
        model = in_float32(model)
    with staged(filepath) as folder:
        try:
            kind.write(model, folder)
            (folder / INPUTS).write_text(json.dumps(_described(model), indent=1) + "\n")
            exported = kind.load(folder)
        except (ImportError, OSError, tf.errors.OpError):  # not the model's fault
            raise
        except Exception as error:  # of the converter, or of the runtime that loads
            raise refusal(model, format, error, kind.attempt) from error
        if rows is not None:
            compare(model, exported, rows)
    return Path(filepath)


def _described(model: Autoencoder) -> dict[str, Any]:
    """What goes in, for whoever calls an exported function."""
    divisor = model.intake.scales["x"].divisor
    return {"x": {"shape": model.event_shape, "dtype": "float32", "bytes_divided_by": divisor}}
