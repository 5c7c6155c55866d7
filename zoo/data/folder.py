"""A folder of pictures: one subfolder for each class, or all in one."""

from __future__ import annotations

import os
import warnings
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from zoo.data import decoding, pixels, scaling
from zoo.data.arrays import ordered
from zoo.data.dataset import Data
from zoo.data.folder_layout import File, Layout, arrange
from zoo.data.split_names import parts_read
from zoo.data.splitting import check_split, share_of_test, split_rows
from zoo.data.storage import MEMORY_LIMIT, build_array, release
from zoo.values import truth

# Pictures of kinds that Pillow alone does not read; other files beside the pictures are no loss.
_UNREAD = (".heic", ".heif", ".svg", ".psd", ".dcm", ".nii", ".exr", ".dng", ".cr2", ".nef", ".jxl")
_WHITE_OF_16 = 65535  # white of 16 bits a channel
_CHUNK = 64  # pictures that a thread decodes at a time


class _Page(NamedTuple):
    path: Path
    label: str | None
    number: int


class _Form(NamedTuple):
    """What every picture of a folder is brought to."""

    first: Path
    height: int
    width: int
    grey: bool
    deep: bool
    resize: bool
    strict: bool
    background: Any


def read_folder(
    path: str | os.PathLike,
    split: str = "train",
    *,
    seed: int = 0,
    limit: int | None = None,
    size: tuple[int, int] | None = None,
    grayscale: bool | None = None,
    background: Any = "white",
    frames: str | None = None,
    scale: float | str | None = None,
    splits: bool = True,
    test_fraction: float | None = None,
    data_dir: str | os.PathLike | None = None,
    memory_limit: int = MEMORY_LIMIT,
) -> Data:
    """Read the pictures of a folder.

    ``folder/cat/1.png`` has the class cat, ``folder/1.png`` none. Folders called train, test or validation,
    in any case and form (`zoo.data.split_names`), are its splits, above or below the classes; without them
    a seed draws the splits. See `zoo.data.folder_layout.arrange`.

    A picture is read as viewers show it: turned by its EXIF orientation, through its palette, and where it is
    transparent on `background`.

    Args:
        path: the folder.
        split: "train", "test", "all", or "validation" where the folder has it. "test" is the validation
            split of a folder without a test split.
        seed: of the order and, where the folder has no splits, of the splits.
        limit: at most so many examples, drawn by the seed; no others are opened.
        size: (height, width) to resize to; needed where the pictures differ in size.
        grayscale: True for grey, False for colour, None for what the first one by name is.
        background: the colour that shows through transparent pixels.
        frames: of files with several pages or frames (TIFF, GIF, APNG, WebP): "all" for an example each, all
            in the split of their file, or "first". None refuses such files.
        scale: what the values are divided by; needed for pictures of more than 8 bits, and for those whose
            values are all from 2 to 20, see `zoo.data.scaling`.
        splits: whether folders called train, test, ... are splits; False takes them as classes.
        test_fraction: share of the test split, .2 for None; for a folder without splits.
        data_dir: where arrays that are too large for memory are kept, see `zoo.data.storage`.
        memory_limit: bytes up to which the array is held in memory.

    Returns:
        `Data` with inputs (n, height, width, 1 or 3), uint8 from 0 to 255, or float32 where `scale` is
        another number than 255; and labels where there are class folders.

    Raises:
        ValueError: for a folder without pictures, pictures of several sizes without `size`, and a picture
            that cannot be read, with its name.

    Example:
        >>> from pathlib import Path
        >>> for kind in ("cat", "dog"):
        ...     Path("pets", kind).mkdir(parents=True)
        ...     for i in range(5):
        ...         picture = np.random.default_rng(i).random((16, 16, 3))
        ...         keras.utils.save_img(f"pets/{kind}/{i}.png", picture)
        >>> data = zoo.data.load("pets", "all", size=(8, 8), grayscale=True)
        >>> data.inputs.shape, data.classes
        ((10, 8, 8, 1), ('cat', 'dog'))
    """
    path = Path(path)
    divisor = scaling.check_scale(scale)
    background = decoding.colour(background)
    grayscale = None if grayscale is None else truth(grayscale, "grayscale")
    if frames not in (None, "all", "first"):
        raise ValueError(f"frames must be 'all', 'first' or None; received {frames!r}.")
    layout = arrange(path, splits)
    everything, chosen = _choose(layout, path, split, seed, test_fraction)
    pages = _pages(chosen, frames, limit)
    form = _form(everything[0].path, size, grayscale, background)
    if form.deep and divisor is None:
        raise ValueError(
            f"{form.first} has pixels of more than 8 bits; expected scale=..., the value of white: 65535 for "
            "16 bits, 4095 for 12, 1 for floats from 0 to 1."
        )
    plain = form.deep or divisor not in (None, 255)
    shape = (len(pages), form.height, form.width, 1 if form.grey else 3)
    told: set[str] = set()

    def fill(array: np.ndarray) -> dict[str, np.ndarray]:
        def decode(start: int) -> None:
            for row in range(start, min(start + _CHUNK, len(array))):
                values, notes = _decode(pages[row], form, frames is None, divisor)
                array[row] = values / np.float32(divisor) if plain else values
                told.update(notes)
            release(array)

        with ThreadPoolExecutor() as pool:  # Pillow decodes without the interpreter's lock
            try:
                list(pool.map(decode, range(0, len(array), _CHUNK)))
            except ValueError:
                pool.shutdown(cancel_futures=True)
                raise
        if divisor is None and _black_and_white(array, everything, form, frames, path):
            pixels.stretch_binary(array)
        return {"notes": np.array(sorted(told), str)}  # a file that is read again tells them again

    options = (form.grey, background, frames, divisor)
    stamps = "".join(f"{p.path}{p.path.stat().st_mtime_ns}{p.number}" for p in pages) + str(options)
    form_name = "x".join(map(str, shape[1:]))
    inputs, small = build_array(
        shape,
        np.float32 if plain else np.uint8,
        fill,
        key=f"{path.resolve().name}-{split}-{form_name}-{zlib.crc32(stamps.encode()):08x}",
        data_dir=data_dir,
        memory_limit=memory_limit,
    )
    for note in small["notes"]:
        warnings.warn(f"{path}: {note}", stacklevel=3)
    unread = [ending for ending in layout.passed_over if ending in _UNREAD]
    if unread:
        warnings.warn(
            f"{path}: files that end in {', '.join(unread)} are not read; convert them to PNG or TIFF.",
            stacklevel=3,
        )
    labels, classes = _labels(layout, pages, path)
    kind = "grey" if form.grey else "colour"
    return Data(
        name=path.resolve().name,
        split=split,
        inputs=inputs,
        labels=labels,
        classes=classes,
        description=f"Pictures of the folder {path}, {form.height}x{form.width} {kind}{_passed_over(layout)}",
    )


def _choose(
    layout: Layout, root: Path, split: str, seed: int, test_fraction: float | None
) -> tuple[list[File], list[File]]:
    """All files in the order of their names, and those of a split in an order drawn by the seed."""
    name = f"The folder {root}"
    everything = [file for files in layout.parts.values() for file in files]
    share = share_of_test(test_fraction, name, own=None not in layout.parts)
    if None in layout.parts:
        check_split(split, name=name)
        order = split_rows(len(everything), split, share, seed, name)
        return everything, [everything[row] for row in order]
    present = [part for part in layout.parts if part is not None]
    files = [file for part in parts_read(split, present, name) for file in layout.parts[part]]
    if split == "all":
        return everything, files
    return everything, [files[row] for row in np.random.default_rng(seed).permutation(len(files))]


def _pages(files: Sequence[File], frames: str | None, limit: int | None) -> list[_Page]:
    """The examples of a split."""
    found: list[_Page] = []
    for file in files:
        if limit is not None and len(found) >= limit:
            break
        count = decoding.pages(file.path) if frames == "all" else 1
        found += [_Page(*file, number) for number in range(count)]
    return found[:limit]


def _form(
    first: Path, size: tuple[int, int] | None, grayscale: bool | None, background: Any
) -> _Form:
    example = decoding.decode(first, 0, background)
    image, deep = example.image, example.image.mode == "F"
    height, width = pixels.check_size(size) if size else (image.height, image.width)
    grey = example.grey if grayscale is None else grayscale
    return _Form(first, height, width, grey, deep, size is not None, grayscale is None, background)


def _decode(
    page: _Page, form: _Form, single: bool, divisor: float | None = None
) -> tuple[np.ndarray, list[str]]:
    """The pixels of one page, (height, width, 1 or 3) of uint8 or float32, and what is to be told of it."""
    from PIL import Image

    path = page.path
    picture = decoding.decode(path, page.number, form.background)
    image, height, width = picture.image, form.height, form.width
    if single and picture.pages > 1:
        raise ValueError(
            f"{path} holds {picture.pages} pages or frames: give frames='all' to take each as an example, or "
            "'first'."
        )
    if not form.resize and (image.height, image.width) != (height, width):
        raise ValueError(
            f"{path} is {image.height}x{image.width} and {form.first} is {height}x{width}: "
            "give size=(height, width) to resize all pictures."
        )
    if (image.mode == "F") != form.deep:
        raise ValueError(
            f"{path} and {form.first} differ in depth: one has 8 bits a channel, the other more. Convert one."
        )
    if form.strict and form.grey and not picture.grey and decoding.has_colours(image):
        raise ValueError(
            f"{path} has colours and {form.first} is grey: give grayscale=True, or False for colour."
        )
    if not form.deep:
        image = decoding.in_mode(image, "L" if form.grey else "RGB")
    low, high = image.getextrema() if form.deep else (0, 255)
    if form.resize and (image.height, image.width) != (height, width):
        image = image.resize((width, height), Image.Resampling.LANCZOS)
    array = np.asarray(image).reshape(height, width, -1)
    if form.deep:  # the filter overshoots, and floats have no bounds of their own
        array = np.clip(array, low, high)
        if not np.isfinite(array).all():
            raise ValueError(f"{path} holds NaN or infinity; expected finite numbers.")
    elif divisor is not None and divisor > 256:
        if not picture.reduced or divisor != _WHITE_OF_16:
            bits = "its 16 bits are read as their upper 8" if picture.reduced else "it has 8 bits"
            raise ValueError(
                f"scale={divisor:g} does not fit {path}: {bits} a channel. Take scale="
                f"{_WHITE_OF_16 if picture.reduced else 255}, or leave it out."
            )
        array = array * np.float32(_WHITE_OF_16 / 255)  # as what was stored
    notes = {
        f"transparent pictures are laid on {form.background}; choose by background=.": picture.transparent,
        "16 bits a channel are read as their upper 8.": picture.reduced,
    }
    return array, [note for note, true in notes.items() if true]


def _black_and_white(
    array: np.ndarray, files: Sequence[File], form: _Form, frames: str | None, root: Path
) -> bool:
    """Whether the pictures of the whole folder are only 0 and 1; the others are looked at where these are."""
    highest = scaling.peak(array, enough=scaling.FEW)
    for file in files if highest <= scaling.FEW else ():
        if highest > scaling.FEW:
            break
        pages = _pages([file], frames, None)
        highest = max(highest, *(float(_decode(page, form, False)[0].max()) for page in pages))
    return scaling.decide_scale(np.uint8, 4, highest, name=str(root)).divisor == 1


def _labels(
    layout: Layout, pages: Sequence[_Page], root: Path
) -> tuple[np.ndarray | None, tuple[str, ...] | None]:
    """The labels of the examples and the names of all classes; no labels where one example has none."""
    known = {file.label for files in layout.parts.values() for file in files}
    classes = ordered(label for label in known if label is not None)
    if not classes:
        return None, None
    labels = {page.label for page in pages}
    if None in labels:
        if len(labels) > 1:
            warnings.warn(
                f"{root}: one of its splits has no class folders; labels are left out.",
                stacklevel=4,
            )
        return None, None
    number: dict[str | None, int] = {label: index for index, label in enumerate(classes)}
    return np.array([number[page.label] for page in pages], np.int64), classes


def _passed_over(layout: Layout) -> str:
    if not layout.passed_over:
        return ""
    shown = ", ".join(f"{count} {ending}" for ending, count in layout.passed_over.items())
    return f"; passed over: {shown}"
