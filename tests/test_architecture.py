"""Imports run one way, files stay small, and the public surface explains itself."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# From the ground floor up: a room imports only rooms of earlier floors, and its own.
FLOORS = [
    {"declarations", "tfp"},
    {"registry", "noise", "allocator", "files", "values", "batch", "forward", "selection"},
    {"serialization", "parts", "history", "layer_of"},
    {"conditions"},
    {"data", "networks", "distributions", "trainer"},
    {"bottlenecks", "objectives", "regularizers"},
    {"autoencoder"},
    {"models"},
    {"evaluation", "exporting"},
    {"recipes"},
    {"visualization"},
    {"runs"},
    {"training"},
    {"testing", "sklearn", "sweeps", "presets"},
    {"experiments"},
    {"cli"},
    {"__main__"},
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
# Parts of one floor that may use each other: files of the trainer check what the data room checks, and layers
# that see where the data lie ask all replicas.
BESIDE = {
    ("trainer", "data"),
    ("networks", "trainer"),
    ("distributions", "networks"),
    ("networks", "distributions"),
}
FILES = sorted((ROOT / "zoo").rglob("*.py"))
PLUGINS = sorted((ROOT / "plugins").glob("*.py"))


def room(path):
    return path.relative_to(ROOT / "zoo").parts[0].removesuffix(".py")


def imports(path, lazily=True):
    """(module, name) of what a file imports; `lazily` counts imports inside functions too."""
    tree = ast.parse(path.read_text())
    typing_only = {
        id(node)
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and "TYPE_CHECKING" in ast.dump(branch.test)
        for node in ast.walk(branch)
    }
    nodes = ast.walk(tree) if lazily else tree.body
    for node in nodes:
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from ((node.module, alias.name) for alias in node.names)


def rooms_used(path, lazily):
    for module, name in imports(path, lazily):
        parts = module.split(".")
        if parts[0] == "zoo":
            used = parts[1] if len(parts) > 1 else name
            if used in FLOOR:
                yield used


def test_every_room_stands_on_a_floor():
    rooms = {room(path) for path in FILES} - {"__init__"}
    assert rooms == set(FLOOR), "give the new room a floor"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path):
    """At import time; inside a function the use of a higher room is a convenience such as export()."""
    here = room(path)
    if here == "__init__":
        return
    for used in rooms_used(path, lazily=False):
        allowed = used == here or FLOOR[used] < FLOOR[here] or (here, used) in BESIDE
        assert allowed, (
            f"{path.relative_to(ROOT)} imports zoo.{used}, which stands above it or beside"
        )


def test_the_library_knows_plugins_only_by_name():
    for path in FILES:
        for module, _ in imports(path):
            assert module.split(".")[0] not in ("zoo_plugins", "plugins"), path


def test_plugins_use_only_public_names():
    import zoo

    for path in PLUGINS:
        for module, name in imports(path):
            if module.split(".")[0] == "zoo":
                public = module == "zoo" and (name is None or name in zoo.__all__)
                assert public, f"{path.name} imports {name or module} from {module}"


@pytest.mark.parametrize("path", ["zoo/__init__.py", "zoo/runs/__init__.py"])
def test_checkers_see_the_names_that_are_loaded_lazily(path):
    package = path.removesuffix("/__init__.py").replace("/", ".")
    tree = ast.parse((ROOT / path).read_text())
    seen = {
        alias.name: f"{node.module}.{alias.name}" if node.module == package else node.module
        for branch in tree.body
        if isinstance(branch, ast.If) and isinstance(branch.test, ast.Name)
        for node in branch.body
        for alias in node.names
    }
    loaded = importlib.import_module(package)
    rooms = {room: f"{package}.{room}" for room in getattr(loaded, "_ROOMS", ())}
    assert seen == {**loaded._PUBLIC, **rooms}
    assert sorted(seen) == sorted(loaded.__all__)


def test_importing_the_zoo_costs_nothing():
    code = (
        "import sys, time; start = time.perf_counter(); import zoo; "
        "seconds = time.perf_counter() - start; "
        "heavy = {'tensorflow', 'keras', 'numpy', 'sklearn', 'matplotlib'} & set(sys.modules); "
        "print(seconds, sorted(heavy)); assert not heavy"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert float(result.stdout.split()[0]) < 0.5


def test_public_names_are_there_and_explain_themselves():
    import zoo

    for name in zoo.__all__:
        assert (getattr(zoo, name).__doc__ or "").strip(), name
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = zoo.no_such_name


def test_every_model_states_its_objective():
    import zoo
    from zoo.models import function, objective

    for name in zoo.names("model"):
        assert objective(name), name
        assert "Args:" in function(name).__doc__, name


def test_messages_of_the_library_name_no_flag_and_no_command():
    """Who calls it from Python has neither; the command line adds its own words."""
    for path in FILES:
        for text in messages(path) if room(path) != "cli" else ():
            assert not re.search(r"--[a-z]|launch\.py|latent-zoo [a-z]", text), f"{path}: {text}"


def messages(path):
    """The texts of the errors that a file raises, and of its warnings."""
    for node in ast.walk(ast.parse(path.read_text())):
        is_warning = isinstance(node, ast.Call) and ast.unparse(node.func) == "warnings.warn"
        if isinstance(node, ast.Raise) or is_warning:
            for part in ast.walk(node):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.value
