"""Animated traversals as GIF files, drawn with Pillow."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image

from zoo.values import whole_number
from zoo.visualization.drawing.inputs import as_codes, decoder_of
from zoo.visualization.drawing.mosaics import (
    Limits,
    fit_columns,
    is_picture,
    mosaic,
    to_pictures,
    value_range,
)
from zoo.visualization.drawing.quantiles import check_coverage, quantiles
from zoo.visualization.drawing.units import choose_units
from zoo.visualization.figures.traversals import traversal_codes

_WIDTH = 480  # pixels, about; the pictures are enlarged by a whole number
_BAR = 6  # pixels, height of the bar that shows where the units are


def traversal_gif(
    model: Any,
    source: Any,
    length: int,
    units: Any = None,
    frames: int = 24,
    coverage: float = 0.95,
    seconds: float = 3.0,
    codes: Any = None,
    limit: int = 12,
    limits: Limits = None,
) -> bytes:
    """An animation in which every shown unit moves there and back, each in its own picture.

    In frame t of T the moving unit is at the quantile 1/2 + coverage/2 sin(2 pi t / T), so that the
    loop has no seam. A bar below shows the quantile.

    Args:
        model: a model with `decode`, or a function from codes to pictures.
        source: the prior, or the codes (n, length) of data; see `quantiles`. Its median is the code
            of the units that stand still.
        length: number of units of the code.
        units: indices of those to show; by default the leading ones of `codes`, or the first.
        frames: pictures in the loop.
        coverage: part of the distribution that is walked through.
        seconds: for one loop.
        codes: (n, length), codes of data; they only choose the units. Optional.
        limit: units to show at most where none are named.
        limits: values of black and white; by default those of `value_range` of what is decoded.

    Returns:
        The bytes of a GIF file with exactly `frames` frames.

    Raises:
        ValueError: for a model whose examples are not pictures, fewer than 2 frames, a coverage
            outside (0, 1), or a loop of no time.

    Example:
        >>> model = zoo.create("vae", (8, 8, 1), latents=2, hidden=(4,))
        >>> codes = np.random.default_rng(0).normal(size=(50, 2))
        >>> gif = zoo.visualization.traversal_gif(model, codes, length=2, frames=4)
        >>> gif[:6]
        b'GIF89a'
    """
    frames = whole_number(frames, "frames", 2)
    if not seconds > 0:
        raise ValueError(f"seconds must be positive; received {seconds!r}.")
    check_coverage(coverage)
    chosen = choose_units(units, length, limit, None if codes is None else as_codes(codes))
    phase = 2 * np.pi * np.arange(frames) / frames
    probabilities = 0.5 + coverage / 2 * np.sin(phase)
    values = quantiles(source, probabilities, length)[:, chosen].T
    base = quantiles(source, np.array([0.5]), length)[0]
    moving = traversal_codes(base, chosen, values)
    decoded = decoder_of(model)(moving.reshape(-1, length))
    if not is_picture(decoded.shape[1:]):
        raise ValueError(
            "An animation needs a model of pictures; "
            f"its examples have the shape {decoded.shape[1:]}."
        )
    pictures = to_pictures(decoded)
    pictures = pictures.reshape(len(chosen), frames, *pictures.shape[1:])
    limits = value_range(decoded) if limits is None else limits
    drawn = [_frame(pictures[:, t], limits, float(probabilities[t]), t) for t in range(frames)]
    return encode_gif(drawn, seconds / frames)


def encode_gif(frames: list[np.ndarray], seconds: float) -> bytes:
    """Frames as an endless GIF.

    Args:
        frames: (h, w) grey or (h, w, 3) colour arrays of uint8, all of one shape, neighbours
            unequal (equal ones would become one frame shown for longer).
        seconds: each frame is shown; GIF counts in hundredths.

    Returns:
        The bytes of the file.
    """
    images = [Image.fromarray(frame) for frame in frames]
    buffer = io.BytesIO()
    images[0].save(
        buffer,
        format="GIF",
        save_all=True,
        append_images=images[1:],
        duration=max(20, round(1000 * seconds)),
        loop=0,
    )
    return buffer.getvalue()


def _frame(
    pictures: np.ndarray, limits: tuple[float, float], probability: float, t: int
) -> np.ndarray:
    columns = fit_columns(len(pictures), pictures.shape[1:])
    canvas = mosaic(pictures, columns, limits)
    if canvas.ndim == 3:
        canvas = np.where(canvas[..., 3:] > 0, canvas[..., :3], 1.0)
    else:
        canvas = np.nan_to_num((canvas - limits[0]) / (limits[1] - limits[0]), nan=1.0)
    scale = max(1, round(_WIDTH / canvas.shape[1]))
    pixels = np.round(255 * np.clip(canvas, 0, 1)).astype(np.uint8)
    pixels = pixels.repeat(scale, axis=0).repeat(scale, axis=1)
    bar = np.full((2 * _BAR, *pixels.shape[1:]), 255, np.uint8)
    bar[_BAR:] = 220
    bar[_BAR:, : max(1, round(probability * pixels.shape[1]))] = 90
    # Pillow makes one frame of equal neighbours, as a dead unit gives them: a pixel differs.
    bar[-1, -1] = 255 if t % 2 else 220
    return np.concatenate([pixels, bar])
