"""The C library's memory allocator, told to keep what a training step frees for the next one."""

from __future__ import annotations

import ctypes
import functools
import os

# Options of glibc's <malloc.h>, in bytes.
_OPTIONS = {
    -3: 32 << 20,  # M_MMAP_THRESHOLD: smaller blocks come from the heap and not from the kernel
    -1: 1 << 30,  # M_TRIM_THRESHOLD: free memory at a heap's end up to which none is given back
    -2: 64 << 20,  # M_TOP_PAD: what heaps grow and shrink by
}


SWITCH = "ZOO_ALLOCATOR"


@functools.cache
def keep_freed_memory() -> bool:
    """Spare every training step the page faults of its gradients; for the whole process, once.

    By default glibc gives freed blocks of more than some 100 KB back to the kernel, and a step that frees its
    gradients pays for fresh pages at the next: about an eighth of the step of a VAE of 784-400-400-20. A
    process that trains keeps up to 1 GB of free memory in return.

    `fit` calls it. ``ZOO_ALLOCATOR=0`` in the environment leaves the allocator alone, and so does any
    variable ``MALLOC_...``, which is the user's own setting.

    Returns:
        Whether it was done: with glibc, where the environment does not forbid it.
    """
    forbidden = os.environ.get(SWITCH) == "0" or any(
        name.startswith("MALLOC_") for name in os.environ
    )
    if os.name != "posix" or forbidden:
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        return False
    import tensorflow as tf

    # Under Python 3.11 TensorFlow sets the first option itself, once: when a generator's data set is read.
    spec = tf.TensorSpec((), tf.int32)
    list(tf.data.Dataset.from_generator(lambda: iter(()), output_signature=spec))
    return all(library.mallopt(option, value) for option, value in _OPTIONS.items())
