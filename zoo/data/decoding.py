"""One picture file as viewers show it: upright, on a ground where it is transparent, page by page."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

_ALPHA_MODES = ("LA", "La", "PA", "RGBA", "RGBa")
_GREY_MODES = ("1", "L", "LA", "La")
_DEEP_MODES = ("I", "I;16", "I;16L", "I;16B", "I;16N", "F")
_ORIENTATION = 0x0112  # the tag of EXIF
# What Pillow raises for broken files.
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError)


class Picture(NamedTuple):
    """A decoded picture.

    Attributes:
        image: of Pillow's mode "L", "RGB", or "F" for more than 8 bits.
        grey: whether the file says that it is grey: by its mode, or by the colours of its palette.
        transparent: whether some pixel of the file is transparent.
        reduced: whether the file has 16 bits a channel, of which Pillow keeps the upper 8.
        pages: the number of pages or frames of the file.
    """

    image: Any
    grey: bool
    transparent: bool
    reduced: bool
    pages: int


def pages(path: Path) -> int:
    """The number of pages or frames of a file.

    The further pictures in a photograph of a camera (MPO: a preview, a depth map, the other eye) are not
    pages.

    Raises:
        ValueError: for a file that Pillow cannot read.
    """
    with _open(path) as image:
        try:
            return _count(image)
        except _BROKEN as error:
            raise ValueError(f"{path} is damaged: {error}") from error


def decode(path: Path, page: int = 0, background: Any = "white") -> Picture:
    """A page of a picture file.

    An orientation that the file's EXIF block gives is applied, as viewers do. Transparent pixels are laid
    on `background`: what lies under them is arbitrary, mostly black.

    Args:
        path: the file.
        page: from 0.
        background: a colour of Pillow (``"white"``, ``"#808080"``, ``(0, 0, 0)``).

    Returns:
        The picture.

    Raises:
        ValueError: for a file that cannot be read, with its name.
    """
    from PIL import Image, ImageOps

    with _open(path) as image:
        try:
            count = _count(image)
            if page:
                image.seek(page)
            reduced = image.mode not in _DEEP_MODES and _stored_deep(image)
            image.load()
            if image.getexif().get(_ORIENTATION, 1) != 1:
                image = ImageOps.exif_transpose(image)
        except _BROKEN as error:
            raise ValueError(f"{path} is damaged: {error}") from error
    if "transparency" in image.info and (reduced or image.mode in _DEEP_MODES):
        raise ValueError(
            f"{path} has a transparent colour of 16 bits, which Pillow does not find among its pixels. Save "
            "it with 8 bits a channel, or without transparency."
        )
    try:
        if image.mode in _DEEP_MODES:
            floats = Image.fromarray(np.asarray(image).astype(np.float32))
            return Picture(floats, True, False, False, count)
        mode = image.mode
        transparent = mode in _ALPHA_MODES or "transparency" in image.info
        if transparent:
            image = image.convert("LA") if mode == "La" else image
            image = image.convert("RGBA")
            extrema: Any = image.getextrema()
            transparent = extrema[3][0] < 255
        if transparent:
            ground = Image.new("RGBA", image.size, background)
            image = Image.alpha_composite(ground, image)
        image = in_mode(image, "L" if mode in ("1", "L") and not transparent else "RGB")
        grey = mode in _GREY_MODES or (mode in ("P", "PA") and not has_colours(image))
        return Picture(image, grey, transparent, reduced, count)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{path} cannot be turned into grey or RGB: {error}. Convert it."
        ) from error


def in_mode(image: Any, mode: str) -> Any:
    """The picture itself where it has the mode, else a converted copy."""
    return image if image.mode == mode else image.convert(mode)


def has_colours(image: Any) -> bool:
    """Whether some pixel of a picture of mode "L" or "RGB" is not grey."""
    pixels = np.atleast_3d(np.asarray(image))
    return bool((pixels != pixels[..., :1]).any())


def colour(background: Any) -> Any:
    """A colour as Pillow takes it.

    Raises:
        ValueError: for what is none, or a transparent one.
    """
    from PIL import Image

    found = tuple(background) if isinstance(background, list) else background
    try:
        pixel: Any = Image.new("RGBA", (1, 1), found).getpixel((0, 0))
        opaque = pixel[3] == 255
    except (ValueError, TypeError, SystemError):
        opaque = False
    if not opaque:
        raise ValueError(
            f"background must be a colour such as 'white' or '#808080'; received {background!r}."
        )
    return found


def _open(path: Path) -> Any:
    """An image of Pillow, whose pixels are not read yet."""
    from PIL import Image, UnidentifiedImageError

    try:
        return Image.open(path)
    except (UnidentifiedImageError, Image.DecompressionBombError, *_BROKEN) as error:
        raise ValueError(f"{path} cannot be read as a picture: {error}") from error


def _count(image: Any) -> int:
    several = image.format != "MPO" and getattr(image, "is_animated", False)
    return int(image.n_frames) if several else 1


def _stored_deep(image: Any) -> bool:
    """Whether the file stores more than 8 bits a channel."""
    arguments = image.tile[0][3] if getattr(image, "tile", None) else ""
    mode, *rest = arguments if isinstance(arguments, tuple) and arguments else (arguments,)
    white = rest[0] if image.format == "PPM" and rest else 0  # the file's value of white
    return ";16" in str(mode) or (isinstance(white, int) and white > 255)
