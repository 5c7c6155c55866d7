"""Pictures of any shape (h, w, c), side by side as one image."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from zoo.visualization.drawing.vectors import is_window

Limits = tuple[float, float] | None  # values of black and white


def is_picture(event_shape: tuple[int, ...]) -> bool:
    """True for (h, w), (h, w, c) and volumes (d, h, w, c); False for vectors (d,) and for windows."""
    return len(event_shape) in (2, 3, 4) and not is_window(event_shape)


def to_pictures(examples: np.ndarray) -> np.ndarray:
    """Examples in a form that can be shown.

    Args:
        examples: (n, h, w), (n, h, w, c), or volumes (n, d, h, w, c), of which the middle slice is
            shown; finite.

    Returns:
        (n, h, w) for one channel, (n, h, w, 3) for three; any other number of channels is laid side by
        side in grey, (n, h, c w), so that none is hidden.

    Raises:
        ValueError: for another rank.
    """
    if examples.ndim == 3:
        return examples
    if examples.ndim == 5:
        examples = examples[:, examples.shape[1] // 2]
    if examples.ndim != 4:
        raise ValueError(
            "Expected pictures (n, h, w) or (n, h, w, channels), or volumes (n, d, h, w, channels); "
            f"received shape {examples.shape}."
        )
    n, h, w, c = examples.shape
    if c == 3:
        return examples
    return examples.transpose(0, 1, 3, 2).reshape(n, h, c * w)


def value_range(reference: np.ndarray) -> tuple[float, float]:
    """The values to show as black and as white.

    Args:
        reference: the pictures that set the scale, usually the inputs.

    Returns:
        (0, 1) where the reference lies within, else its extremes.
    """
    low, high = float(reference.min()), float(reference.max())
    if low >= 0 and high <= 1:
        return 0.0, 1.0
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def mosaic(
    pictures: np.ndarray,
    columns: int,
    limits: tuple[float, float] = (0.0, 1.0),
    gap: int | None = None,
) -> np.ndarray:
    """Pictures laid out row by row with gaps between them.

    Args:
        pictures: (n, h, w) grey or (n, h, w, 3) colour, as `to_pictures` returns.
        columns: pictures in a row.
        limits: the values of black and white; colour is scaled by them, grey is left as it is.
        gap: pixels between pictures; by default a sixteenth of the height, at least one.

    Returns:
        (H, W) with NaN in the gaps for grey, (H, W, 4) with alpha 0 in the gaps for colour. The
        picture in row r and column k starts at (r (h + gap), k (w + gap)).

    Example:
        >>> from zoo.visualization.drawing.mosaics import mosaic
        >>> mosaic(np.zeros((6, 8, 8)), columns=3, gap=1).shape  # 2 rows of 8, 3 columns of 8, and gaps
        (17, 26)
    """
    n, h, w = pictures.shape[:3]
    gap = max(1, h // 16) if gap is None else gap
    rows = max(1, -(-n // columns))  # one without pictures where there are none
    shape = (rows * (h + gap) - gap, columns * (w + gap) - gap)
    if pictures.ndim == 4:
        low, high = limits
        scaled = np.clip((pictures - low) / (high - low), 0, 1)
        pictures = np.concatenate([scaled, np.ones_like(scaled[..., :1])], axis=-1)
        canvas = np.zeros((*shape, 4), pictures.dtype)
    else:
        canvas = np.full(shape, np.nan, np.result_type(pictures, np.float32))
    for index, picture in enumerate(pictures):
        top, left = index // columns * (h + gap), index % columns * (w + gap)
        canvas[top : top + h, left : left + w] = picture
    return canvas


def show_mosaic(
    axes: Axes, pictures: np.ndarray, columns: int, limits: tuple[float, float], cmap: str = "gray"
) -> AxesImage:
    """Draw a mosaic without ticks or frame.

    Args:
        axes: where to draw.
        pictures: as `to_pictures` returns.
        columns: pictures in a row.
        limits: the values of black and white.
        cmap: colour map of grey pictures.

    Returns:
        The image; its data are `mosaic`'s.
    """
    canvas = mosaic(pictures, columns, limits)
    image = axes.imshow(canvas, cmap=cmap, vmin=limits[0], vmax=limits[1], interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    return image


def mosaic_size(count: int, columns: int, shape: tuple[int, ...]) -> tuple[int, int]:
    """Height and width in pixels of the mosaic of `count` pictures of a shape (h, w, ...)."""
    h, w = shape[:2]
    gap = max(1, h // 16)
    return -(-count // columns) * (h + gap) - gap, columns * (w + gap) - gap


def fit_columns(count: int, shape: tuple[int, ...], aspect: float = 2.0) -> int:
    """Columns that make a mosaic of pictures (h, w) about `aspect` times as wide as high.

    Of the numbers near that one it is the one that leaves the fewest places empty. It is at least 8 where
    there are that many pictures, so that a few pictures are not drawn too large.
    """
    h, w = shape[:2]
    wanted = max(8, round((count * aspect * h / w) ** 0.5))
    if count <= wanted:
        return count
    near = range(max(8, round(0.8 * wanted)), round(1.25 * wanted) + 1)
    return min(near, key=lambda columns: (-count % columns, abs(columns - wanted)))
