"""Names of the library that the documentation and the docstrings mention exist."""

import importlib
import re

import pytest

from tests.docstrings import FILES, ROOT
from zoo.registry import KINDS

TEXTS = [
    *FILES,
    ROOT / "launch.py",
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "examples").rglob("*.py")),
]
NAME = re.compile(r"\bzoo(?:_plugins)?(?:\.[A-Za-z_]\w*)+")
GROUPS = {f"zoo.{kind}s" for kind in KINDS}  # of entry points
OTHERS = {"zoo.plugins", *GROUPS, "zoo.kind"}  # the last stands for the package of keras.saving


def exists(name):
    """Whether a dotted name can be reached from its package, submodules imported on the way."""
    room, *rest = name.split(".")
    part = importlib.import_module(room)
    for step in rest:
        room += f".{step}"
        try:
            part = getattr(part, step)
        except AttributeError:
            try:
                part = importlib.import_module(room)
            except ImportError:
                return False
    return True


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_names_exist(path):
    named = set(NAME.findall(path.read_text())) - OTHERS
    missing = sorted(name for name in named if not exists(name))
    assert not missing, f"{path.relative_to(ROOT)} names {missing}, which are not there"


def test_a_name_that_is_not_there_is_seen():
    assert exists("zoo.recipes.rbm.pretrain")
    assert not exists("zoo.recipes.rbm.pretain")
