"""What an array must be before a model sees it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from zoo.data.precision import lost_columns, say_lost
from zoo.data.storage import MEMORY_LIMIT, bytes_in_memory, release
from zoo.values import counted

_CHUNK_BYTES = 64 << 20
PICTURES = 4  # the rank of an array of pictures


class Limits(NamedTuple):
    """Where numbers must lie.

    Attributes:
        low: the smallest that is allowed.
        high: the largest.
        positive: the largest of data that have no number below 0; above it they are undivided bytes.
        whole: whether fractions of 1 are refused, which are scaled counts. (Larger numbers with fractions may
            be counts that were corrected or estimated.)
        only_whole: whether every fraction is refused.
    """

    low: float = -np.inf
    high: float = np.inf
    positive: float = np.inf
    whole: bool = False
    only_whole: bool = False

    def hold(self, low: Any, high: Any) -> Any:
        """Whether data from `low` to `high` lie within, numbers or scalar tensors."""
        within = (low >= self.low) & (high <= self.high)
        if self.positive == np.inf:
            return within
        return within & ((low < 0) | (high <= self.positive))


def limits_of(bounds: tuple[float, float] | None, rank: int) -> Limits:
    """The limits that bounds stand for, see `check_inputs`."""
    if bounds is not None:
        return Limits(*bounds)
    return Limits(positive=1.0) if rank == PICTURES else Limits()


def check_inputs(
    array: Any,
    event_shape: Sequence[int] | None = None,
    name: str = "x",
    *,
    bounds: tuple[float, float] | None = None,
    minimum: int = 2,
    memory_limit: int = MEMORY_LIMIT,
) -> np.ndarray:
    """Return the examples as uint8 or float32, or say in one line what is wrong with them.

    Values are read in chunks, so that a memory-mapped file of any size is checked in constant memory.

    Args:
        array: (n, *event), anything that NumPy can read. uint8 is returned unchanged (it means 0 to 255);
            other floats and booleans become float32.
        event_shape: the shape that one example must have; None for any.
        name: what the error calls the array.
        bounds: the range that floats must keep to. None for any range, but for pictures (arrays of rank 4)
            that have no value below 0 and some above 1, which bytes that nobody divided by 255 have;
            (-inf, inf) for any range in those too.
        minimum: the smallest number of examples.
        memory_limit: bytes up to which a mapped file of other floats is converted; one that would take more
            is returned as it is, and its rows are converted where they are read.

    Returns:
        (n, *event) uint8 or float32, the same object where nothing had to be converted.

    Raises:
        ValueError: for objects, text, complex numbers or integers other than uint8, a wrong rank or shape,
            fewer than `minimum` examples, NaN or infinity, and pictures outside `bounds`.

    Example:
        >>> x = zoo.data.check_inputs(np.random.default_rng(0).random((20, 6)))
        >>> x.shape, str(x.dtype)
        ((20, 6), 'float32')
        >>> zoo.data.check_inputs([[1.0, 2.0], [3.0, np.nan]])
        Traceback (most recent call last):
            ...
        ValueError: x holds 1 value that is NaN or infinite as float32, the first at x[1, 1]. ...
    """
    array = read_array(array, name)
    limits = limits_of(bounds, array.ndim)
    return check_numbers(array, event_shape, name, limits, minimum, memory_limit=memory_limit)


def check_numbers(
    array: np.ndarray,
    event_shape: Sequence[int] | None,
    name: str,
    limits: Limits,
    minimum: int = 1,
    part: str = "",
    memory_limit: int = MEMORY_LIMIT,
) -> np.ndarray:
    """As `check_inputs`, for an array and `limits` of its floats.

    Args:
        array: (n, *event).
        event_shape: the shape that one example must have; None for any.
        name: what the error calls the array.
        limits: of floats; bytes are left to `zoo.trainer.byte_scale`.
        minimum: the smallest number of examples.
        part: " of a batch", where a place in the array is one in a batch of a stream.
        memory_limit: as in `check_inputs`.

    Returns:
        (n, *event) uint8 or float32, the same object where nothing had to be converted.

    Raises:
        ValueError: as in `check_inputs`.
    """
    _check_shape(array, event_shape, name, minimum)
    array = _convert(array, name, memory_limit, limits.only_whole)
    if array.dtype == np.uint8:
        return array
    low, high = _scan(array, name, part)
    scaled = low >= 0 and high <= 1
    if (limits.only_whole or (limits.whole and scaled)) and (array != np.rint(array)).any():
        raise ValueError(fraction_line(name, scaled))
    if not limits.hold(low, high):
        raise ValueError(range_line(name, array.ndim, limits, f"{low:g}", f"{high:g}"))
    return array


def range_line(name: str, rank: int, limits: Limits, low: str, high: str) -> str:
    """The error for floats outside of `limits` that reach from `low` to `high`."""
    pictures = rank == PICTURES and not limits.only_whole
    kind = "Pictures given as floats" if pictures else f"The values of {name}"
    least, most = limits.low, limits.high
    if limits.positive < np.inf:
        least, most = 0.0, limits.positive
    if limits.only_whole:
        hint = "They are counted, and taken as they are: leave out the others, or choose another likelihood."
    elif rank == PICTURES:
        hint = (
            "Rescale them (divide by 255 where they are bytes), or pass uint8. (Windows of time series in a "
            "file: load it with series=True.)"
        )
    elif limits.positive < np.inf:
        hint = "Divide them as the bytes that the model was given."
    else:
        hint = "Rescale them, or give the model a likelihood without bounds, such as 'normal'."
    return f"{kind} must lie in [{least:g}, {most:g}]; {name} reaches from {low} to {high}. {hint}"


def nonfinite_line(name: str, count: int, first: Sequence[int], part: str = "") -> str:
    """What is said of NaN and infinity.

    Args:
        name: of the data.
        count: of such values.
        first: index of the first.
        part: see `check_numbers`.

    Returns:
        One line.
    """
    many = count != 1
    return (
        f"{name} holds {counted(count, 'value')} that {'are' if many else 'is'} NaN or infinite as float32, "
        f"the first at {name}{[*first]}{part}. Remove or replace {'them' if many else 'it'}."
    )


def fraction_line(name: str, scaled: bool = True) -> str:
    """The error for fractions, where the likelihood counts; `scaled` where all lie from 0 to 1."""
    return (
        f"{name} holds fractions{' from 0 to 1' * scaled}, and the likelihood counts whole numbers. Give the "
        "counts as they are, not scaled, or choose a likelihood of real numbers, such as 'normal'."
    )


def kind_line(name: str, kind: str) -> str:
    """The error for numbers that are neither uint8 nor floats, and of text.

    Args:
        name: of the data.
        kind: the name of their type.

    Returns:
        One line.
    """
    if kind.startswith(("int", "uint")):
        return (
            f"{name} holds {kind}; expected uint8 (0 to 255) or floats. Convert it: "
            f"{name}.astype('uint8') for bytes, {name}.astype('float32') for other numbers."
        )
    return f"{name} holds {kind}; expected numbers: uint8 or floats."


def object_line(name: str, expected: str, where: str = "") -> str:
    """What is said of Python objects.

    Args:
        name: of the data.
        expected: see `expected_shape`.
        where: " in its columns a, b", of a table.

    Returns:
        One line.
    """
    return (
        f"{name} holds Python objects{where}; expected numbers of shape {expected}. Leave out text and "
        f"missing values, then convert the rest: {name}.astype('float32')."
    )


def shape_line(name: str, shape: Sequence[int | None], event_shape: tuple[int, ...]) -> str:
    """What is said of data of another shape.

    Args:
        name: of the data.
        shape: of the data; None where it is not known.
        event_shape: of one example, as the model takes it.

    Returns:
        One line.
    """
    received = ", ".join("n" if side is None else str(side) for side in shape)
    received += "," * (len(shape) == 1)
    hint = _shape_hint(tuple(shape), event_shape, name)
    return f"{name} must have shape {expected_shape(event_shape)}; received ({received}).{hint}"


def expected_shape(event_shape: Sequence[int] | None) -> str:
    """The shape of many examples as a reader writes it."""
    if event_shape is None:
        return "(n, features) or (n, height, width, channels)"
    return "(n, " + ", ".join(map(str, event_shape)) + ")"


def read_array(array: Any, name: str) -> np.ndarray:
    """What NumPy makes of `array`, or a ValueError that names it."""
    if isinstance(array, np.ndarray):
        return array
    try:
        return np.asarray(array)
    except (ValueError, TypeError) as error:
        received = _parts_line(array, name) or f"{type(array).__name__} that is not one: {error}"
        raise ValueError(
            f"{name} must be an array (n, ...) whose examples all have one shape; received a {received}"
        ) from error


def _parts_line(array: Any, name: str) -> str:
    """What is said of a list of inputs and what belongs to them, [x, y]; empty for other lists."""
    if not isinstance(array, list | tuple) or not 2 <= len(array) <= 3:
        return ""
    shapes: list[tuple[int, ...]] = [tuple(getattr(each, "shape", ())) for each in array]
    if not all(shapes) or len({shape[0] for shape in shapes}) > 1:
        return ""
    pair = "as the tuple (x, y)" if name == "validation_data" else "as y"
    return (
        f"{type(array).__name__} of {len(shapes)} arrays, of shapes {', '.join(map(str, shapes))}. Pass "
        f"labels apart, {pair}."
    )


def _check_shape(
    array: np.ndarray, event_shape: Sequence[int] | None, name: str, minimum: int
) -> None:
    event_shape = None if event_shape is None else tuple(event_shape)
    expected = expected_shape(event_shape)
    if array.dtype == object:
        raise ValueError(object_line(name, expected))
    if event_shape is not None and array.shape[1:] != event_shape:
        raise ValueError(shape_line(name, array.shape, event_shape))
    if array.ndim < 2:
        raise ValueError(f"{name} must have shape {expected}; received {array.shape}.")
    if 0 in array.shape:
        raise ValueError(f"{name} is empty: its shape is {array.shape}; expected {expected}.")
    if len(array) < minimum:
        raise ValueError(
            f"{name} holds {counted(len(array), 'example')}; at least {minimum} are needed."
        )


def _shape_hint(shape: tuple[int | None, ...], event: tuple[int, ...], name: str) -> str:
    if shape == event:
        return f" For a single example pass {name}[None]."
    if (*shape[1:], 1) == event:
        return f" Add the channel axis: {name}[..., None]."
    if len(event) > 1 and (*shape[2:], *shape[1:2]) == event:
        return f" Channels come last: numpy.moveaxis({name}, 1, -1)."
    if len(shape) == len(event) + 1 and sorted(map(str, shape[1:])) == sorted(map(str, event)):
        return f" Its axes stand in another order: numpy.transpose({name}, ...)."
    if len(shape) > 1 and math.prod(side or 0 for side in shape[1:]) == math.prod(event):
        return f" Reshape it: {name}.reshape({(-1, *event)})."
    return ""


def _convert(array: np.ndarray, name: str, memory_limit: int, integers: bool = False) -> np.ndarray:
    if array.dtype in (np.uint8, np.float32):
        return array
    if array.dtype.kind not in ("fbiu" if integers else "fb"):
        text = array.dtype.kind in "USOT"
        raise ValueError(kind_line(name, "text" if text else array.dtype.name))
    if isinstance(array, np.memmap) and bytes_in_memory(array) > memory_limit:
        return array
    if array.ndim == 2 and array.dtype.itemsize > 4:
        say_lost(name, lost_columns(array).tolist(), stacklevel=5)
    return _as_float32(array)


def _as_float32(array: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):  # what becomes infinite is reported by the scan
        return np.array(array, np.float32)  # a plain array, also of a memory map


def _scan(array: np.ndarray, name: str, part: str) -> tuple[float, float]:
    """The smallest and largest value; raises where one is not finite."""
    rows = max(1, _CHUNK_BYTES // max(1, array.nbytes // len(array)))
    low, high, count, first = np.inf, -np.inf, 0, None
    for start in range(0, len(array), rows):
        chunk = array[start : start + rows]
        chunk = chunk if chunk.dtype == np.float32 else _as_float32(chunk)
        least, most = float(chunk.min()), float(chunk.max())
        if np.isfinite(least) and np.isfinite(most):
            low, high = min(low, least), max(high, most)
            release(array)
            continue
        bad = ~np.isfinite(chunk)
        count += int(bad.sum())
        if first is None:
            row, *rest = map(int, np.unravel_index(bad.argmax(), bad.shape))
            first = [start + row, *rest]
    if first is not None:
        raise ValueError(nonfinite_line(name, count, first, part))
    return low, high
