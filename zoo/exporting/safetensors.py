"""The safetensors format without its package: a header of JSON, then the bytes of the arrays.

Source: the format's description, https://github.com/huggingface/safetensors#format.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from zoo.files import write_bytes

_KINDS = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "U8": "u1",
    "BOOL": "?",
}
_NAMES = {np.dtype(kind): name for name, kind in _KINDS.items()}
_LARGEST_HEADER = 100_000_000


def write(path: str | os.PathLike, arrays: Mapping[str, Any]) -> None:
    """Write arrays by name.

    Raises:
        ValueError: for a type of numbers that is not written.

    Example:
        >>> from zoo.exporting import safetensors
        >>> safetensors.write("weights.safetensors", {"b": np.arange(3, dtype="float32")})
        >>> safetensors.read("weights.safetensors")["b"].tolist()
        [0.0, 1.0, 2.0]
    """
    header: dict[str, Any] = {}
    parts, end = [], 0
    for name, value in arrays.items():
        array = np.ascontiguousarray(value)
        if array.dtype not in _NAMES:
            raise ValueError(
                f"safetensors holds {', '.join(map(str, _NAMES))}; received {array.dtype} for {name!r}."
            )
        start, end = end, end + array.nbytes
        header[name] = {
            "dtype": _NAMES[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [start, end],
        }
        parts.append(array.tobytes())
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    write_bytes(path, b"".join([len(text).to_bytes(8, "little"), text, *parts]))


def read(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """The arrays of a file by name; bfloat16 becomes float32.

    Raises:
        ValueError: for a file that is none, or of types that are not read.
    """
    data = Path(path).read_bytes()
    size = int.from_bytes(data[:8], "little")
    if len(data) < 8 or size > min(_LARGEST_HEADER, len(data) - 8) or data[8:9] != b"{":
        raise ValueError(
            f"{path} is not a safetensors file. (Pickles are not read: they run code.)"
        )
    header = json.loads(data[8 : 8 + size])
    body, found = memoryview(data)[8 + size :], {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        start, end = entry["data_offsets"]
        found[name] = _array(body[start:end], entry["dtype"], name).reshape(entry["shape"])
    return found


def _array(data: Any, kind: str, name: str) -> np.ndarray:
    if kind == "BF16":  # the upper half of a float32
        return (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32)
    if kind not in _KINDS:
        raise ValueError(f"{name!r} is of type {kind}; known: {', '.join([*_KINDS, 'BF16'])}.")
    return np.frombuffer(data, _KINDS[kind]).copy()
