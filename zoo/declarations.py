"""What source files declare, read without importing them."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import pkgutil
import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any, NamedTuple

_PLUGINS = "zoo_plugins"
_DEFINITIONS = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


class Declared(NamedTuple):
    """A definition under ``@register(name, kind)``.

    Attributes:
        name: its name.
        kind: its kind.
        value: where it is, "module:attribute".
    """

    name: str
    kind: str
    value: str


@cache
def registered(package: str) -> tuple[Declared, ...]:
    """All that the modules of a package declare; nothing where there is no such package.

    A module that was distributed without its source is imported, and so registers its parts itself.
    """
    return tuple(declared for module in _modules(package) for declared in _registered(module))


def docstring_of(module: str, attribute: str) -> str:
    """The docstring of a definition, which a module may import from another; "" where there is none.

    Never fails: a broken package of somebody else gives a text that says so.
    """
    try:
        return _docstring(module, attribute)
    except Exception as error:
        return f"(cannot be read: {error})"


def _modules(package: str) -> Iterator[str]:
    spec = _spec(package)
    places = spec.submodule_search_locations if spec else ()
    for info in pkgutil.iter_modules(places, f"{package}."):
        if info.ispkg:
            yield from _modules(info.name)
        else:
            yield info.name


def _registered(module: str) -> Iterator[Declared]:
    source = _source(module)
    if source is None:
        importlib.import_module(module)
    elif "register(" in source:
        for node in ast.parse(source).body:
            if not isinstance(node, _DEFINITIONS):
                continue
            for decorator in node.decorator_list:
                if not isinstance(decorator, ast.Call):
                    continue
                if re.match(r"(\w+\.)*register\(", ast.unparse(decorator)):
                    words = [*decorator.args, *(keyword.value for keyword in decorator.keywords)]
                    name, kind = [*map(ast.literal_eval, words), "regularizer"][:2]
                    yield Declared(name, kind, f"{module}:{node.name}")


def _docstring(module: str, attribute: str) -> str:
    for node in ast.parse(_source(module) or "").body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == attribute:
            return ast.get_docstring(node) or ""
        if not isinstance(node, ast.ImportFrom):
            continue
        for alias in node.names:
            if (alias.asname or alias.name) == attribute:
                is_package = getattr(_spec(module), "submodule_search_locations", None) is not None
                here = module if is_package else module.rpartition(".")[0]
                there = "." * node.level + (node.module or "")
                return _docstring(importlib.util.resolve_name(there, here), alias.name)
    return ""


def _source(module: str) -> str | None:
    spec = _spec(module)
    if spec is None:
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)
    loader: Any = spec.loader  # of a file: it has a source
    return loader.get_source(module)


def _spec(module: str) -> ModuleSpec | None:
    """Where a module is. Only the path of its parents is followed: `find_spec` would import them."""
    top, *rest = module.split(".")
    spec = importlib.util.find_spec(top)
    if spec is None and top == _PLUGINS:
        spec = _plugins_of_a_checkout()
    for depth in range(len(rest)):
        if spec is None:
            break
        name = ".".join([top, *rest[: depth + 1]])
        spec = PathFinder.find_spec(name, spec.submodule_search_locations)
    return spec


def _plugins_of_a_checkout() -> ModuleSpec | None:
    """The zoo's own plugins where no install gives their folder its name as a package."""
    start = Path(__file__).parents[1] / "plugins" / "__init__.py"
    if not start.is_file():
        return None
    spec: Any = importlib.util.spec_from_file_location(_PLUGINS, start)  # a spec: there is the file
    sys.modules[_PLUGINS] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[_PLUGINS])
    return spec
