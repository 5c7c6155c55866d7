"""Export a model for use where this library is not installed."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.exporting.staging import INPUTS, staged
from zoo.registry import one_of

if TYPE_CHECKING:
    from zoo.autoencoder import Autoencoder

# Name of a format -> its module, imported when the format is asked for.
FILES = {".onnx": "onnx", ".tflite": "litert"}  # ending of a single file -> its format
QUANTIZED = ("int8",)
FORMATS = {"tf_saved_model": "saved_model", "onnx": "onnx", "litert": "litert"}


def export(
    model: Autoencoder,
    filepath: str | os.PathLike[str],
    format: str = "tf_saved_model",
    check: Any = True,
    quantize: str | None = None,
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
    size is free. A row that holds NaN or infinity comes out as NaN, and changes no other row (where the model
    takes NaN for missing values, infinity alone does that). Draws from the posterior are left to the caller:
    scale * noise + loc. ONNX and LiteRT compute in float32 also where the model computes in mixed precision.
    Outputs are named `codes` and `reconstruction`, in the signatures of a SavedModel too (there the
    posterior's are `loc` and `scale`, and what is generated is `examples`).

    A `filepath` that ends in .onnx or .tflite is one file, x -> codes and reconstruction.

    The export is written beside `filepath`, loaded back, compared, and only then put in place, so that an
    export that stands there stays until the new one is complete.

    Args:
        model: a built model.
        filepath: the folder to write; an earlier export there is replaced, and nothing else is. Or the
            file, which is replaced.
        format: one of the three above.
        check: True to compare the export with the model on generated rows, an array (rows, *event) to
            compare on these, False not to compare. Every answer must agree to 1e-5 of the largest number
            of its row, or to 1e-5 where that is below 1.
        quantize: "int8" for a LiteRT export whose weights have 8 bits (layers of fewer than 1,024 weights
            stay as they are). Its answers differ from the model's: a warning says by how much on the rows of
            `check`, which should then be rows of the data. A `vae` of 256 hidden units on the digits went
            from 152 to 51 kB, its codes changed by 0.0015 of the largest and its pixels by 0.0005 (root
            mean square).

    Returns:
        The folder or the file.

    Raises:
        ValueError: for an unknown format or that of another ending, `quantize` with another format than
            LiteRT, a place that cannot be written or holds something else, rows that do not fit the model, a
            layer that the format cannot hold, or an export that disagrees with the model.
        ImportError: where the extra of the format is not installed.

    Example:
        >>> import tensorflow as tf
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,))
        >>> folder = zoo.exporting.export(model, "exported")
        >>> loaded = tf.saved_model.load(folder)
        >>> loaded.encode(np.zeros((3, 6), "float32")).shape
        TensorShape([3, 2])
    """
    of_file = FILES.get(Path(filepath).suffix, format)
    if format not in ("tf_saved_model", of_file):
        raise ValueError(
            f"A {Path(filepath).suffix} file is of the format {of_file!r}; received format={format!r}. "
            "Name a folder, or leave the format out."
        )
    format = of_file
    if quantize is not None:
        one_of(quantize, "quantization", QUANTIZED)
    if quantize is not None and format != "litert":
        raise ValueError(
            f"quantize={quantize!r} is for format='litert' or a .tflite file; received {format!r}."
        )
    module = FORMATS[one_of(format, "export format", sorted(FORMATS))]
    kind = importlib.import_module(f"zoo.exporting.{module}")
    from zoo.autoencoder.scales import unadapted
    from zoo.exporting.endpoints import in_float32
    from zoo.exporting.parity import compare, rows_to_compare, said_of_errors

    if said := unadapted(model):
        raise ValueError(said)
    rows = rows_to_compare(model, check)
    if not kind.MIXED_PRECISION:
        model = in_float32(model)
    if Path(filepath).suffix in FILES:
        return _export_file(model, Path(filepath), format, kind, rows, quantize)
    options = {} if quantize is None else {"quantize": quantize}
    with staged(filepath) as folder:
        with _told(model, format, kind):
            kind.write(model, folder, **options)
            (folder / INPUTS).write_text(json.dumps(_described(model), indent=1) + "\n")
            exported = kind.load(folder)
        if rows is not None and quantize is None:
            compare(model, exported, rows)
        elif rows is not None:
            _warn_of_quantization(said_of_errors(model, exported, rows))
    return Path(filepath)


def _warn_of_quantization(said: str) -> None:
    warnings.warn(f"The weights of the export have 8 bits. {said}", stacklevel=4)


@contextlib.contextmanager
def _told(model: Autoencoder, format: str, kind: Any) -> Iterator[None]:
    """Within it, what a converter raises becomes one line that names the layer."""
    import tensorflow as tf

    from zoo.exporting.refusal import refusal

    try:
        yield
    except (ImportError, OSError, tf.errors.OpError):  # not the model's fault
        raise
    except Exception as error:  # of the converter, or of the runtime that loads
        raise refusal(model, format, error, kind.attempt) from error


def _described(model: Autoencoder) -> dict[str, Any]:
    """What goes in, for whoever calls an exported function."""
    divisor = model.intake.scales["x"].divisor
    return {"x": {"shape": model.event_shape, "dtype": "float32", "bytes_divided_by": divisor}}


def _export_file(
    model: Autoencoder, path: Path, format: str, kind: Any, rows: Any, quantize: str | None
) -> Path:
    """Write x -> codes and reconstruction to one file, once it is seen to answer as the model does."""
    from zoo.exporting.endpoints import whole
    from zoo.exporting.parity import arguments_of, compare_endpoint, said_of_error
    from zoo.files import replacing

    endpoint = whole(model)
    try:
        with replacing(path) as temporary:
            with _told(model, format, kind):
                kind.write_file(endpoint, temporary, **({"quantize": quantize} if quantize else {}))
                exported = kind.load_file(temporary)
            if rows is not None:
                given = arguments_of(model, endpoint, rows)
                if quantize is None:
                    compare_endpoint("file", endpoint, exported, given)
                else:
                    _warn_of_quantization(said_of_error("file", endpoint, exported, given))
    except OSError as error:
        raise ValueError(
            f"Cannot write the export to {str(path)!r}: {error.strerror or error}. Name a file in a place "
            "that can be written."
        ) from error
    return path
