"""What there is to choose from, with a line on each, read without importing TensorFlow."""

from __future__ import annotations

import ast
import importlib.util
import inspect
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from zoo import registry

# Kinds whose parts need TensorFlow: their names and docstrings are read from the sources.
_PACKAGES = {
    "model": "zoo.models",
    "regularizer": "zoo.regularizers",
    "prior": "zoo.distributions",
    "likelihood": "zoo.distributions",
}
KINDS = ("models", "datasets", "regularizers", "priors", "likelihoods", "experiments")

_Definition = ast.ClassDef | ast.FunctionDef


def describe(kinds: str) -> dict[str, str]:
    """The names of a kind and what each is.

    Args:
        kinds: one of `KINDS`.

    Returns:
        name -> first line of its docstring, sorted by name.

    Raises:
        ValueError: for an unknown kind.
    """
    if kinds not in KINDS:
        raise ValueError(f"Unknown list {kinds!r}.{registry.suggest(kinds, KINDS)}")
    if kinds == "experiments":
        from zoo.experiments import titles

        return titles()
    kind = kinds.removesuffix("s")
    if kind not in _PACKAGES:
        found = {name: registry.lookup(name, kind) for name in registry.names(kind)}
        return {name: _first_line(inspect.getdoc(part)) for name, part in found.items()}
    lines = dict(_written_in(_PACKAGES[kind], kind))
    if kind == "model":
        lines = {name: lines.get(name, "") for name in registry.names(kind)}
    if kind == "regularizer":
        for point in entry_points(group=registry.ENTRY_POINT_GROUP):
            lines.setdefault(point.name, _plugin(point))
    return dict(sorted(lines.items()))


def _written_in(package: str, kind: str) -> Iterator[tuple[str, str]]:
    """Name and first line of the parts of a kind that a package defines."""
    folder = Path(importlib.util.find_spec(package).origin).parent
    for path in sorted(folder.rglob("*.py")):
        for definition in _definitions(path):
            name = definition.name if kind == "model" else _registered(definition, kind)
            if name:
                yield name, _first_line(ast.get_docstring(definition))


def _definitions(path: Path) -> list[_Definition]:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return [node for node in body if isinstance(node, ast.ClassDef | ast.FunctionDef)]


def _registered(definition: _Definition, kind: str) -> str | None:
    """The name that ``@register("name", kind=...)`` gives, where it is of this kind."""
    for call in definition.decorator_list:
        if not isinstance(call, ast.Call) or not call.args:
            continue
        function = call.func
        called = function.attr if isinstance(function, ast.Attribute) else function.id
        kinds = [a.value for a in [*call.args[1:], *(k.value for k in call.keywords)]]
        if called == "register" and (kinds or ["regularizer"]) == [kind]:
            return call.args[0].value
    return None


def _plugin(point: EntryPoint) -> str:
    try:
        definitions = _definitions(Path(importlib.util.find_spec(point.module).origin))
    except Exception as error:  # a broken plugin of another package harms only itself
        return f"(cannot be read: {error})"
    found = (d for d in definitions if d.name == point.attr)
    return _first_line(next((ast.get_docstring(d) for d in found), ""))


def _first_line(docstring: str | None) -> str:
    return (docstring or "").strip().partition("\n")[0]
