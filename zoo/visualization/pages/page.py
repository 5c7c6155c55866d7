"""What the report and the comparison share: templates, and pictures within the page."""

from __future__ import annotations

import base64
import io
import os
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from zoo.files import write_text
from zoo.visualization.drawing.files import as_bytes, suffix

_SPELLED = {"tsne": "t-SNE", "pca": "PCA", "kl": "KL"}


class Picture(NamedTuple):
    """A picture within a page.

    Args:
        name: of the figure.
        title: the name in words.
        caption: what is seen; may be empty.
        source: a data URI.
        still: a data URI of the first frame of an animation, else None.
        width: in CSS pixels.
        height: in CSS pixels.
    """

    name: str
    title: str
    caption: str
    source: str
    still: str | None
    width: int
    height: int

    @property
    def alternative(self) -> str:
        """What stands for the picture where it is not seen."""
        return f"{self.title}. {self.caption}".strip()


def embed(name: str, picture: Any, caption: str = "") -> Picture:
    """A picture as part of a page.

    Args:
        name: of the figure, a word of letters, digits and underscores.
        picture: a matplotlib figure, or the bytes of a PNG, GIF or WebP.
        caption: what is seen.

    Returns:
        The picture with its bytes as a data URI.

    Raises:
        ValueError: for anything else, or bytes of a broken picture.
    """
    from PIL import Image

    content = as_bytes(picture, name)
    try:
        with Image.open(io.BytesIO(content)) as image:
            image.load()
            dpi = float(image.info.get("dpi", (96, 96))[0]) or 96.0
            width, height = (round(96 * side / dpi) for side in image.size)
            still = _first_frame(image) if getattr(image, "n_frames", 1) > 1 else None
    except (OSError, SyntaxError) as error:  # Pillow raises SyntaxError for a broken PNG
        raise _broken(name, error) from error
    source = _uri(content, suffix(content))
    return Picture(name, heading(name), caption, source, still, width, height)


def smaller(content: bytes, name: str, width: int, quality: int) -> bytes:
    """A picture for a page of many: at most so many pixels wide, and compressed with loss.

    Args:
        content: the bytes of a PNG.
        name: of the figure, for errors.
        width: pixels.
        quality: of WebP, 1 to 100.

    Returns:
        The bytes of a WebP.

    Raises:
        ValueError: for bytes of a broken picture.
    """
    from PIL import Image

    suffix(content)
    buffer = io.BytesIO()
    try:
        with Image.open(io.BytesIO(content)) as image:
            image = image.convert("RGB")
            image.thumbnail((width, 4 * width), Image.Resampling.LANCZOS)
            image.save(buffer, format="WEBP", quality=quality, method=4)
    except (OSError, SyntaxError) as error:
        raise _broken(name, error) from error
    return buffer.getvalue()


def heading(name: str) -> str:
    """A name in words: "code_scatter_tsne" becomes "Code scatter t-SNE"."""
    words = " ".join(_SPELLED.get(word, word) for word in name.split("_"))
    return words[:1].upper() + words[1:]


def group_heading(path: str) -> str:
    """The name of a group of metrics in words, level by level."""
    if path == "skipped":
        return "Left out, and why"
    return " / ".join(heading(part) for part in path.split("/"))


def write_page(path: str | os.PathLike[str], template: str, context: Mapping[str, Any]) -> Path:
    """Fill a template and write the page, whole or not at all.

    Args:
        path: of the page.
        template: file name of the template in this folder.
        context: what the template asks for.

    Returns:
        The path.

    Raises:
        ValueError: where the page cannot be written.
    """
    write_text(path, _environment().get_template(template).render(**context))
    return Path(path)


@lru_cache(maxsize=1)
def _environment() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup, escape

    from zoo.visualization.pages.tables import text

    environment = Environment(
        loader=PackageLoader("zoo", "visualization/pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["text"] = text
    environment.filters["heading"] = heading
    # Long names may break after an underscore or a slash.
    environment.filters["words"] = lambda name: Markup(
        re.sub("([_/])", r"\1<wbr>", str(escape(name)))
    )
    return environment


def _broken(name: str, error: Exception) -> ValueError:
    return ValueError(f"Figure {name!r} is a broken picture: {error}. Draw it again.")


def _first_frame(image: Any) -> str:
    image.seek(0)
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, format="PNG")
    return _uri(buffer.getvalue(), ".png")


def _uri(content: bytes, ending: str) -> str:
    return f"data:image/{ending[1:]};base64,{base64.b64encode(content).decode('ascii')}"
