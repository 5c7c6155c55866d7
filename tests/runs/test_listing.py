"""The lists are read from the sources: they must be those of the registries."""

import inspect
import subprocess
import sys

import pytest

import zoo
from zoo import models, registry
from zoo.experiments import catalogue
from zoo.runs.listing import KINDS, describe


@pytest.mark.parametrize("kind", ["model", "regularizer", "prior", "likelihood", "dataset"])
def test_names_and_first_lines_are_those_of_the_parts(kind):
    described = describe(f"{kind}s")
    assert list(described) == registry.names(kind)
    for name, line in described.items():
        part = models.function(name) if kind == "model" else registry.lookup(name, kind)
        assert line == inspect.getdoc(part).partition("\n")[0] != ""


def test_experiments_are_those_of_the_modules():
    found = {name: catalogue.find(name) for name in catalogue.names()}
    assert {name: e.title for name, e in found.items()} == describe("experiments")
    assert all(name == experiment.id for name, experiment in found.items())
    assert catalogue.known("ox_lin") == "OX-LIN"
    with pytest.raises(ValueError, match="Did you mean 'OX-LIN'"):
        catalogue.find("ox-lim")


def test_an_unknown_kind():
    with pytest.raises(ValueError, match=r"Unknown list 'modles'. Did you mean 'models'"):
        describe("modles")


def test_lists_import_no_tensorflow():
    code = (
        "import sys\nfrom zoo.runs.listing import describe, KINDS\n"
        "assert all(describe(kind) for kind in KINDS)\nassert 'tensorflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_broken_plugin_of_another_package_is_listed_as_broken(monkeypatch):
    from importlib.metadata import EntryPoint

    from zoo.runs import listing

    point = EntryPoint("broken", "no_such_package.module:Part", registry.ENTRY_POINT_GROUP)
    monkeypatch.setattr(listing, "entry_points", lambda group: [point])
    assert "cannot be read" in describe("regularizers")["broken"]
    assert "kl" in describe("regularizers")


def test_every_kind_is_offered():
    assert {kind.removesuffix("s") for kind in KINDS} - {"experiment"} < set(registry._HOME)
    assert zoo.names("model")
