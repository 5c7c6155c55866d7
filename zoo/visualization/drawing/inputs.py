"""Checks of what the figures are given, with one clear error for each fault."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from zoo.data.dataset import Data
from zoo.data.scaling import FEW, decide_scale, divide


def as_examples(values: Any, name: str = "x") -> np.ndarray:
    """Examples as a finite float array.

    Args:
        values: (n, *event), event of one to four axes, or a `zoo.data.Data`. Bytes mean what they mean to a
            model that is not told otherwise, see `zoo.data.scaling`: pictures (n, h, w, c) are divided by
            255, other bytes are not.
        name: what the array is called in an error.

    Returns:
        (n, *event), float32 or float64.

    Raises:
        ValueError: for no examples, another rank, a value that is not a finite number, or bytes that can be
            taken in two ways.
    """
    if isinstance(values, Data):  # whose bytes are pixels, however dark
        values = divide(values.inputs, 255.0) if values.inputs.dtype == np.uint8 else values.inputs
    array = _numeric(values, name)
    if array.ndim not in (2, 3, 4, 5):
        raise ValueError(
            f"{name} must be vectors (n, d), windows (n, time, channels), pictures (n, h, w) or "
            f"(n, h, w, channels), or volumes (n, d, h, w, channels); received shape {array.shape}."
        )
    if array.dtype == np.uint8:
        return _from_bytes(array, name)
    if array.dtype.kind != "f" or array.dtype.itemsize < 4:
        array = array.astype(np.float32)
    return _finite(array, name)


def as_codes(values: Any, name: str = "codes") -> np.ndarray:
    """Codes as a finite float64 array (n, units).

    Args:
        values: (n, units), or (n,) for one unit.
        name: what the array is called in an error.

    Returns:
        (n, units).

    Raises:
        ValueError: for no codes, another rank, or a value that is not a finite number.
    """
    array = _numeric(values, name)
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2:
        raise ValueError(
            f"{name} must have the shape (n, units); received {array.shape}. "
            "Flatten each code first."
        )
    return _finite(array.astype(np.float64), name)


def as_labels(values: Any, count: int, name: str = "labels") -> np.ndarray | None:
    """Labels as an array (n,), or None.

    Args:
        values: (n,) or (n, 1) numbers or strings, or None.
        count: the number of examples that they belong to.
        name: what the array is called in an error.

    Returns:
        (n,), or None.

    Raises:
        ValueError: where the labels are not one for each example.
    """
    if values is None:
        return None
    array = np.asarray(values)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.shape != (count,):
        raise ValueError(
            f"{name} must be one for each of the {count} examples, shape ({count},); "
            f"received shape {array.shape}."
        )
    return array


def class_name(label: Any, names: Sequence[str] | None) -> str:
    """What a label is called: its name where there are names and it is the index of one."""
    whole = isinstance(label, (int, np.integer))
    return str(
        names[int(label)] if names is not None and whole and 0 <= label < len(names) else label
    )


def decoder_of(model: Any) -> Callable[[np.ndarray], np.ndarray]:
    """The function from codes (n, units) to examples (n, *event).

    Args:
        model: a model with `decode`, or such a function itself.

    Returns:
        The function; its answer is a checked array of one example for each code.

    Raises:
        ValueError: for anything else.
    """
    decode = getattr(model, "decode", model)
    if not callable(decode):
        raise ValueError(
            "Expected a model with a decode method, or a function from codes (n, units) to "
            f"examples; received {type(model).__name__}."
        )

    def checked(codes: np.ndarray) -> np.ndarray:
        examples = as_examples(decode(codes.astype(np.float32)), "decode(codes)")
        if len(examples) != len(codes):
            raise ValueError(
                f"decode must return one example for each of the {len(codes)} codes; "
                f"received {len(examples)}."
            )
        return examples

    return checked


def _from_bytes(array: np.ndarray, name: str) -> np.ndarray:
    largest = int(array.max())
    if array.ndim >= 4 and 1 < largest <= FEW:
        raise ValueError(
            f"The pictures of {name} are bytes of at most {largest}, which may be pixels or counts. Pass the "
            f"floats that the model sees, such as {name} / {largest}."
        )
    return divide(array, decide_scale(array.dtype, array.ndim, largest).divisor)


def _numeric(values: Any, name: str) -> np.ndarray:
    array = np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{name} must be real numbers; received dtype {array.dtype}.")
    if array.size == 0:
        raise ValueError(f"{name} must not be empty; received shape {array.shape}.")
    return array


def _finite(array: np.ndarray, name: str) -> np.ndarray:
    bad = array.size - np.count_nonzero(np.isfinite(array))
    if bad:
        raise ValueError(
            f"{name} must be finite; received {bad} of {array.size} values that are NaN or "
            "infinite. Remove those examples, or look for the loss that became NaN."
        )
    return array
