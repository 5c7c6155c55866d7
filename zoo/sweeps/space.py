"""What a sweep varies: values of options, and ranges of numbers."""

from __future__ import annotations

import hashlib
import itertools
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

_LONGEST = 100  # characters of a folder's name
_WIDE = 100  # a range over more than two decades is searched by its logarithm


class Range(NamedTuple):
    """All numbers from `low` to `high`, both among them; whole ones where both are whole.

    Attributes:
        low: the least.
        high: the largest.

    Example:
        >>> from zoo.sweeps import Range
        >>> Range(5, 8).values()
        [5, 6, 7, 8]
        >>> Range(1e-4, 1e-2).logarithmic
        True
    """

    low: float
    high: float

    @property
    def whole(self) -> bool:
        """Whether its numbers are whole."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    @property
    def logarithmic(self) -> bool:
        """Whether numbers are drawn evenly by their logarithm: where the ends are 100 times apart or more."""
        return self.low > 0 and self.high / self.low >= _WIDE

    @property
    def size(self) -> float:
        """How many numbers it has; infinite for fractions."""
        return int(self.high) - int(self.low) + 1 if self.whole else math.inf

    def values(self) -> list[int]:
        """Its numbers, for a grid.

        Raises:
            ValueError: for a range of fractions, which has no end of them.
        """
        if not self.whole:
            raise ValueError(
                f"A grid cannot take all numbers from {self.low:g} to {self.high:g}. Name the values, or "
                "search with a number of trials."
            )
        return list(range(int(self.low), int(self.high) + 1))


Axes = Mapping[str, Sequence[Any] | Range]


def size(axes: Axes) -> float:
    """How many points there are; infinite where a range has fractions.

    Example:
        >>> from zoo.sweeps.space import Range, size
        >>> size({"beta": [1, 4], "latents": Range(2, 4)}), size({"beta": Range(0.1, 4)})
        (6, inf)
    """
    return math.prod(axis.size if isinstance(axis, Range) else len(axis) for axis in axes.values())


def checked(axes: Axes) -> dict[str, list[Any] | Range]:
    """The axes, each with at least one value, and none with one of them, or of their folders, twice.

    Raises:
        ValueError: otherwise.
    """
    found: dict[str, list[Any] | Range] = {}
    for name, axis in axes.items():
        if isinstance(axis, Range):
            if not axis.low < axis.high:
                raise ValueError(f"{name} must rise from its low to its high end; received {axis}.")
            found[name] = axis
            continue
        values = list(axis)
        if not values or any(values.count(value) > 1 for value in values):
            raise ValueError(f"{name} needs values, each once; received {values}.")
        folders = [label({name: value}) for value in values]
        if twice := [each for each in folders if folders.count(each) > 1]:
            raise ValueError(
                f"Two values of {name} would have one folder, {twice[0]!r}; received {values}. Give them in "
                "two sweeps."
            )
        found[name] = values
    if not found:
        raise ValueError("A sweep needs at least one option with several values.")
    return found


def grid(axes: Axes) -> list[dict[str, Any]]:
    """Every combination of the values, the last option varying fastest.

    Args:
        axes: option -> its values or a `Range` of whole numbers.

    Returns:
        A dict of option -> value for each combination.

    Raises:
        ValueError: for an option without values, or a range of fractions.

    Example:
        >>> from zoo.sweeps import Range, grid
        >>> grid({"beta": [1, 4], "latents": Range(2, 3)})[1]
        {'beta': 1, 'latents': 3}
    """
    lists = [axis.values() if isinstance(axis, Range) else axis for axis in checked(axes).values()]
    return [dict(zip(axes, values, strict=True)) for values in itertools.product(*lists)]


def label(point: Mapping[str, Any]) -> str:
    """A point in words, which is the name of its folder too.

    Example:
        >>> from zoo.sweeps.space import label
        >>> label({"beta": 4.0, "hidden": [64, 32], "prior": {"name": "laplace"}})
        'beta=4.0,hidden=64-32,prior=laplace'
    """
    words = ",".join(f"{name}={_word(value)}" for name, value in point.items())
    safe = re.sub(r"[^\w.,=+-]", "_", words)
    if len(safe) <= _LONGEST:
        return safe
    return f"{safe[: _LONGEST - 9]}-{hashlib.sha256(words.encode()).hexdigest()[:8]}"


def _word(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "-".join(map(_word, value)) or "none"
    if isinstance(value, Mapping):
        named = dict(value)
        name = str(named.pop("name", ""))
        return name + "".join(f"+{key}{_word(item)}" for key, item in named.items())
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)
