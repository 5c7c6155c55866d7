"""Checkpoint files: arrays and a description in one file that shows whether it is whole.

A file is an uncompressed NumPy archive (`numpy.load` reads it, without pickle) followed by the SHA-256 of
all bytes before, in hexadecimal. A description is JSON.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from zoo.files import discard, replacing_file

FORMAT = 1
_KEPT = 2
_NAME = re.compile(r"epoch-(\d+)\.npz")
_DIGEST_BYTES = 64
_CHUNK = 1 << 20


class Checkpoint(NamedTuple):
    """What a file holds.

    Attributes:
        arrays: name -> array.
        description: whatever JSON can hold.
    """

    arrays: dict[str, np.ndarray]
    description: dict[str, Any]


class DamagedCheckpointError(ValueError):
    """A file that is not a whole checkpoint."""


class CheckpointFolder:
    """The newest checkpoints of a run, one file for an epoch; the one before the newest is kept.

    Args:
        folder: made when the first checkpoint is written.
    """

    def __init__(self, folder: str | os.PathLike[str]):
        self.folder = Path(folder)

    def epochs(self) -> list[int]:
        """The epochs that there are files of, newest first."""
        entries = self.folder.iterdir() if self.folder.is_dir() else ()
        found = (_NAME.fullmatch(entry.name) for entry in entries)
        return sorted((int(match[1]) for match in found if match), reverse=True)

    def path(self, epoch: int) -> Path:
        """The file of an epoch."""
        return self.folder / f"epoch-{epoch:06d}.npz"

    def save(self, epoch: int, checkpoint: Checkpoint) -> None:
        """Write the checkpoint of an epoch, then drop all but the newest two.

        Raises:
            ValueError: where it cannot be written; those before are intact.
        """
        with replacing_file(self.path(epoch)) as file:
            write(file, checkpoint)
        for old in self.epochs()[_KEPT:]:
            discard(self.path(old))

    def load(self) -> Checkpoint | None:
        """The newest whole checkpoint, None where there is none at all.

        A damaged one is passed over with a warning.

        Raises:
            ValueError: where there are checkpoints, and none is whole.
        """
        epochs = self.epochs()
        for epoch in epochs:
            try:
                return read(self.path(epoch))
            except DamagedCheckpointError as error:
                warnings.warn(f"{error} Trying the one before.", stacklevel=2)
        if epochs:
            raise ValueError(
                f"No checkpoint in {str(self.folder)!r} is whole. Delete the folder to begin anew."
            )
        return None


def write(file: BinaryIO, checkpoint: Checkpoint) -> None:
    """Write a checkpoint into a file that is open for writing.

    Types that NumPy's format does not know, such as bfloat16, are written as bytes.
    """
    types = {name: str(array.dtype) for name, array in checkpoint.arrays.items()}
    description = {
        "format": FORMAT,
        "types": types,
        "shapes": {name: list(array.shape) for name, array in checkpoint.arrays.items()},
        "description": checkpoint.description,
    }
    entries: dict[str, Any] = {"json": np.frombuffer(json.dumps(description).encode(), np.uint8)}
    for name, array in checkpoint.arrays.items():
        entries[f"array {name}"] = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    stream = _Hashing(file)
    np.savez(stream, **entries)
    file.write(stream.digest.hexdigest().encode())


def read(path: str | os.PathLike[str]) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        DamagedCheckpointError: where the file is truncated, changed or no checkpoint.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            if not _whole(file):
                raise DamagedCheckpointError(
                    f"The checkpoint {str(path)!r} is damaged: its checksum does not fit."
                )
            file.seek(0)
            return _content(file)
    except OSError as error:
        raise DamagedCheckpointError(
            f"The checkpoint {str(path)!r} cannot be read: {error.strerror or error}."
        ) from error
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        if isinstance(error, DamagedCheckpointError):
            raise
        raise DamagedCheckpointError(
            f"{str(path)!r} is not a checkpoint of this format: {error}"
        ) from error


def _content(file: BinaryIO) -> Checkpoint:
    with np.load(file, allow_pickle=False) as archive:
        content = json.loads(archive["json"].tobytes())
        if content["format"] != FORMAT:
            raise ValueError(f"its format is {content['format']}, and this version reads {FORMAT}")
        arrays = {
            name: archive[f"array {name}"].view(_dtype(kind)).reshape(content["shapes"][name])
            for name, kind in content["types"].items()
        }
        return Checkpoint(arrays, content["description"])


class _Hashing:
    """A file to which an archive is written front to back; keeps the hash of what was written."""

    def __init__(self, file: BinaryIO):
        self._file = file
        self.digest = hashlib.sha256()

    def write(self, content: Any) -> int:
        self.digest.update(content)
        return self._file.write(content)

    def flush(self) -> None:
        self._file.flush()

    def read(self, *_: Any) -> bytes:
        """There, because NumPy tells a file from a path by it."""
        raise OSError("The file is open for writing only.")


def _whole(file: BinaryIO) -> bool:
    left = file.seek(0, os.SEEK_END) - _DIGEST_BYTES
    file.seek(0)
    digest = hashlib.sha256()
    while left > 0 and (chunk := file.read(min(left, _CHUNK))):
        digest.update(chunk)
        left -= len(chunk)
    return left == 0 and file.read() == digest.hexdigest().encode()


def _dtype(name: str) -> np.dtype:
    try:
        return np.dtype(name)
    except TypeError:
        import ml_dtypes

        return np.dtype(getattr(ml_dtypes, name))


def nested_arrays(value: Any, arrays: dict[str, np.ndarray], name: str) -> Any:
    """`value` for a description, its arrays moved to `arrays`; the inverse of `with_arrays`.

    Args:
        value: nested dicts, lists, tuples and plain values, with arrays among them.
        arrays: is added to.
        name: what the names of the arrays begin with.

    Returns:
        The same nest, of what JSON holds.
    """
    if isinstance(value, np.ndarray):
        arrays[name] = value
        return {"array": name}
    if isinstance(value, np.generic):
        arrays[name] = np.asarray(value)
        return {"scalar": name}
    if isinstance(value, Mapping):
        return {"dict": {k: nested_arrays(v, arrays, f"{name}/{k}") for k, v in value.items()}}
    if isinstance(value, list | tuple):
        return [nested_arrays(item, arrays, f"{name}/{i}") for i, item in enumerate(value)]
    return value


def with_arrays(value: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """The inverse of `nested_arrays`; tuples come back as lists."""
    if isinstance(value, Mapping):
        if "array" in value:
            return arrays[value["array"]]
        if "scalar" in value:
            return arrays[value["scalar"]][()]
        return {key: with_arrays(item, arrays) for key, item in value["dict"].items()}
    if isinstance(value, list):
        return [with_arrays(item, arrays) for item in value]
    return value
