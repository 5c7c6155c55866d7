"""A new idea is one file outside the zoo: public names only, short, and exported like the rest."""

import ast
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

import zoo
from tests.conformance.cases import CASES
from zoo.exporting import saved_model

FILES = sorted(Path(__file__).parent.joinpath("novelties").glob("[a-z]*.py"))
NAMES = [
    name
    for name, case in CASES.items()
    if zoo.models.function(case.model).__module__.startswith("tests.third_party")
]


def attributes(tree):
    """The dotted names that begin with `zoo`."""
    for node in ast.walk(tree):
        dotted = []
        while isinstance(node, ast.Attribute):
            dotted.insert(0, node.attr)
            node = node.value
        if dotted and isinstance(node, ast.Name) and node.id == "zoo":
            yield dotted


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_uses_public_names_only_and_is_short(path):
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert not (node.module or "").startswith(("zoo", "tests")), node.module
        if isinstance(node, ast.Import):
            assert all(not name.name.startswith("zoo.") for name in node.names)
    for first, *rest in attributes(tree):
        assert first in zoo.__all__, first
        room = getattr(zoo, first)
        if rest and hasattr(room, "__all__"):
            assert rest[0] in room.__all__, f"zoo.{first}.{rest[0]}"
    assert len(path.read_text().splitlines()) < 120


def test_there_is_one_of_each():
    assert len(NAMES) == len(FILES) >= 4


@pytest.mark.parametrize("name", NAMES)
def test_is_exported(name, tmp_path):
    case = CASES[name]
    model, data = case.build(), case.given()
    model.export(
        tmp_path / "saved"
    )  # compares the answers itself, and writes nothing where they differ
    loaded = saved_model.load(tmp_path / "saved")
    assert {"encode", "decode", "reconstruct"} <= set(loaded)
    some = tf.nest.map_structure(lambda a: a[:4], data)
    x = some if isinstance(some, np.ndarray) else some[0]
    beside = [] if model.condition is None else [some[1]]
    assert_allclose(loaded["encode"](x, *beside), model.encode(some), rtol=1e-4, atol=1e-5)
