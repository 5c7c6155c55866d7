"""What folders and arrays call the splits of a set, and which of them a split is read from."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable

PARTS = ("train", "validation", "test")
"""The parts that a set may come in, in the order in which "all" holds them."""

_WORDS = {
    "train": ("train", "training", "trn"),
    "validation": ("val", "valid", "validation", "dev", "development"),
    "test": ("test", "testing", "tst", "eval", "evaluation", "holdout"),
}
_PART = {word: part for part, words in _WORDS.items() for word in words}
_WORD = "|".join(sorted(_PART, key=len, reverse=True))
_FILLING = r"(?:set|data|split|images?|imgs?|pictures?|photos?|samples?|examples?)?"
_WHOLE = re.compile(rf"({_WORD})[-_ .]?{_FILLING}")
_BETWEEN = ("", "_", "-", ".", "/", " ")


def part_of(name: str) -> str | None:
    """The part that a folder's name says, whatever its case.

    Example:
        >>> [part_of(name) for name in ("Training", "val", "test_set", "trains")]
        ['train', 'validation', 'test', None]

    Args:
        name: such as "train", "Testing" or "validation_images".

    Returns:
        "train", "validation" or "test"; None for another name.
    """
    found = _WHOLE.fullmatch(name.strip().lower())
    return _PART[found[1]] if found else None


def named_part(name: str, bases: Collection[str]) -> tuple[str, str | None] | None:
    """The base and the part of a name that holds both, as ``x_train`` and ``test_images`` do.

    Example:
        >>> named_part("X_train", ("x", "y")), named_part("testY", ("x", "y")), named_part("mean", ("x",))
        (('x', 'train'), ('y', 'test'), None)

    Args:
        name: of an array.
        bases: the names without a part that are known, in lower case.

    Returns:
        (base, part), where the part is None for a bare base; None where the name holds no known base.
    """
    text = name.strip().lower()
    if text in bases:
        return text, None
    for word, base, mark in itertools.product(_PART, bases, _BETWEEN):
        if text in (word + mark + base, base + mark + word):
            return base, _PART[word]
    return None


def parts_read(split: str, present: Iterable[str], name: str) -> tuple[str, ...]:
    """The parts that a split is read from, for a set that comes in parts.

    "train" and "validation" are what is called so, "test" is the test part or, where there is none, the
    validation part; "all" is every part.

    Args:
        split: what was asked for.
        present: the parts that there are.
        name: what an error calls the set.

    Returns:
        Some of `PARTS`, in their order.

    Raises:
        ValueError: for a split that the set has not.
    """
    parts = tuple(part for part in PARTS if part in {*present})
    if split == "all":
        return parts
    part = "validation" if split == "test" and "test" not in parts else split
    if part not in parts:
        known = ", ".join((*parts, "all"))
        raise ValueError(f"{name} has the splits {known}; received split={split!r}.")
    return (part,)
