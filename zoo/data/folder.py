"""A folder of pictures: one subfolder for each class, or all in one."""

from __future__ import annotations

import os
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from zoo.data import pixels
from zoo.data.dataset import Data
from zoo.data.splitting import check_split, split_rows
from zoo.data.storage import MEMORY_LIMIT, build_array, release

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
"""Endings of the files that are read; others are passed over."""

_HELD_OUT = ("test", "validation", "val", "valid")
_GREY_MODES = ("1", "L", "LA")  # Pillow's
_CHUNK = 64  # pictures that a thread decodes at a time


class _Picture(NamedTuple):
    path: Path
    label: str | None


def read_folder(
    path: str | os.PathLike,
    split: str = "train",
    *,
    seed: int = 0,
    limit: int | None = None,
    size: tuple[int, int] | None = None,
    grayscale: bool | None = None,
    test_fraction: float = 0.2,
    data_dir: str | os.PathLike | None = None,
    memory_limit: int = MEMORY_LIMIT,
) -> Data:
    """Read the pictures of a folder.

    ``folder/cat/1.png`` has the class cat, ``folder/1.png`` none. Folders ``train`` and ``test`` (or
    ``validation``, ``val``, ``valid``) within it are its splits; without them a seed draws the splits.

    Args:
        path: the folder.
        split: "train", "test" or "all".
        seed: of the order and, where the folder has no splits, of the splits.
        limit: at most so many pictures, drawn by the seed; no others are opened.
        size: (height, width) to resize to; needed where the pictures differ in size.
        grayscale: True for grey, False for colour, None for what the first one by name is.
        test_fraction: share of the test split.
        data_dir: where arrays that are too large for memory are kept, see `zoo.data.storage`.
        memory_limit: bytes up to which the array is held in memory.

    Returns:
        `Data` with inputs (n, height, width, 1 or 3) uint8, and labels where there are class folders.

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
    everything, pictures = _choose(path, split, seed, test_fraction)
    pictures = pictures[:limit]
    first = everything[0].path
    with _open(first) as example:
        grey = example.mode in _GREY_MODES if grayscale is None else grayscale
        height, width = pixels.check_size(size) if size else (example.height, example.width)
    shape = (len(pictures), height, width, 1 if grey else 3)
    stamps = "".join(f"{p.path}{p.path.stat().st_mtime_ns}" for p in pictures)

    resize, strict = size is not None, grayscale is None

    def fill(array: np.ndarray) -> dict[str, np.ndarray]:
        def decode(start: int) -> None:
            for row in range(start, min(start + _CHUNK, len(array))):
                array[row] = _decode(pictures[row].path, array.shape[1:], resize, strict, first)
            release(array)

        with ThreadPoolExecutor() as pool:  # Pillow decodes without the interpreter's lock
            try:
                list(pool.map(decode, range(0, len(array), _CHUNK)))
            except ValueError:
                pool.shutdown(cancel_futures=True)
                raise
        return {}

    inputs, _ = build_array(
        shape,
        np.uint8,
        fill,
        key=f"{path.resolve().name}-{split}-{height}x{width}x{shape[-1]}-{zlib.crc32(stamps.encode()):08x}",
        data_dir=data_dir,
        memory_limit=memory_limit,
    )
    classes = sorted({picture.label for picture in everything if picture.label is not None})
    number = {label: index for index, label in enumerate(classes)}
    labels = [number[picture.label] for picture in pictures] if classes else None
    return Data(
        name=path.resolve().name,
        split=split,
        inputs=inputs,
        labels=None if labels is None else np.array(labels, np.int64),
        classes=tuple(classes) or None,
        description=f"Pictures of the folder {path}, {height}x{width} {'grey' if grey else 'colour'}",
    )


def _choose(
    root: Path, split: str, seed: int, test_fraction: float
) -> tuple[list[_Picture], list[_Picture]]:
    """All pictures in the order of their names, and those of a split in an order drawn by the seed."""
    check_split(split, name=f"The folder {root}")
    held_out = next((name for name in _HELD_OUT if (root / name).is_dir()), "test")
    parts = {"train": root / "train", "test": root / held_out}
    parts = {part: folder for part, folder in parts.items() if folder.is_dir()}
    if len(parts) == 2:
        found = {part: _find(folder) for part, folder in parts.items()}
        pictures = found.get(split) or [*found["train"], *found["test"]]
        everything = [picture for part in found.values() for picture in part]
        order = np.random.default_rng(seed).permutation(len(pictures))
    else:
        # A lone "train" is the place of all pictures, not a class.
        alone = len([entry for entry in root.iterdir() if entry.is_dir()]) == len(parts) == 1
        everything = pictures = _find(*parts.values() if alone else (root,))
        order = split_rows(len(pictures), split, test_fraction, seed, f"The folder {root}")
    return everything, [pictures[row] for row in order]


def _find(folder: Path) -> list[_Picture]:
    found = []
    for place, folders, files in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        below = Path(place).relative_to(folder).parts
        found += [
            _Picture(Path(place, name), below[0] if below else None)
            for name in sorted(files)
            if name.lower().endswith(SUFFIXES) and not name.startswith(".")
        ]
    kinds = {picture.label is None for picture in found}
    if not found:
        raise ValueError(
            f"{folder} holds no pictures; expected files that end in {', '.join(SUFFIXES)}, loose or in "
            "one subfolder for each class."
        )
    if len(kinds) > 1:
        raise ValueError(
            f"{folder} holds pictures both loose and in subfolders; expected one subfolder for each class, "
            "or no subfolders."
        )
    return found


def _open(path: Path):
    """An image of Pillow, whose pixels are not read yet."""
    from PIL import Image, UnidentifiedImageError

    try:
        picture = Image.open(path)
    except (UnidentifiedImageError, OSError) as error:
        raise ValueError(f"{path} cannot be read as a picture: {error}") from error
    if picture.mode.startswith(("I", "F")):
        raise ValueError(
            f"{path} has pixels of type {picture.mode!r}; expected 8 bits for each channel. Convert it, or "
            "give the pictures as a .npy file of floats in [0, 1]."
        )
    return picture


def _decode(
    path: Path, event: tuple[int, ...], resize: bool, strict: bool, first: Path
) -> np.ndarray:
    """The pixels of one picture, (height, width, 1 or 3) uint8."""
    from PIL import Image

    height, width, channels = event
    with _open(path) as picture:
        if not resize and (picture.height, picture.width) != (height, width):
            raise ValueError(
                f"{path} is {picture.height}x{picture.width} and {first} is {height}x{width}: "
                "give size=(height, width) to resize all pictures."
            )
        if strict and channels == 1 and picture.mode not in _GREY_MODES:
            raise ValueError(
                f"{path} has colours and {first} is grey: give grayscale=True, or False for colour."
            )
        try:
            picture = picture.convert("L" if channels == 1 else "RGB")
            if resize:
                picture = picture.resize((width, height), Image.Resampling.LANCZOS)
        except (OSError, SyntaxError, ValueError) as error:  # what Pillow raises for broken files
            raise ValueError(f"{path} is damaged: {error}") from error
        return np.asarray(picture).reshape(event)
