"""What the bytes that a model is given mean: decided by the first that come, or by hand, and then kept."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.data.checks import Limits, limits_of
from zoo.data.scaling import FEW, check_scale, decide_scale, divide, peak

_BYTE = 255.0
DECIDED = "decided"


class ByteScale:
    """What uint8 values of one field are divided by; see `zoo.data.scaling` for the decision.

    Args:
        given: what the user says: a number, "none", or None to decide by the first bytes that come; or what
            `kept` gave.
        rank: of an array of many rows.
        bounds: the range of the values that the likelihood takes, or None.

    Attributes:
        divisor: the values that the model sees are value / divisor; None until it is known.
        counts: whether the likelihood is one of whole numbers.
        only_whole: whether it takes nothing else.
        changes: how often a graph that was traced before holds another divisor.
    """

    def __init__(self, given: Any, rank: int, bounds: tuple[float, float] | None):
        kept = isinstance(given, Mapping)
        self.given = None if kept else check_scale(given)
        self.divisor: float | None = given[DECIDED] if kept else self.given
        self.rank = rank
        self.bounds = bounds
        self.counts = self.only_whole = False
        self.changes = 0
        self._zeros = False

    @property
    def kept(self) -> Any:
        """What is to be saved: the number that was given, or that was decided, told apart."""
        undecided = self.given is not None or self.divisor is None
        return self.given if undecided else {DECIDED: self.divisor}

    @property
    def limits(self) -> Limits:
        """Where the values that the model sees must lie."""
        limits = limits_of(self.bounds, self.rank)._replace(
            whole=self.counts, only_whole=self.only_whole
        )
        if self.bounds is not None:
            return limits
        if self.given is not None:  # also of pictures, whose values need not end at 1
            return limits._replace(positive=_BYTE / self.given if self.given != 1 else np.inf)
        if self.counts:
            return limits._replace(positive=np.inf)
        if self.divisor not in (None, 1.0):
            return limits._replace(positive=_BYTE / self.divisor)
        return limits

    @property
    def largest(self) -> float:
        """The largest byte that is within the limits."""
        limits = self.limits
        return min(limits.high, limits.positive) * (self.divisor or 1.0)

    def taken(self, array: np.ndarray, name: str) -> np.ndarray:
        """Bytes that came: decide by them where nothing is decided, and hold them to the limits.

        Args:
            array: (n, ...) uint8.
            name: what a message calls it.

        Returns:
            The array. Zeros alone decide nothing, and are 0 whatever they are divided by.

        Raises:
            ValueError: for bytes that can be taken in two ways, or do not fit what was decided.
        """
        if self.divisor is None:
            pictures = self.rank >= 4 and not self.counts
            largest = peak(array, enough=FEW if pictures else np.inf)
            if largest <= 0:
                self._zeros = True
                return array
            found = decide_scale(
                np.uint8, self.rank, largest, name=name, bounds=self.bounds, counts=self.counts
            )
            self.divisor = found.divisor
            self.changes += self._zeros
            if found.said:
                _warn(found.said)
        if self.largest < _BYTE and (largest := peak(array, enough=self.largest)) > self.largest:
            raise ValueError(self.line(name, f"{largest:g}"))
        return array

    def pixels(self, name: str) -> None:
        """Note that bytes are those of a `zoo.data.Data`: pixels from 0 to 255.

        Raises:
            ValueError: where the model takes bytes otherwise.
        """
        if self.counts or self.divisor not in (None, _BYTE):
            takes = "counts whole numbers" if self.counts else f"divides bytes by {self.divisor:g}"
            raise ValueError(
                f"{name} is a record whose bytes are pixels from 0 to 255, and the model {takes}. Load it "
                "with scale='none', which keeps the numbers of the file as floats."
            )
        self.changes += self._zeros and self.divisor is None
        self.divisor = _BYTE

    def line(self, name: str, largest: str) -> str:
        """The error for bytes that are larger than `largest` allows."""
        return (
            f"{name} holds bytes up to {largest}, and the model takes them up to {self.largest:g}: it "
            f"divides them by {self.divisor:g}. Create it with scale=255 for pixels, with scale='none' for "
            "other numbers."
        )

    def divided(self, array: np.ndarray) -> np.ndarray:
        """Checked numbers as the model sees them, float32."""
        if array.dtype != np.uint8:
            return array
        return divide(array, self.divisor or 1.0)

    def floats(self, x: tf.Tensor) -> tf.Tensor:
        """Bytes as the model sees them, float32, in a graph.

        Raises:
            ValueError: where nothing is decided.
        """
        if self.divisor is None and not self._zeros:
            raise ValueError(
                "Nothing says yet what bytes mean to this model. Create it with scale=255 for pixels, with "
                "scale='none' for other numbers, or give it an array first."
            )
        numbers = tf.cast(x, tf.float32)
        if self.divisor in (None, 1.0):
            return numbers
        # Of an ordinary division TensorFlow makes a product, which is not NumPy's quotient in the last bit.
        return tf.math.divide_no_nan(numbers, self.divisor)


def _warn(text: str) -> None:
    """Warn at the line that led here, outside of this package and of Keras."""
    frame, level = inspect.currentframe(), 1
    while frame is not None and _inner(frame.f_globals.get("__name__", "")):
        frame, level = frame.f_back, level + 1
    warnings.warn(text, stacklevel=level)


def _inner(module: str) -> bool:
    return module.partition(".")[0] in ("zoo", "keras", "tensorflow", "contextlib")
