"""Modules that a run imports because they register parts."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path


def import_modules(names: Sequence[str]) -> list[str]:
    """Import modules, those of the current folder among them.

    Args:
        names: each a dotted name, or the path of a .py file.

    Returns:
        The names, paths made absolute, so that another process can import the same.

    Raises:
        ValueError: where one cannot be imported, with the reason.
    """
    return [_imported(name) for name in dict.fromkeys(names)]


def _imported(name: str) -> str:
    file = Path(name).resolve() if name.endswith(".py") else None
    if file is not None and not file.is_file():
        raise ValueError(f"There is no module {name!r} to import: there is no such file.")
    folder = str(Path.cwd() if file is None else file.parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        module = importlib.import_module(name if file is None else file.stem)
    except Exception as error:  # whatever a module of somebody else may do
        raise ValueError(
            f"The module {name!r} cannot be imported: {type(error).__name__}: {error}"
        ) from error
    if file is None:
        return name
    there = getattr(module, "__file__", None)
    if there is None or Path(there).resolve() != file:
        raise ValueError(
            f"Another module is named {file.stem!r}: {there}. Rename {name!r}, or give its dotted name."
        )
    return str(file)
