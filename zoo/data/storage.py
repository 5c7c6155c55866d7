"""Where examples are kept: in memory, or in a memory-mapped file when they are too many."""

from __future__ import annotations

import mmap
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from zoo.files import replacing, replacing_file

MEMORY_LIMIT = 2 << 30
"""Bytes up to which a set is held in memory, and copied to the device for training."""

SHUFFLED_LIMIT = 64 << 20
"""The same for a mapped file whose rows are in random order already."""


class Shuffled(np.memmap):
    """A mapped file whose rows are in random order: to read neighbours is to read at random.

    Nothing is lost where training reads it from its place, so that it is held in memory up to
    `SHUFFLED_LIMIT` bytes only.
    """


def cache_folder(data_dir: str | os.PathLike | None) -> Path:
    """The folder for arrays written by this library: ``latent_zoo`` in TFDS's data folder."""
    root = data_dir or os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"
    return Path(root).expanduser() / "latent_zoo"


def build_array(
    shape: tuple[int, ...],
    dtype: np.dtype | type | str,
    fill: Callable[[np.ndarray], dict[str, Any]],
    *,
    key: str,
    data_dir: str | os.PathLike | None = None,
    memory_limit: int = MEMORY_LIMIT,
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Fill an array in memory, or once in a file that later calls map again.

    The file gets its name only when it is complete, so a kill leaves no half-written one behind.

    Args:
        shape: (n, *event).
        dtype: of the array.
        fill: writes every example into the array it is given, and returns the small arrays that belong
            to them (labels, factors), by name.
        key: the file's name: whatever changes the content must change the key.
        data_dir: see `cache_folder`.
        memory_limit: bytes up to which the array is held in memory.

    Returns:
        The array, or a read-only ``np.memmap``, and what `fill` returned.

    Raises:
        ValueError: where the disk has no room for the file, or the folder cannot be written.
    """
    size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
    if size <= memory_limit:
        array = np.empty(shape, dtype)
        return array, fill(array)
    path = cache_folder(data_dir) / f"{key}.npy"
    side = path.with_suffix(".npz")
    if not path.exists():
        with replacing(path, hint="Choose another data_dir, or a limit.") as temporary:
            _check_room(path.parent, size)
            array = np.lib.format.open_memmap(temporary, mode="w+", dtype=dtype, shape=shape)
            small = fill(array)
            array.flush()
            del array
            with replacing_file(side) as file:  # before the array, which says that both are there
                np.savez(file, **small)
    with np.load(side, allow_pickle=False) as stored:
        return np.load(path, mmap_mode="r", allow_pickle=False), dict(stored)


def bytes_in_memory(array: np.ndarray) -> int:
    """The bytes of an array as it is read: narrow floats and booleans become float32.

    Example:
        >>> from zoo.data.storage import bytes_in_memory
        >>> bytes_in_memory(np.zeros((3, 5), "float16")), bytes_in_memory(np.zeros((3, 5), "uint8"))
        (60, 15)
    """
    return max(array.nbytes, 4 * array.size if array.dtype.kind in "fb" else 0)


def release(array: np.ndarray) -> None:
    """Let go of the memory that a memory map's touched pages take; their content stays in the file.

    Args:
        array: a memory map, or a part of one. Nothing happens to other arrays, and to maps in mode "c", whose
            changes are nowhere but in memory.
    """
    if not isinstance(array, np.memmap) or array.mode not in ("r", "r+", "w+"):
        return
    base = array
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        base.madvise(mmap.MADV_DONTNEED)


def _check_room(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < size:
        raise ValueError(
            f"The set takes {size / 2**30:.1f} GiB and {folder} has {free / 2**30:.1f} GiB free. "
            "Choose another data_dir, or a limit."
        )
