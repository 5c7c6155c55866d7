"""Which experiments there are, and where."""

from __future__ import annotations

import ast
import importlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from zoo.registry import suggest

if TYPE_CHECKING:
    from zoo.experiments.experiment import Experiment


class _Entry(NamedTuple):
    module: str
    title: str


def names() -> list[str]:
    """The ids of all experiments, sorted."""
    return sorted(_entries())


def titles() -> dict[str, str]:
    """Id -> title, sorted by id."""
    return {name: _entries()[name].title for name in names()}


def known(name: str) -> str:
    """The id that a user's spelling means: capitals and underscores do not matter.

    Raises:
        ValueError: where there is none, with the nearest one.
    """
    same = {key.lower(): key for key in _entries()}
    found = same.get(name.lower().replace("_", "-"))
    if found is None:
        raise ValueError(f"Unknown experiment {name!r}.{suggest(name.upper(), names())}")
    return found


def find(name: str) -> Experiment:
    """The experiment of an id; its module is imported.

    Raises:
        ValueError: for an unknown id, with the nearest one.
    """
    name = known(name)
    module = importlib.import_module(_entries()[name].module)
    return next(experiment for experiment in module.EXPERIMENTS if experiment.id == name)


@cache
def _entries() -> dict[str, _Entry]:
    """Every ``Experiment(id="...", title="...", ...)`` that the modules of this package write out."""
    found = {}
    here = Path(__file__).parent
    for path in sorted(here.rglob("*.py")):
        module = ".".join(("zoo.experiments", *path.relative_to(here).with_suffix("").parts))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Experiment":
                words = {k.arg: k.value.value for k in node.keywords if _is_text(k.value)}
                found[words["id"]] = _Entry(module, words["title"])
    return found


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
