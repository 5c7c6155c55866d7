"""Nested settings and metrics as flat rows, and numbers as short texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from zoo.values import number_text

_INTERVAL = {"value", "low", "high"}


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A nested mapping as one of paths.

    Args:
        values: mappings within mappings; {"value", "low", "high"} is one value with its interval.
        prefix: in front of every path.

    Returns:
        "outer/inner" -> value, in the same order; an empty mapping stays as a value.
    """
    rows: dict[str, Any] = {}
    for key, value in values.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping) and value and not is_interval(value):
            rows.update(flatten(value, f"{path}/"))
        else:
            rows[path] = value
    return rows


def is_interval(value: Any) -> bool:
    """True for {"value": v, "low": l, "high": h}."""
    return isinstance(value, Mapping) and set(value) >= _INTERVAL


def number(value: Any) -> float | None:
    """The value as a float where it is one number, with or without an interval; else None."""
    if is_interval(value):
        value = value["value"]
    if isinstance(value, (np.ndarray, np.generic)) and np.ndim(value) == 0:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value)


def text(value: Any) -> str:
    """A value for a reader: four digits of a number, an interval, the range of a long list.

    Args:
        value: a number, text, None, a list or an array, or a value with its interval.

    Returns:
        One line.
    """
    if is_interval(value):
        return f"{text(value['value'])} [{text(value['low'])}, {text(value['high'])}]"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {text(entry)}" for key, entry in value.items()) or "none"
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return _list(value)
    if isinstance(value, np.generic):
        value = value.item()
    if value is None:
        return "none"
    if isinstance(value, float):
        return number_text(value)
    return str(value)


def _list(values: list[Any] | tuple[Any, ...]) -> str:
    numbers: list[Any] = [number(value) for value in values]
    if len(values) > 12 and all(entry is not None for entry in numbers):
        return f"{len(values)} values, {text(min(numbers))} to {text(max(numbers))}"
    return ", ".join(text(value) for value in values) or "none"
