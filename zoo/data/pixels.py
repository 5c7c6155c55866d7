"""Conventions for pixels: bytes mean 0 to 255, floats mean 0 to 1."""

from __future__ import annotations

from typing import Any

import numpy as np

GREY_WEIGHTS = (0.2989, 0.587, 0.114)
"""Luma of red, green and blue, as the Sparse VAE's authors use for natural pictures."""

BINARIZATION_SEED = 20_080_701
"""Seed of the one static draw, so that every run and every user has the same binary pictures."""

_CHUNK = 1000  # rows; part of the definition of the static draw


def full_scale(dtype: Any) -> float:
    """What stands for the number 1: 255 where the values are bytes, else 1.

    Example:
        >>> from zoo.data.pixels import full_scale
        >>> full_scale(np.dtype("uint8")), full_scale(np.dtype("float32"))
        (255.0, 1.0)
    """
    return 255.0 if dtype == np.uint8 else 1.0


def as_unit_floats(x: np.ndarray) -> np.ndarray:
    """float32 examples; uint8 pictures are divided by 255, other numbers are left as they are.

    Example:
        >>> from zoo.data.pixels import as_unit_floats
        >>> as_unit_floats(np.array([[0, 255]], "uint8")).tolist()
        [[0.0, 1.0]]
    """
    if x.dtype == np.uint8:
        return x.astype(np.float32) / np.float32(full_scale(x.dtype))
    return x.astype(np.float32, copy=False)


def to_grey(pictures: np.ndarray) -> np.ndarray:
    """Grey pictures from colour ones, .2989 R + .587 G + .114 B.

    Args:
        pictures: (n, h, w, 3) uint8, or floats in [0, 1].

    Returns:
        (n, h, w, 1) float32 in [0, 1].
    """
    weights = (np.asarray(GREY_WEIGHTS) / full_scale(pictures.dtype)).astype(np.float32)
    grey = np.empty((*pictures.shape[:-1], 1), np.float32)
    for start in range(0, len(pictures), _CHUNK):
        part = slice(start, start + _CHUNK)
        np.matmul(pictures[part].astype(np.float32), weights, out=grey[part, ..., 0])
    return grey


def stretch_binary(pictures: np.ndarray) -> None:
    """Turn bytes 0 and 1 into 0 and 255, in place; as pixels they would be all but black.

    Args:
        pictures: (n, ...) uint8, in memory or memory-mapped for writing.
    """
    for start in range(0, len(pictures), _CHUNK):
        pictures[start : start + _CHUNK] *= 255


def binarize(pictures: np.ndarray, method: str, stream: int = 0) -> None:
    """Make pixels 0 or 255, in place.

    "static" draws each pixel once as a Bernoulli variable with probability pixel / 255, the usual
    treatment of MNIST (Salakhutdinov and Murray, 2008). The file that papers share is not to be had; this
    is another draw from the same distribution, fixed by `BINARIZATION_SEED`. The first rows do not depend
    on how many follow. "threshold" makes pixels from 128 up white.

    Args:
        pictures: (n, ...) uint8, in memory or memory-mapped for writing.
        method: "static" or "threshold".
        stream: a number for each split, so that splits have independent draws.

    Raises:
        ValueError: for another method.
    """
    check_method(method)
    rng = np.random.default_rng([BINARIZATION_SEED, stream])
    for start in range(0, len(pictures), _CHUNK):
        part = pictures[start : start + _CHUNK]
        # An integer uniform on 0..254 lies below the pixel with probability pixel / 255, exactly.
        bound = rng.integers(0, 255, part.shape, np.uint8) if method == "static" else np.uint8(127)
        np.multiply(part > bound, 255, out=part, dtype=np.uint8, casting="unsafe")


def check_method(method: str) -> None:
    """Raise a ValueError for what is not a method of `binarize`."""
    if method not in ("static", "threshold"):
        raise ValueError(f"binarize must be 'static', 'threshold' or None; received {method!r}.")


def check_size(size: Any) -> tuple[int, int]:
    """(height, width) as two positive whole numbers, or a ValueError."""
    try:
        height, width = (int(side) for side in size)
    except (TypeError, ValueError):
        height = width = 0
    if height < 1 or width < 1:
        raise ValueError(f"size must be (height, width), two positive numbers; received {size!r}.")
    return height, width
