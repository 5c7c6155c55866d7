"""The lists are read from the sources: they must be those of the registries."""

import inspect
import subprocess
import sys

import pytest

import zoo
from zoo import declarations, registry
from zoo.experiments import catalogue
from zoo.runs.listing import KINDS, describe

pytestmark = pytest.mark.usefixtures("own_parts_only")


@pytest.mark.parametrize("kind", registry.KINDS)
def test_names_and_first_lines_are_those_of_the_parts(kind):
    described = describe(f"{kind}s")
    assert list(described) == registry.names(kind)
    for name, line in described.items():
        part = registry.lookup(name, kind)
        assert line == inspect.getdoc(part).partition("\n")[0] != ""


def test_lines_that_are_read_are_those_of_the_parts():
    """In a process that has imported no part yet; here they are imported."""
    kinds = [f"{kind}s" for kind in registry.KINDS]
    code = f"from zoo.runs.listing import describe\nprint([describe(k) for k in {kinds}])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    for kind in registry.KINDS:
        assert all(registry.lookup(name, kind) for name in zoo.names(kind))
    assert done.stdout.strip() == str([describe(kind) for kind in kinds])


def test_experiments_are_those_of_the_modules():
    found = {name: catalogue.find(name) for name in catalogue.names()}
    assert {name: e.title for name, e in found.items()} == describe("experiments")
    assert all(name == experiment.id for name, experiment in found.items())
    assert catalogue.known("ox_lin") == "OX-LIN"
    with pytest.raises(ValueError, match="Did you mean 'OX-LIN'"):
        catalogue.find("ox-lim")


def test_an_experiment_is_what_its_name_says(monkeypatch):
    table = dict(registry._parts["experiment"])
    monkeypatch.setitem(registry._parts, "experiment", table)
    zoo.register("MINE-1", kind="experiment")(lambda: catalogue.find("OX-LIN"))
    zoo.register("MINE-2", kind="experiment")(lambda: None)
    for name in ("mine_1", "MINE-2"):
        with pytest.raises(ValueError, match="must be a function that returns an Experiment of"):
            catalogue.find(name)


def test_an_unknown_kind():
    with pytest.raises(ValueError, match=r"Unknown list 'modles'. Did you mean 'models'"):
        describe("modles")


def test_lists_import_no_tensorflow():
    code = (
        "import sys\nfrom zoo.runs.listing import describe, KINDS\n"
        "lists = {kind: describe(kind) for kind in KINDS}\n"
        "assert all(lists[kind] for kind in KINDS)\n"
        "assert 'tensorflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_module_that_cannot_be_read_is_told():
    assert "No module named 'no_such_package.module'" in declarations.docstring_of(
        "no_such_package.module", "Part"
    )


def test_every_kind_is_offered():
    assert [kind.removesuffix("s") for kind in KINDS] == list(registry.KINDS)
