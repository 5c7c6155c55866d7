"""What a docstring says of arguments, answers and errors agrees with the code below it."""

from __future__ import annotations

import ast
import builtins
import re

import pytest

from tests.docstrings import (
    FILES,
    ROOT,
    Definition,
    classes,
    definitions,
    own_nodes,
    parameters,
    parsed,
    sections,
)


def faults(definition: Definition) -> list[str]:
    """What is wrong with the sections of one docstring, a line each."""
    present = sections(ast.get_docstring(definition.node))
    found = _left_out({section.heading: section for section in present}, definition)
    for section in present:
        if section.beside:
            found.append(f"{section.heading}: begins beside its heading; begin on the next line")
        if not any(line.strip() for line in section.lines):
            found.append(f"{section.heading}: is empty")
        found += [
            f"{section.heading}: {line[1:]!r} must be indented by 4 spaces"
            for line in section.lines
            if line.startswith("\0")
        ]
        found += _CHECKS.get(section.heading, lambda *_: [])(section, definition)
    return found


def _args(section, definition):
    entries, stray = section.entries()
    expected = parameters(definition)
    found = [f"Args: {line!r} begins no argument and continues none" for line in stray]
    unknown = [name for name in entries if name not in expected]
    if unknown:
        found.append(f"Args: {unknown} are not among {expected}")
    elif list(entries) != [name for name in expected if name in entries]:
        found.append(f"Args: {list(entries)} are in another order than {expected}")
    # A constructor's own arguments; what it passes on to Keras's layers is told there.
    passed_on = {"**kwargs"} if isinstance(definition.node, ast.ClassDef) else set()
    missing = [name for name in expected if name not in entries and name not in passed_on]
    if missing and definition.public:
        found.append(f"Args: {missing} are left out")
    for name, text in entries.items():
        within = [word for word in re.findall(r"[.;] (\*{0,2}\w+): ", text) if word in expected]
        if within:
            found.append(f"Args: {within} are explained within the entry of {name!r}")
    return found


def _returns(section, definition):
    if isinstance(definition.node, ast.ClassDef):
        return ["Returns: in the docstring of a class"]
    gives = _gives(definition.node) or _abstract(definition.node)
    return [] if gives else ["Returns: nothing is returned"]


def _yields(section, definition):
    return [] if _yielding(definition.node) else ["Yields: nothing is yielded"]


def _raises(section, definition):
    entries, stray = section.entries()
    found = [f"Raises: {line!r} begins no error and continues none" for line in stray]
    return found + [
        f"Raises: {name} is not an exception that this file knows"
        for name in entries
        if not _is_exception(name, definition.path)
    ]


def _left_out(present, definition):
    """Sections that are missing where the arguments are explained one by one."""
    node = definition.node
    if "Args" not in present or isinstance(node, ast.ClassDef) or not definition.public:
        return []
    found = []
    if not present.keys() & {"Returns", "Yields"}:
        found += ["Returns: is left out"] * _gives(node) + ["Yields: is left out"] * _yields_values(
            node
        )
    told = present["Raises"].entries()[0] if "Raises" in present else {}
    raised = {
        ast.unparse(inner.exc.func)
        for inner in own_nodes(node)
        if isinstance(inner, ast.Raise) and isinstance(inner.exc, ast.Call)
    }
    errors = {name for name in raised if _is_exception(name, definition.path)}
    missing = sorted(errors - told.keys() - {"NotImplementedError"})
    return [*found, f"Raises: {missing} are left out"] if missing else found


def _gives(node):
    return any(
        isinstance(inner, ast.Return)
        and inner.value is not None
        and not (isinstance(inner.value, ast.Constant) and inner.value.value is None)
        for inner in own_nodes(node)
    )


def _yields_values(node):
    return any(
        isinstance(inner, ast.YieldFrom) or (isinstance(inner, ast.Yield) and inner.value)
        for inner in own_nodes(node)
    )


def _yielding(node):
    return any(isinstance(inner, (ast.Yield, ast.YieldFrom)) for inner in own_nodes(node))


_CHECKS = {"Args": _args, "Returns": _returns, "Yields": _yields, "Raises": _raises}


def _abstract(node):
    """A body that is a docstring and perhaps a NotImplementedError: what others implement."""
    rest = node.body[1:]
    return not rest or (len(rest) == 1 and "NotImplementedError" in ast.dump(rest[0]))


def _is_exception(name, path):
    root, _, attribute = name.partition(".")
    if not attribute and isinstance(getattr(builtins, name, None), type):
        return issubclass(getattr(builtins, name), BaseException)
    if not attribute and name in classes():
        bases = [ast.unparse(base) for base in classes()[name][0].bases]
        return any(_is_exception(base, path) for base in bases)
    imported = {
        alias.asname or alias.name.partition(".")[0]
        for node in ast.walk(parsed(path))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }
    return root in imported and name.endswith(("Error", "Exception"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_sections_agree_with_the_code(path):
    wrong = [
        f"{definition.place}: {fault}"
        for definition in definitions(path)
        for fault in faults(definition)
    ]
    assert not wrong, "\n".join(wrong)


WRONG = {
    "an argument that is not there": ("Args:\n    x: one.\n    z: none.\n    y: two.", "not among"),
    "arguments in another order": ("Args:\n    y: two.\n    x: one.", "another order"),
    "an argument left out": ("Args:\n    x: one.", "left out"),
    "two arguments in one entry": (
        "Args:\n    x: one. y: two.\n    y: two.",
        "within the entry of 'x'",
    ),
    "arguments as prose": ("Args: x: one. y: two.", "beside its heading"),
    "a line that continues nothing": (
        "Args:\n    x: one,\n    or two.\n    y: two.",
        "no argument",
    ),
    "a lost indent": ("Args:\n    x: one,\nor two.\n    y: two.", "indented by 4"),
    "an answer where there is none": ("Returns:\n    Nothing.", "nothing is returned"),
    "a sequence where there is none": ("Yields:\n    Nothing.", "nothing is yielded"),
    "an error that does not exist": ("Raises:\n    ValeuError: for 1.", "not an exception"),
    "something that is not an error": ("Raises:\n    print: for 1.", "not an exception"),
    "an empty section": ("Raises:", "is empty"),
}
LEFT_OUT = {
    "an answer": ("return x", "Returns: is left out"),
    "a sequence": ("yield x", "Yields: is left out"),
    "an error": ("raise KeyError(x)", "Raises: ['KeyError'] are left out"),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_found(tmp_path, text, message):
    path = tmp_path / "wrong.py"
    indented = text.replace("\n", "\n    ")
    path.write_text(f'def function(x, y):\n    """One line.\n\n    {indented}\n    """\n    x(y)\n')
    (definition,) = definitions(path)
    assert any(message in fault for fault in faults(definition)), faults(definition)


@pytest.mark.parametrize(("code", "fault"), LEFT_OUT.values(), ids=LEFT_OUT)
def test_what_is_left_out_is_found(tmp_path, code, fault):
    path = tmp_path / "wrong.py"
    docstring = '"""One line.\n\n    Args:\n        x: one.\n    """'
    path.write_text(f"def function(x):\n    {docstring}\n    {code}\n")
    (definition,) = definitions(path)
    assert faults(definition) == [fault]
