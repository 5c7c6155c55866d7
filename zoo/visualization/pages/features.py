"""What units of a sparse dictionary stand for: when each fires, on what, what it writes, what is near."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from zoo.evaluation.dictionary import Tally, cosines, tally
from zoo.values import number_text
from zoo.visualization.drawing.mosaics import is_picture, to_pictures, value_range
from zoo.visualization.pages.page import Picture, embed, write_page

Words = tuple[str, str, str]
_SIDE = 72  # pixels of a picture
_STRIP = (240, 20)  # of a vector


class Example(NamedTuple):
    """An example on which a unit fires.

    Args:
        value: of the code.
        picture: the example, where it is a picture.
        words: what stands before the token on which the unit fires, the token, and what stands behind it.
    """

    value: float
    picture: Picture | None
    words: Words | None


class Feature(NamedTuple):
    """A unit.

    Args:
        unit: its number.
        density: the share of the examples on which it fires.
        examples: those of its largest codes.
        writes: its atom as a picture: black takes away, white adds.
        nearest: the units with the nearest atoms, and their cosines.
    """

    unit: int
    density: float
    examples: tuple[Example, ...]
    writes: Picture
    nearest: tuple[tuple[int, float], ...]


def features(
    model: Any,
    x: Any,
    units: Sequence[int] | None = None,
    *,
    pictures: Any = None,
    words: Callable[[int], Words] | None = None,
    counted: Tally | None = None,
    count: int = 12,
    top: int = 6,
) -> list[Feature]:
    """What there is to see of some units of a sparse dictionary.

    Args:
        model: an `Autoencoder` whose decoder has atoms.
        x: (n, *event) examples, memory-mapped ones included.
        units: those to show; None for `count` of those that fire, from the most to the least frequent.
        pictures: (n, height, width, channels) to show in the place of x, as where x are the activations of a
            network that saw them; None for x itself, where its events are pictures.
        words: row -> what stands before the token of this row, the token, and what stands behind it.
        counted: what `zoo.evaluation.dictionary.tally` gave for these x, with `top` examples of each unit.
        count: see `units`.
        top: examples of a unit.

    Returns:
        One for each unit; `write_features` makes a page of them, and `write_report` a section.

    Example:
        >>> from zoo.visualization.pages.features import features
        >>> model = zoo.create("top_k_sae", (6,), latents=12, target_l0=3)
        >>> x = np.random.default_rng(0).normal(size=(100, 6)).astype("float32")
        >>> found = features(model, x, words=lambda row: ("the", f"word{row}", "here"), count=3)
        >>> len(found), len(found[0].examples), found[0].density >= found[-1].density
        (3, 6, True)
    """
    found = tally(model, x, top=top) if counted is None else counted
    if units is None:
        order = np.argsort(-found.density, kind="stable")[: np.count_nonzero(found.density)]
        places = np.unique(np.linspace(0, len(order) - 1, count).astype(int)) if len(order) else ()
        units = [int(order[place]) for place in places]
    shown = x if pictures is None and is_picture(tuple(x.shape[1:])) else pictures
    limits: Any = None if shown is None else value_range(np.asarray(shown[:1000]))
    atoms = np.asarray(model.decoder.atoms)
    near = cosines(atoms.reshape(len(atoms), -1), atoms.reshape(len(atoms), -1))

    def example(unit: int, place: int, row: int) -> Example:
        drawn = None
        if shown is not None:
            drawn = _picture(f"unit_{unit}_{place}", np.asarray(shown[row]), limits)
        return Example(
            float(found.top_values[unit, place]), drawn, None if words is None else words(row)
        )

    def feature(unit: int) -> Feature:
        rows = found.top_rows[unit][:top]
        others = [int(u) for u in np.argsort(-near[unit], kind="stable") if u != unit][:3]
        size = float(np.abs(atoms[unit]).max()) or 1.0
        return Feature(
            unit,
            float(found.density[unit]),
            tuple(example(unit, i, int(row)) for i, row in enumerate(rows) if row >= 0),
            _picture(f"unit_{unit}", atoms[unit], (-size, size)),
            tuple((u, float(near[unit, u])) for u in others),
        )

    return [feature(unit) for unit in units]


def write_features(path: str | os.PathLike[str], found: Sequence[Feature], title: str) -> Path:
    """Write a page of features, a single file that opens anywhere.

    Args:
        path: of the file.
        found: what `features` gave.
        title: in a line.

    Returns:
        The path.

    Example:
        >>> from zoo.visualization.pages.features import features, write_features
        >>> model = zoo.create("top_k_sae", (6,), latents=12, target_l0=3)
        >>> x = np.random.default_rng(0).normal(size=(100, 6)).astype("float32")
        >>> page = write_features("features.html", features(model, x, count=3), "Twelve atoms")
        >>> page.read_text().count("<article")
        3
    """
    return write_page(path, "features.html", {"title": title, "features": described(found)})


def described(found: Sequence[Feature]) -> list[dict[str, Any]]:
    """Features as the template takes them, numbers as text."""
    return [
        {
            "unit": one.unit,
            "density": f"{number_text(100 * one.density, 2)} %",
            "examples": [
                {"value": number_text(e.value, 3), "picture": e.picture, "words": e.words}
                for e in one.examples
            ],
            "writes": one.writes,
            "nearest": ", ".join(f"{unit} ({cosine:.2f})" for unit, cosine in one.nearest),
        }
        for one in found
    ]


def _picture(name: str, values: np.ndarray, limits: Any) -> Picture:
    """A picture, or the numbers of a vector from left to right, a row for each place."""
    from PIL import Image

    if is_picture(values.shape):
        pixels = to_pictures(values[None])[0]
        height, width = pixels.shape[:2]
        scale = max(round(_SIDE / max(height, width)), 1)
        size = (width * scale, height * scale)
    else:
        pixels = values.reshape(-1, values.shape[-1])
        size = (_STRIP[0], _STRIP[1] * len(pixels))
    low, high = limits
    grey = np.clip((pixels - low) / max(high - low, 1e-12), 0, 1) * 255
    image = Image.fromarray(np.squeeze(grey.round().astype(np.uint8)).reshape(_flat(pixels.shape)))
    buffer = io.BytesIO()
    image.resize(size, Image.Resampling.NEAREST).save(buffer, format="PNG")
    return embed(name, buffer.getvalue())


def _flat(shape: tuple[int, ...]) -> tuple[int, ...]:
    """(height, width) for grey, (height, width, 3) for colours."""
    return shape[:2] if len(shape) < 3 or shape[2] == 1 else shape
