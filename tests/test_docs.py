"""The examples on the pages name only what is there; links lead to files."""

import ast
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "BUILD.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "zoo" / "trainer" / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
BLOCKS = [
    pytest.param(text, id=f"{page.relative_to(ROOT)}-{number}")
    for page in PAGES
    for number, text in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL))
]


def imported(tree):
    """(module, name) of every name that a block imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from ((node.module, alias.name) for alias in node.names)


def dotted(tree):
    """Every dotted name that begins with zoo, such as zoo.runs.Resume."""
    for node in ast.walk(tree):
        path = ast.unparse(node) if isinstance(node, ast.Attribute) else ""
        if re.fullmatch(r"zoo(\.\w+)+", path):
            yield path


@pytest.mark.parametrize("text", BLOCKS)
def test_examples_name_what_is_there(text):
    tree = ast.parse(text)
    for module, name in imported(tree):
        assert hasattr(importlib.import_module(module), name), f"{module}.{name}"
    for path in dotted(tree):
        found = importlib.import_module("zoo")
        for name in path.split(".")[1:]:
            found = getattr(found, name)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files(page):
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / link).exists(), link
