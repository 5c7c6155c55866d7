"""Rendered sprites with known factors, after dSprites (Matthey et al., 2017).

A square, an ellipse or a heart, in 6 sizes, 40 orientations and 32 x 32 positions, on 64x64 pixels: 737,280
pictures. A shape is rendered once for each size and orientation; a position moves it by whole pixels. So
any pictures come from a table of 720 small ones, without holding the rest.

It differs from dSprites in that the last orientation is not the first one again, that moves are exactly one
pixel, and in the shapes' outlines.
"""

from __future__ import annotations

import functools
import os
from typing import Any

import numpy as np

from zoo.data.dataset import Data
from zoo.data.splitting import split_rows
from zoo.data.storage import MEMORY_LIMIT, build_array, release
from zoo.registry import register

FACTOR_NAMES = ("shape", "scale", "orientation", "x_position", "y_position")
FACTOR_SIZES = (3, 6, 40, 32, 32)
SHAPES = ("square", "ellipse", "heart")
SCALES = np.linspace(0.5, 1.0, FACTOR_SIZES[1])
SIZE = 64
COUNT = int(np.prod(FACTOR_SIZES))

_SAMPLES = 5  # sub-pixels along each side
_FIRST = 16  # pixel of the leftmost and topmost centre
_EDGE = 1e-3  # so that samples on an edge are inside whatever the rounding, and symmetry is exact
_CHUNK = 4096


def factors_of(indices: np.ndarray) -> np.ndarray:
    """The factors of sprites, in dSprites's order: the vertical position changes fastest.

    Args:
        indices: (n,) whole numbers from 0 to 737,279.

    Returns:
        (n, 5) int64: shape, scale, orientation (counter-clockwise, in 40ths of a turn), horizontal position
        (from the left), vertical position (from the top).

    Raises:
        ValueError: for an index out of range.

    Example:
        >>> from zoo.data.sprites import FACTOR_SIZES, factors_of
        >>> FACTOR_SIZES
        (3, 6, 40, 32, 32)
        >>> factors_of(np.array([0, 1, 32, 737_279])).tolist()
        [[0, 0, 0, 0, 0], [0, 0, 0, 0, 1], [0, 0, 0, 1, 0], [2, 5, 39, 31, 31]]
    """
    try:
        return np.stack(np.unravel_index(np.asarray(indices), FACTOR_SIZES), -1)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"Sprites have whole-number indices from 0 to {COUNT - 1}: {error}"
        ) from error


def indices_of(factors: np.ndarray) -> np.ndarray:
    """The indices of sprites; the inverse of `factors_of`.

    Args:
        factors: (n, 5) whole numbers, each below its entry of `FACTOR_SIZES`.

    Returns:
        (n,) int64.

    Raises:
        ValueError: for factors out of range or not five.

    Example:
        >>> from zoo.data.sprites import indices_of
        >>> indices_of(np.array([[0, 0, 0, 1, 0], [2, 5, 39, 31, 31]])).tolist()
        [32, 737279]
    """
    factors = np.asarray(factors)
    try:
        found: Any = np.ravel_multi_index(tuple(np.moveaxis(factors, -1, 0)), FACTOR_SIZES)
        return found
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"Sprites have {len(FACTOR_SIZES)} factors below {FACTOR_SIZES}; received shape "
            f"{factors.shape}: {error}"
        ) from error


def render(indices: np.ndarray, antialias: bool = False) -> np.ndarray:
    """Render sprites by their index.

    Args:
        indices: (n,) whole numbers from 0 to 737,279.
        antialias: grey edges, the share of the pixel that the shape covers; otherwise a pixel is white
            where the shape covers at least half of it.

    Returns:
        (n, 64, 64, 1) uint8, 0 to 255.

    Raises:
        ValueError: for an index out of range.

    Example:
        >>> from zoo.data.sprites import render
        >>> pictures = render(np.array([0, 500_000]))
        >>> pictures.shape, str(pictures.dtype), np.unique(pictures).tolist()
        ((2, 64, 64, 1), 'uint8', [0, 255])
    """
    shape, scale, orientation, x, y = factors_of(indices).T
    kind = np.ravel_multi_index((shape, scale, orientation), FACTOR_SIZES[:3])
    last = FACTOR_SIZES[3] - 1
    return _windows(bool(antialias))[kind, last - y, last - x][..., None]


@register("sprites", kind="dataset")
def sprites(
    split: str = "train",
    *,
    seed: int = 0,
    limit: int | None = None,
    antialias: bool = False,
    test_fraction: float = 0.2,
    data_dir: str | os.PathLike | None = None,
    memory_limit: int = MEMORY_LIMIT,
) -> Data:
    """737,280 rendered sprites by 5 factors, 64x64: no download.

    Args:
        split: "train" or "test", drawn by the seed, or "all" in the order of the factors.
        seed: of the split.
        limit: at most so many sprites; only these are rendered.
        antialias: see `render`.
        test_fraction: share of the test split.
        data_dir: where more sprites than fit in memory are kept, see `zoo.data.storage`.
        memory_limit: bytes up to which the pictures are held in memory; more are written once to a file and
            memory-mapped.

    Returns:
        `Data` with inputs (n, 64, 64, 1) uint8, the five factors, and the shape as label.

    Example:
        >>> from zoo.data.sprites import sprites
        >>> data = sprites("train", limit=5)
        >>> data.inputs.shape
        (5, 64, 64, 1)
        >>> data.factor_names
        ('shape', 'scale', 'orientation', 'x_position', 'y_position')
    """
    rows = split_rows(COUNT, split, test_fraction, seed, "sprites")[:limit]

    def fill(array: np.ndarray) -> dict[str, np.ndarray]:
        for start in range(0, len(rows), _CHUNK):
            part = slice(start, start + _CHUNK)
            array[part] = render(rows[part], antialias)
            release(array)
        return {}

    inputs, _ = build_array(
        (len(rows), SIZE, SIZE, 1),
        np.uint8,
        fill,
        key=f"sprites-{split}-{seed}-{len(rows)}-{test_fraction}{'-antialias' * antialias}",
        data_dir=data_dir,
        memory_limit=memory_limit,
    )
    factors = factors_of(rows)
    return Data(
        name="sprites",
        split=split,
        inputs=inputs,
        labels=factors[:, 0],
        factors=factors,
        factor_names=FACTOR_NAMES,
        classes=SHAPES,
        description=f"Sprites by 5 factors, 64x64 {'grey' if antialias else 'binary'}, rendered",
    )


@functools.lru_cache(maxsize=2)
def _windows(antialias: bool) -> np.ndarray:
    """(720, 32, 32, 64, 64) view: each shape, size and orientation seen through every position."""
    reach = SIZE + FACTOR_SIZES[3] - 1
    centre = _FIRST + FACTOR_SIZES[3] - 1  # the pixel on which every shape is centred
    pixels = np.arange(reach * _SAMPLES)
    offsets = ((pixels + 0.5) / _SAMPLES - (centre + 0.5)).astype(np.float32)
    inner = np.abs(offsets) < _FIRST + 0.5  # whole pixels; no shape reaches further
    x, y = np.meshgrid(offsets[inner], -offsets[inner])  # y upwards
    first = int(np.flatnonzero(inner)[0]) // _SAMPLES
    width = inner.sum() // _SAMPLES
    table = np.zeros((int(np.prod(FACTOR_SIZES[:3])), reach, reach), np.uint8)
    angles = 2 * np.pi * np.arange(FACTOR_SIZES[2]) / FACTOR_SIZES[2]
    kinds = ((inside, scale) for inside in (_square, _ellipse, _heart) for scale in SCALES)
    for row, (inside, scale) in enumerate(kinds):
        for column, angle in enumerate(angles):
            # The picture turns counter-clockwise when its coordinates turn clockwise.
            along = (np.cos(angle) * x + np.sin(angle) * y) / np.float32(scale)
            across = (np.cos(angle) * y - np.sin(angle) * x) / np.float32(scale)
            samples = inside(along, across).reshape(width, _SAMPLES, width, _SAMPLES)
            share = samples.mean((1, 3), dtype=np.float32)
            picture = np.rint(255 * share) if antialias else 255 * (share >= 0.5)
            place = slice(first, first + width)
            table[row * FACTOR_SIZES[2] + column, place, place] = picture
    return np.lib.stride_tricks.sliding_window_view(table, (SIZE, SIZE), axis=(1, 2))


def _square(x: Any, y: Any) -> np.ndarray:
    return np.maximum(np.abs(x), np.abs(y)) <= 10.5 + _EDGE


def _ellipse(x: Any, y: Any) -> np.ndarray:
    return (x / 9) ** 2 + (y / 15) ** 2 <= 1 + _EDGE


def _heart(x: Any, y: Any) -> np.ndarray:
    """The curve (x^2 + y^2 - 1)^3 = x^2 y^3, enlarged, with its centroid at the origin."""
    unit, centroid = 11, 0.2935
    x, y = x / unit, y / unit + centroid
    square = x**2
    return (square + y**2 - 1) ** 3 <= square * y**3
