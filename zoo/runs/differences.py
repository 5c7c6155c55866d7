"""What differs between two configurations, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MISSING = object()


def differences(saved: Any, current: Any, path: str = "") -> list[str]:
    """One phrase for each value that differs, such as "options.latents is 10 there and 12 here".

    Args:
        saved: what was saved: nested dicts, lists and plain values, as JSON gives them.
        current: what is now.
        path: name of the values.

    Returns:
        The phrases, empty where both are equal.
    """
    if isinstance(saved, Mapping) and isinstance(current, Mapping):
        found = []
        for key in [*saved, *(key for key in current if key not in saved)]:
            inner = f"{path}.{key}" if path else str(key)
            found += differences(saved.get(key, _MISSING), current.get(key, _MISSING), inner)
        return found
    if isinstance(saved, list) and isinstance(current, list) and len(saved) == len(current):
        pairs = enumerate(zip(saved, current, strict=True))
        return [phrase for i, (s, c) in pairs for phrase in differences(s, c, f"{path}[{i}]")]
    if saved == current or (saved != saved and current != current):  # NaN equals NaN here
        return []
    return [f"{path or 'it'} is {_shown(saved)} there and {_shown(current)} here"]


def _shown(value: Any) -> str:
    if value is _MISSING:
        return "not set"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
