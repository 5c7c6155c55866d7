"""Which experiments there are, and where.

Those of this package are read from its sources, so that to list them imports nothing; others are registered
under the kind "experiment", as functions that return an `Experiment`.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from zoo import registry
from zoo.experiments.experiment import Experiment


def names() -> list[str]:
    """The ids of all experiments, sorted."""
    return registry.names("experiment")


def known(name: str) -> str:
    """The id that a user's spelling means: capitals, dashes and underscores do not matter.

    Raises:
        ValueError: where there is none, with the nearest one.
    """
    same = {_plain(key): key for key in names()}
    found = same.get(_plain(name))
    if found is None:
        raise ValueError(f"Unknown experiment {name!r}.{registry.suggest(name.upper(), names())}")
    return found


def find(name: str) -> Experiment:
    """The experiment of an id; its module is imported.

    Raises:
        ValueError: for an unknown id, with the nearest one, or a registered function that does not return
            an `Experiment` of this id.
    """
    name = known(name)
    found = registry.get(name, "experiment")
    if not isinstance(found, Experiment) or found.id != name:
        raise ValueError(
            f"The experiment {name!r} must be a function that returns an Experiment of this id; it returns "
            f"{found!r}."
        )
    return found


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")


def _register_own() -> None:
    """Every ``Experiment(id="...", title="...", ...)`` that the modules of this package write out."""
    here, package = Path(__file__).parent, __name__.rpartition(".")[0]
    for path in sorted(here.rglob("*.py")):
        module = ".".join((package, *path.relative_to(here).with_suffix("").parts))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Experiment":
                found: dict[Any, Any] = {k.arg: _text(k.value) for k in node.keywords}
                words = {name: text for name, text in found.items() if text is not None}
                own = _in_module(module, words["id"], words["title"])
                registry.register(words["id"], kind="experiment")(own)


def _in_module(module: str, name: str, title: str) -> Callable[[], Experiment]:
    """What gives the experiment, and imports its module only then."""

    def experiment() -> Experiment:
        return next(e for e in importlib.import_module(module).EXPERIMENTS if e.id == name)

    experiment.__doc__, experiment.__module__, experiment.__qualname__ = title, module, name
    return experiment


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


_register_own()
