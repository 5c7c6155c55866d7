"""Writes that a kill at any moment cannot spoil: the old file stays, or the new one is there."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

# What is being written carries this suffix and a leading dot until it is complete.
PART = ".part"
_OLD = ".old"


@contextmanager
def replacing(
    path: str | os.PathLike[str],
    hint: str = "Free some space, or name a folder that can be written.",
) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when the block ends without an error.

    The block writes a file or makes a folder there. A file is flushed to the disk before it takes the
    old one's place. A folder cannot replace another in one step: the old one is renamed first, and
    `recover` brings it back where a kill came in between. Processes that write to the same path do not
    disturb each other; the last one to end decides.

    Args:
        path: the file or folder to write; its parent is made where it is missing.
        hint: what to do where it cannot be written.

    Yields:
        The temporary path, with the same suffix as `path`.

    Raises:
        ValueError: where the disk is full or the folder cannot be written; the old file is intact.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{PART}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        discard(temporary)
        yield temporary
        if temporary.is_dir():
            _replace_folder(temporary, path)
        else:
            _synchronise(temporary)
            temporary.replace(path)
        _synchronise(path.parent)
    except OSError as error:
        if isinstance(error, IsADirectoryError) and path.is_dir():
            hint = "Name a file."
        raise ValueError(
            f"Cannot write {str(path)!r}: {error.strerror or error}. {hint}"
        ) from error
    finally:
        with suppress(OSError):
            discard(temporary)


@contextmanager
def replacing_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """`replacing`, with the file opened for writing bytes."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        yield file


def write_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """Replace a file by these bytes."""
    with replacing_file(path) as file:
        file.write(content)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Replace a file by a text in UTF-8."""
    write_bytes(path, text.encode())


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Replace a file by a value as JSON, readable by people."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_json(path: str | os.PathLike[str], what: str) -> dict[str, Any]:
    """A JSON object from a file.

    Args:
        path: the file.
        what: what an error calls it.

    Returns:
        The object as a dict.

    Raises:
        ValueError: where the file is missing, cannot be read, or does not hold a JSON object.
    """
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"Cannot read {what} {str(path)!r}: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{what} {str(path)!r} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ValueError(f"{what} {str(path)!r} must hold a JSON object; it holds {value!r:.60}.")
    return value


def make_folder(path: str | os.PathLike[str], what: str = "folder") -> None:
    """Make a folder and its parents where they are missing.

    Raises:
        ValueError: where that cannot be done, with the name that `what` gives it.
    """
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(
            f"Cannot make the {what} {str(path)!r}: {error.strerror}. "
            "Name one in a place that can be written."
        ) from error


def recover(folder: str | os.PathLike[str]) -> None:
    """Clean up after a kill: bring back a folder that was to be replaced, drop what was half written."""
    for entry in list(Path(folder).iterdir()):
        if entry.name.startswith(".") and entry.name.endswith(_OLD):
            original = entry.with_name(entry.name.removeprefix(".").removesuffix(_OLD))
            if original.exists():
                discard(entry)
            else:
                entry.rename(original)
        elif entry.name.startswith(".") and PART in entry.suffixes[-2:]:
            discard(entry)


def discard(path: Path) -> None:
    """Remove a file or a folder, where there is one."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _replace_folder(new: Path, path: Path) -> None:
    old = path.with_name(f".{path.name}{_OLD}")
    discard(old)
    if path.exists():
        path.rename(old)
    try:
        new.rename(path)
    except OSError:
        if old.exists():
            old.rename(path)
        raise
    discard(old)


def _synchronise(path: Path) -> None:
    """Flush a file or a folder to the disk, where the system lets a reader do so."""
    if os.name != "posix":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
