"""How the pictures of a folder lie in it: which file has which class and which part."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from zoo.data.arrays import composed
from zoo.data.split_names import PARTS, part_of

SUFFIXES = (
    *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".gif", ".tif", ".tiff", ".webp"),
    *(".pbm", ".pgm", ".ppm", ".pnm", ".tga", ".jp2", ".avif"),
)
"""Endings of the files that are read, in any case; others are passed over."""


class File(NamedTuple):
    """A picture file and the name of its class, None in a folder without classes."""

    path: Path
    label: str | None


class Layout(NamedTuple):
    """The files of a folder.

    Attributes:
        parts: "train", "validation", "test" -> files, or None -> files where the folder has no splits.
        passed_over: ending -> number of files that are not read.
    """

    parts: dict[str | None, list[File]]
    passed_over: dict[str, int]


class _Found(NamedTuple):
    path: Path
    folders: tuple[str, ...]


def arrange(root: Path, splits: bool = True) -> Layout:
    """Find the pictures of a folder, their classes and their parts.

    These are understood, ``train`` standing for any name that `zoo.data.split_names.part_of` knows::

        root/1.png              no classes, no splits
        root/cat/1.png          classes
        root/train/1.png        splits
        root/train/cat/1.png    splits, then classes
        root/cat/train/1.png    classes, then splits
        root/only/...           any of these within a folder that stands alone

    Args:
        root: the folder.
        splits: whether names of splits are splits; False takes them as classes.

    Returns:
        The files, sorted by name.

    Raises:
        ValueError: for a folder without pictures, pictures both loose and in subfolders, split folders beside
            others, and two folders of one part.
    """
    found, passed_over = _walk(root)
    if not found:
        raise ValueError(
            f"{root} holds no pictures; expected files that end in {', '.join(SUFFIXES)}, loose or in one "
            "subfolder for each class."
        )
    found = _within_lone_folders(found, splits)
    level = _level_of_parts(root, found) if splits else None
    parts: dict[str | None, list[File]] = {}
    for path, folders in found:
        part = None if level is None else part_of(folders[level])
        classes = [folder for place, folder in enumerate(folders) if place != level]
        parts.setdefault(part, []).append(File(path, classes[0] if classes else None))
    for part, files in parts.items():
        if len({file.label is None for file in files}) > 1:
            where = root if part is None else f"The part {part} of {root}"
            raise ValueError(
                f"{where} holds pictures both loose and in subfolders; expected one subfolder for each "
                "class, or no subfolders."
            )
    return Layout({part: parts[part] for part in (None, *PARTS) if part in parts}, passed_over)


def _walk(root: Path) -> tuple[list[_Found], dict[str, int]]:
    found: list[_Found] = []
    passed_over: Counter[str] = Counter()
    for place, folders, files in os.walk(root, followlinks=True):
        above = _above(Path(place), root)
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and os.path.realpath(Path(place, name)) not in above
        )
        below = tuple(map(composed, Path(place).relative_to(root).parts))
        for name in sorted(name for name in files if not name.startswith(".")):
            path = Path(place, name)
            if path.suffix.lower() in SUFFIXES:
                found.append(_Found(path, below))
            else:
                passed_over[path.suffix.lower() or name] += 1
    return found, dict(sorted(passed_over.items()))


def _above(place: Path, root: Path) -> set[str]:
    """Where a folder and those that it lies in are, which a link must not lead back to."""
    depth = len(place.relative_to(root).parts)
    return {os.path.realpath(path) for path in (place, *place.parents[:depth])}


def _within_lone_folders(found: list[_Found], splits: bool) -> list[_Found]:
    """The same files without the folders that all share, such as that of an archive, or a lone "train".

    The last one stays where it may be a class.
    """
    while len({folders[:1] for _, folders in found}) == 1 and found[0].folders:
        inner = all(len(folders) > 1 for _, folders in found)
        if not inner and not (splits and part_of(found[0].folders[0])):
            break
        found = [_Found(path, folders[1:]) for path, folders in found]
    return found


def _level_of_parts(root: Path, found: Sequence[_Found]) -> int | None:
    """Where the names of parts stand: 0 for train/cat, 1 for cat/train; None where there are none."""
    for level in (0, 1):
        names = sorted({folders[level] for _, folders in found if len(folders) > level})
        parts = [name for name in names if part_of(name)]
        if not parts:
            continue
        others = [name for name in names if not part_of(name)]
        others += ["loose pictures"] * any(len(folders) <= level for _, folders in found)
        if others:
            raise ValueError(
                f"{root} holds the split folders {', '.join(parts)} beside {', '.join(others)}: expected "
                "only split folders, or none. Move one or the other, or give splits=False to take all as "
                "classes."
            )
        if level == 0 and len({part_of(name) for name in parts}) < len(parts):
            raise ValueError(
                f"{root} holds {', '.join(parts)}, of which two name one split; expected one folder for each "
                "split."
            )
        return level
    return None
