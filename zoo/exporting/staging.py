"""A folder that appears at its place only when it is complete."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zoo.files import replacing

# What an export writes. A folder with anything else in it is the user's own and is never replaced.
INPUTS = "inputs.json"
# How a table is encoded; a run and the command line put it beside the export.
COLUMNS = "columns.json"
_OWN_NAMES = {"saved_model.pb", "fingerprint.pb", "variables", "assets", INPUTS, COLUMNS}
_OWN_SUFFIXES = {".onnx", ".tflite"}


@contextmanager
def staged(target: str | os.PathLike[str]) -> Iterator[Path]:
    """A new folder to write to, moved to `target` at the end unless an error is raised.

    Args:
        target: the folder to be; missing parents are made. An earlier export there is replaced.

    Yields:
        An empty folder.

    Raises:
        ValueError: where `target` cannot be written, or holds something that is not an export.

    Example:
        >>> import os
        >>> from zoo.exporting.staging import staged
        >>> with staged("exported") as folder:
        ...     _ = (folder / "encoder.onnx").write_bytes(b"...")
        ...     os.path.exists("exported")
        False
        >>> os.listdir("exported")
        ['encoder.onnx']
    """
    import tensorflow as tf

    try:
        place = Path(target).resolve()  # a link to a folder stays a link
        _check_free(place)
        with replacing(place) as folder:
            folder.mkdir()
            yield folder
    except (OSError, tf.errors.OpError) as error:
        reason = getattr(error, "strerror", None) or getattr(error, "message", None) or error
        raise ValueError(
            f"Cannot write the export to {str(target)!r}: {reason}. "
            "Name a folder in a place that can be written."
        ) from error


def _check_free(place: Path) -> None:
    """Raise unless `place` is free, an empty folder or an earlier export."""
    if not place.exists():
        return
    if not place.is_dir():
        raise ValueError(
            f"An export is a folder; {str(place)!r} is a file. Name another place, or remove it."
        )
    strange = sorted(
        path.name
        for path in place.iterdir()
        if path.name not in _OWN_NAMES and path.suffix not in _OWN_SUFFIXES
    )
    if strange:
        raise ValueError(
            f"The folder {str(place)!r} holds {strange[0]!r}, which is not part of an export, and is not "
            "replaced. Name a folder of its own for the export."
        )
