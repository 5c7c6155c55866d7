"""Arrays as tensors that use the same memory."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

# What TensorFlow's kernels take for granted of a tensor's address; one that is not aligned ends the process.
ALIGNMENT = 64
# Below it a copy costs nothing, and what the caller does with the array meanwhile does not matter.
LEAST_BYTES = 1 << 24
_CHUNK_BYTES = 1 << 24


def lent(array: np.ndarray) -> Any:
    """A tensor of the array's numbers, in the array's own memory where that can be.

    It can be where the array is contiguous, in the machine's byte order and aligned to 64 bytes, as what
    `aligned` makes, and what `np.load(..., mmap_mode="r")` maps. Another one is copied, once. The memory is
    given back with the tensor; nothing may be written to the array before.

    Args:
        array: numbers of any shape.

    Returns:
        A tensor, or the array itself where it is small.

    Example:
        >>> from zoo.data.lending import aligned, lent
        >>> array = aligned((1024, 4096), np.float32)
        >>> array[:] = 1
        >>> tensor = lent(array)
        >>> array[0, 0] = 2  # seen, since there is no copy; so do not
        >>> float(tensor[0, 0])
        2.0
    """
    import tensorflow as tf

    if array.nbytes < LEAST_BYTES or array.dtype.kind not in "fiu" or not array.dtype.isnative:
        return array
    if array.ctypes.data % ALIGNMENT or not array.flags.c_contiguous:
        array = _copy(array)
    return tf.experimental.dlpack.from_dlpack(_writeable(array).__dlpack__())


def aligned(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """An array of any numbers, at an address that `lent` needs no copy for.

    Args:
        shape: of the array.
        dtype: of its numbers.

    Returns:
        A contiguous array.

    Example:
        >>> from zoo.data.lending import aligned
        >>> aligned((3, 5), np.uint8).ctypes.data % 64
        0
    """
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = np.empty(size + ALIGNMENT, np.uint8)
    first = -memory.ctypes.data % ALIGNMENT
    return memory[first : first + size].view(dtype).reshape(shape)


def _copy(array: np.ndarray) -> np.ndarray:
    """By pieces: a transposed or mapped array is never there twice more."""
    copy = aligned(array.shape, array.dtype)
    rows = max(1, _CHUNK_BYTES // max(1, array[:1].nbytes))
    for first in range(0, len(array), rows):
        copy[first : first + rows] = array[first : first + rows]
    return copy


def _writeable(array: np.ndarray) -> np.ndarray:
    """The same memory under an array that may be written to, which NumPy asks for; nobody does."""
    if array.flags.writeable:
        return array
    memory: Any = (ctypes.c_char * array.nbytes).from_address(array.ctypes.data)
    memory.owner = array
    return np.frombuffer(memory, array.dtype).reshape(array.shape)
