"""Figures as files: bytes of PNG, and a folder of them."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from zoo.files import write_bytes
from zoo.visualization.drawing.style import styled

DPI = 150  # sharp on a telephone and in print
_SUFFIXES = {b"\x89PNG\r\n": ".png", b"GIF87a": ".gif", b"GIF89a": ".gif"}


@styled
def to_png(figure: Figure, dpi: int = DPI) -> bytes:
    """The figure as the bytes of a PNG file on white.

    Args:
        figure: a matplotlib figure.
        dpi: pixels per inch.

    Returns:
        The bytes; equal figures give equal bytes.

    Example:
        >>> figure = zoo.visualization.learning_curves({"loss": [9.0, 5.0, 4.0]})
        >>> zoo.visualization.to_png(figure)[1:4]
        b'PNG'
    """
    buffer = io.BytesIO()
    canvas, own_dpi, colour = figure.canvas, figure.dpi, figure.get_facecolor()
    # `savefig` would draw twice, the first time only to see what a tight box around it measures.
    try:
        figure.set_dpi(dpi)
        figure.set_facecolor("white")
        drawn, engine = FigureCanvasAgg(figure), figure.get_layout_engine()
        # Pictures keep their shape, by which a first layout may push a label over the edge.
        if engine is not None and any(axes.get_aspect() != "auto" for axes in figure.axes):
            engine.execute(figure)
        drawn.print_png(buffer, metadata={"Software": None})
    finally:
        figure.set_canvas(canvas)
        figure.set_dpi(own_dpi)
        figure.set_facecolor(colour)
    return buffer.getvalue()


def suffix(content: bytes) -> str:
    """The suffix of a picture, ".png", ".gif" or ".webp", from its first bytes.

    Raises:
        ValueError: for any other content.
    """
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return ".webp"
    try:
        return _SUFFIXES[bytes(content[:6])]
    except KeyError:
        raise ValueError(
            f"Expected the bytes of a PNG or GIF picture; received {bytes(content[:8])!r}."
        ) from None


def save_figures(folder: str | os.PathLike[str], figures: Mapping[str, Any]) -> list[Path]:
    """Write every figure into a folder, as name.png or name.gif.

    Args:
        folder: made where it is missing.
        figures: name -> figure, bytes of a PNG or GIF, or a pair of either and its caption.

    Returns:
        The paths, in the order of the figures.

    Example:
        >>> figure = zoo.visualization.learning_curves({"loss": [9.0, 5.0, 4.0]})
        >>> [path.name for path in zoo.visualization.save_figures("figures", {"curves": figure})]
        ['curves.png']
    """
    paths = []
    for name, (content, _) in draw(figures).items():
        paths.append(Path(folder) / f"{name}{suffix(content)}")
        write_bytes(paths[-1], content)
    return paths


def draw(figures: Mapping[str, Any]) -> dict[str, tuple[bytes, str]]:
    """Draw every figure once, so that the same bytes can be saved and embedded.

    Args:
        figures: name -> figure, bytes of a PNG or GIF, or a pair of either and its caption.

    Returns:
        name -> (bytes, caption), in the same order.

    Example:
        >>> figure = zoo.visualization.learning_curves({"loss": [9.0, 5.0, 4.0]})
        >>> picture, caption = zoo.visualization.draw({"curves": (figure, "It falls.")})["curves"]
        >>> picture[1:4], caption
        (b'PNG', 'It falls.')
    """
    entries = {n: e if isinstance(e, tuple) else (e, "") for n, e in figures.items()}
    return {name: (as_bytes(picture, name), text) for name, (picture, text) in entries.items()}


def as_bytes(picture: Any, name: str) -> bytes:
    """The bytes of a figure, or the bytes themselves once they are seen to be a picture.

    Raises:
        ValueError: for anything else; it names the figure.
    """
    if isinstance(picture, Figure):
        return to_png(picture)
    if isinstance(picture, (bytes, bytearray)):
        content = bytes(picture)
        suffix(content)
        return content
    raise ValueError(
        f"Figure {name!r} must be a matplotlib Figure or the bytes of a PNG or GIF; "
        f"received {type(picture).__name__}."
    )
