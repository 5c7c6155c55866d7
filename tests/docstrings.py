"""Docstrings in Google's style, read from the sources: nothing is imported."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILES = sorted([*(ROOT / "zoo").rglob("*.py"), *(ROOT / "plugins").rglob("*.py")])
SECTIONS = ("Args", "Attributes", "Returns", "Yields", "Raises", "Warns", "Example", "Examples")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_ENTRY = re.compile(r"(\*{0,2}[\w.]+):\s+(\S.*)")


@dataclass(frozen=True)
class Definition:
    """A function, class or method with a docstring."""

    path: Path
    name: str
    node: ast.AST
    owner: ast.ClassDef | None = None

    @property
    def place(self) -> str:
        """Where a reader finds it."""
        return f"{self.path.relative_to(ROOT)}:{self.node.lineno} {self.name}"

    @property
    def public(self) -> bool:
        """True where no part of its name starts with an underscore."""
        return not any(part.startswith("_") for part in self.name.split("."))


@dataclass
class Section:
    """A section of a docstring: the text beside its heading, and the lines below, dedented."""

    heading: str
    beside: str
    lines: list[str] = field(default_factory=list)

    def entries(self) -> tuple[dict[str, str], list[str]]:
        """Name -> text of every ``name: text``, and the lines that begin no entry and continue none."""
        entries: dict[str, str] = {}
        stray, last = [], None
        for line in self.lines:
            match = _ENTRY.fullmatch(line)
            if match:
                last = match[1]
                if last in entries:
                    stray.append(line)
                entries[last] = match[2]
            elif line.startswith("    ") and last:
                entries[last] += " " + line.strip()
            elif line.strip():
                stray.append(line)
        return entries, stray


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text())


def definitions(path: Path) -> Iterator[Definition]:
    """Every function, class and method of a file that has a docstring, functions in functions left out."""
    for node in parsed(path).body:
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)) and ast.get_docstring(node):
            yield Definition(path, node.name, node)
        if isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, FUNCTIONS) and ast.get_docstring(inner):
                    yield Definition(path, f"{node.name}.{inner.name}", inner, node)


def sections(docstring: str) -> list[Section]:
    """The sections of a docstring, as `ast.get_docstring` gives it."""
    found: list[Section] = []
    inside, before = False, ""
    for line in docstring.splitlines():
        heading = re.match(rf"({'|'.join(SECTIONS)}):(.*)", line)
        if heading:
            found.append(Section(heading[1], heading[2].strip()))
            inside = True
        elif line and line[0] != " " and not before:
            inside = False  # prose after a section
        elif inside:
            found[-1].lines.append(line[4:] if line.startswith("    ") or not line else f"\0{line}")
        before = line
    return found


def parameters(definition: Definition) -> list[str]:
    """The names of a signature in its order, ``*`` and ``**`` before those that have them."""
    node = definition.node
    if isinstance(node, ast.ClassDef):
        return _of_class(node, definition.path)
    static = any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in node.decorator_list)
    return _of_function(node, bound=definition.owner is not None and not static)


def _of_function(node: ast.FunctionDef, bound: bool) -> list[str]:
    given = node.args
    names = [argument.arg for argument in [*given.posonlyargs, *given.args]][bound:]
    if given.vararg:
        names.append(f"*{given.vararg.arg}")
    names += [argument.arg for argument in given.kwonlyargs]
    if given.kwarg:
        names.append(f"**{given.kwarg.arg}")
    return names


def _of_class(node: ast.ClassDef, path: Path) -> list[str]:
    for inner in node.body:
        if isinstance(inner, FUNCTIONS) and inner.name == "__init__":
            return _of_function(inner, bound=True)
    bases = [ast.unparse(base).removeprefix("zoo.") for base in node.bases]
    record = "NamedTuple" in bases or any("dataclass" in ast.dump(d) for d in node.decorator_list)
    own = [
        inner.target.id
        for inner in node.body
        if record and isinstance(inner, ast.AnnAssign) and "ClassVar" not in ast.dump(inner)
    ]
    for base in bases:
        if base in classes():
            above, place = classes()[base]
            inherited = _of_class(above, place)
            return [*inherited, *(name for name in own if name not in inherited)]
    return own


@cache
def classes() -> dict[str, tuple[ast.ClassDef, Path]]:
    """Every class of the sources by name."""
    return {
        node.name: (node, path)
        for path in FILES
        for node in parsed(path).body
        if isinstance(node, ast.ClassDef)
    }


def own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function's body, those of functions and classes within it left out."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (*FUNCTIONS, ast.Lambda, ast.ClassDef)):
            continue
        yield child
        yield from own_nodes(child)
