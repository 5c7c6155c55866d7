"""Every public function and class shows how it is used, and what it shows is run as a test."""

from __future__ import annotations

import doctest
import functools
import importlib
import inspect
import pkgutil

import pytest
import zoo_plugins

import zoo
from zoo.models import function

# What the documentation asks for by the path of its module.
BY_PATH = (
    *("zoo.data.arrays", "zoo.data.folder", "zoo.data.numpy_files", "zoo.data.table"),
    *("zoo.conditions", "zoo.parts", "zoo.networks.dcgan", "zoo.networks.higgins"),
    *("zoo.recipes.centering", "zoo.recipes.fine_tuning", "zoo.recipes.rbm"),
    *("zoo.data.activations", "zoo.evaluation.dictionary", "zoo.evaluation.splicing"),
    *("zoo.exporting.dictionary_files", "zoo.recipes.dictionaries", "zoo.recipes.spreading"),
)


def rooms():
    """The public modules: those that `zoo` names, those asked for by path, and every plugin's."""
    names = [*(f"zoo.{name}" for name in zoo._ROOMS), *BY_PATH]
    names += [f"zoo_plugins.{found.name}" for found in pkgutil.iter_modules(zoo_plugins.__path__)]
    return [importlib.import_module(name) for name in names]


def public(module):
    """Functions and classes of a module's `__all__`, or where it has none, those it defines.

    A module within `__all__` stands for its own.
    """
    for name in getattr(module, "__all__", None) or vars(module):
        part = getattr(module, name)
        if inspect.ismodule(part) and hasattr(module, "__all__"):
            yield from public(part)
        elif inspect.isclass(part) or inspect.isroutine(part):
            own = inspect.unwrap(part)
            if hasattr(module, "__all__") or own.__module__ == module.__name__:
                yield own


def everything():
    """module.name -> every public function and class, each once."""
    named = [getattr(zoo, name) for name in zoo._PUBLIC]
    named += [part for room in rooms() for part in public(room)]
    models = (function(name) for name in zoo.names("model"))
    named += [model for model in models if model.__module__.startswith("zoo.")]
    parts = {f"{part.__module__}.{part.__qualname__}": inspect.unwrap(part) for part in named}
    return {name: part for name, part in sorted(parts.items()) if not part.__name__.startswith("_")}


PARTS = everything()


def has_example(part):
    return bool(doctest.DocTestParser().get_examples(part.__doc__ or ""))


@functools.cache
def found(module):
    """The names of a module's examples; the finder is pytest's, so that parts under a decorator are found."""
    tests = doctest.DocTestFinder().find(importlib.import_module(module))
    return {test.name for test in tests if test.examples}


@pytest.mark.parametrize("name", PARTS)
def test_has_an_example_that_is_run(name):
    part = PARTS[name]
    assert has_example(part), f"{name}: add an `Example:` section with >>> to its docstring"
    assert name in found(part.__module__), f"{name} has an example that doctest does not find"


def test_the_public_names_are_found():
    assert len(PARTS) > 200
    assert {"zoo.models.create", "zoo.models.vae.vae", "zoo_plugins.l1.L1"} <= set(PARTS)
