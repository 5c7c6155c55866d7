"""Settings from the text of a command line.

500,500                     a list
0.5, 1e-3, none, true       plain values, as in Python but for the case of none, true and false
relu                        a text
student_t:df=3,scale=1      a part or a schedule with options
linear(start=0,end=1,steps=1000)      the same, where it stands among other options
[mmd,l1(weight=2)]          a list of such, also of one or none
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from typing import Any

_WORDS = {"none": None, "true": True, "false": False}
_COLON = re.compile(r"([A-Za-z_]\w*):(.*)", re.DOTALL)
_CALL = re.compile(r"([A-Za-z_]\w*)\((.*)\)", re.DOTALL)
_LIST = re.compile(r"\[(.*)\]", re.DOTALL)
_OPENING, _CLOSING = "([{", ")]}"


def named_values(texts: Sequence[str], flag: str) -> dict[str, Any]:
    """The values of ``name=value`` texts, the later of two of a name.

    Raises:
        ValueError: for a text without a name.
    """
    return dict(_pair(text, f"--{flag} {text}") for text in texts)


def part(text: str, flag: str) -> dict[str, Any]:
    """A part with its options, ``name`` or ``name:option=value,...``, as a dict with "name".

    Raises:
        ValueError: for anything else.
    """
    found = value(text)
    if isinstance(found, str) and found.isidentifier():
        return {"name": found}
    if isinstance(found, dict) and "name" in found:
        return found
    raise ValueError(f"--{flag} expects name or name:option=value,...; received {text!r}.")


def value(text: str) -> Any:
    """The value that a text stands for; see the head of this file.

    Raises:
        ValueError: for options without a name.
    """
    text = text.strip() or text  # a tab or a blank alone is meant
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    try:
        return _plain(ast.literal_eval(text))
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        pass
    match = _CALL.fullmatch(text) or _COLON.fullmatch(text)
    if match and (not match[2].strip() or "=" in match[2]):
        options = dict(_pair(item, text) for item in _split(match[2]) if item.strip())
        return {"name": match[1], **options}
    found = items(text)
    if found == [text] and (inner := _LIST.fullmatch(text)):
        return [value(item) for item in items(inner[1])]
    return [value(item) for item in found] if found and found != [text] else text


def items(text: str) -> list[str]:
    """The pieces between the commas that stand in no bracket, without empty ones."""
    return [item for item in _split(text) if item.strip()]


def _pair(text: str, whole: str) -> tuple[str, Any]:
    name, equals, rest = text.partition("=")
    name = name.strip()
    if not equals or not name.isidentifier():
        raise ValueError(f"Expected name=value; received {text!r} in {whole!r}.")
    return name, value(rest)


def _split(text: str) -> Iterator[str]:
    """The pieces between the commas that stand in no bracket."""
    depth, start = 0, 0
    for index, character in enumerate(text):
        depth += (character in _OPENING) - (character in _CLOSING)
        if character == "," and depth == 0:
            yield text[start:index]
            start = index + 1
    yield text[start:]


def _plain(found: Any) -> Any:
    """A literal as JSON would hold it.

    Raises:
        ValueError: for bytes, complex numbers and the like.
    """
    if isinstance(found, list | tuple):
        return [_plain(item) for item in found]
    if isinstance(found, dict):
        return {str(key): _plain(item) for key, item in found.items()}
    if found is None or isinstance(found, bool | int | float | str):
        return found
    raise ValueError(f"{found!r} is not a plain value.")
