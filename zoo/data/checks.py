"""What an array must be before a model sees it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from zoo.data.storage import MEMORY_LIMIT, release

_CHUNK_BYTES = 64 << 20


def check_inputs(
    array: Any,
    event_shape: Sequence[int] | None = None,
    name: str = "x",
    *,
    bounds: tuple[float, float] | None = None,
    minimum: int = 2,
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
    array = _read(array, name)
    _check_shape(array, event_shape, name, minimum)
    array = _convert(array, name)
    if array.dtype == np.uint8:
        return array
    low, high = _scan(array, name)
    if bounds is None and array.ndim == 4 and low >= 0:
        bounds = (0.0, 1.0)
    if bounds is not None and (low < bounds[0] or high > bounds[1]):
        kind = "Pictures given as floats" if array.ndim == 4 else f"The values of {name}"
        hint = "Rescale them (divide by 255 where they are bytes), or pass uint8."
        if array.ndim == 2:
            hint = "Rescale them, or give the model a likelihood without bounds, such as 'normal'."
        raise ValueError(
            f"{kind} must lie in [{bounds[0]:g}, {bounds[1]:g}]; {name} reaches from {low:g} to {high:g}. "
            f"{hint}"
        )
    return array


def _read(array: Any, name: str) -> np.ndarray:
    if isinstance(array, np.ndarray):
        return array
    try:
        return np.asarray(array)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"{name} must be an array (n, ...) whose examples all have one shape; received a "
            f"{type(array).__name__} that is not one: {error}"
        ) from error


def _check_shape(
    array: np.ndarray, event_shape: Sequence[int] | None, name: str, minimum: int
) -> None:
    expected = "(n, features) or (n, height, width, channels)"
    if event_shape is not None:
        event_shape = tuple(event_shape)
        expected = "(n, " + ", ".join(map(str, event_shape)) + ")"
    if array.dtype == object:
        raise ValueError(
            f"{name} holds Python objects of shape {array.shape}; expected numbers of shape {expected}. "
            "Do all examples have one shape and no missing value?"
        )
    if event_shape is not None and array.shape[1:] != event_shape:
        hint = _shape_hint(array.shape, event_shape, name)
        raise ValueError(f"{name} must have shape {expected}; received {array.shape}.{hint}")
    if array.ndim < 2:
        raise ValueError(f"{name} must have shape {expected}; received {array.shape}.")
    if 0 in array.shape:
        raise ValueError(f"{name} is empty: its shape is {array.shape}; expected {expected}.")
    if len(array) < minimum:
        raise ValueError(
            f"{name} holds {len(array)} example{'s' * (len(array) != 1)}; at least {minimum} are needed."
        )


def _shape_hint(shape: tuple[int, ...], event: tuple[int, ...], name: str) -> str:
    if shape == event:
        return f" For a single example pass {name}[None]."
    if (*shape[1:], 1) == event:
        return f" Add the channel axis: {name}[..., None]."
    if len(shape) > 1 and np.prod(shape[1:]) == np.prod(event):
        return f" Reshape it: {name}.reshape({(-1, *event)})."
    return ""


def _convert(array: np.ndarray, name: str) -> np.ndarray:
    if array.dtype in (np.uint8, np.float32):
        return array
    if array.dtype.kind in "iu":
        raise ValueError(
            f"{name} holds {array.dtype}; expected uint8 (0 to 255) or floats. "
            f"Convert it: {name}.astype('uint8') for bytes, {name}.astype('float32') for other numbers."
        )
    if array.dtype.kind not in "fb":
        raise ValueError(f"{name} holds {array.dtype}; expected numbers: uint8 or floats.")
    if isinstance(array, np.memmap) and array.nbytes > MEMORY_LIMIT:
        raise ValueError(
            f"{name} is a memory-mapped file of {array.dtype} that is too large to convert in memory; "
            "expected uint8 or float32. Save the file as float32 once."
        )
    with np.errstate(over="ignore"):  # what becomes infinite is reported by the scan
        return np.array(array, np.float32)  # a plain array, also of a memory map


def _scan(array: np.ndarray, name: str) -> tuple[float, float]:
    """The smallest and largest value; raises where one is not finite."""
    rows = max(1, _CHUNK_BYTES // max(1, array.nbytes // len(array)))
    low, high, count, first = np.inf, -np.inf, 0, None
    for start in range(0, len(array), rows):
        chunk = array[start : start + rows]
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
        raise ValueError(
            f"{name} holds {count} value{'s' * (count != 1)} that {'are' if count > 1 else 'is'} NaN or "
            f"infinite as float32, the first at {name}{first}. Remove or replace "
            f"{'them' if count > 1 else 'it'}."
        )
    return low, high
