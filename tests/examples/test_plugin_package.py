"""The plugin package is installed with pip, found by its entry point, trained, saved, loaded and missed."""

import importlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo import registry

PACKAGE = Path(__file__).parents[2] / "examples" / "plugin_package"
USE = """
import sys
import zoo
assert zoo.load_model(sys.argv[3]).units == 3, "a fresh process loads a model of the zoo"
assert "code_entropy" in zoo.names()
import launch
assert launch.main(["launch.py", "list", "models"]) == 0
assert "latent_zoo_entropy" not in sys.modules, "a plugin is imported only when it is asked for"
model = zoo.create("autoencoder", (6,), latents=4, hidden=(8,), regularizers=["code_entropy"])
model.save(sys.argv[2])
import pytest
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", sys.argv[1]]))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder that pip has installed a copy of the package into; pip builds beside the sources."""
    root = tmp_path_factory.mktemp("plugin")
    ignored = shutil.ignore_patterns("build", "*.egg-info", "__pycache__")
    shutil.copytree(PACKAGE, root / "source", ignore=ignored)
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--target"]
    command = [sys.executable, "-m", "pip", "install", *options, str(root / "site")]
    done = subprocess.run(
        [*command, str(root / "source")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return root


@pytest.mark.long
def test_found_by_name_trains_saves_and_loads(installed):
    """And the package's own tests pass, run against what was installed."""
    zoo.create("autoencoder", (6,), latents=3, hidden=(8,)).save(installed / "plain.keras")
    places = [str(installed / "site"), str(PACKAGE.parents[1]), os.environ.get("PYTHONPATH")]
    path = os.pathsep.join(filter(None, places))
    done = subprocess.run(
        [sys.executable, "-c", USE, "source/tests", "m.keras", "plain.keras"],
        env={**os.environ, "PYTHONPATH": path},
        cwd=installed,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "17 passed, 1 skipped" in done.stdout
    line = "entropy_autoencoder .*few active units in each code. .latent-zoo-entropy 0.1.0."
    assert re.search(line, done.stdout)

    with pytest.raises(ValueError, match=r"needs the regularizer plugin 'code_entropy'.*install"):
        keras.saving.load_model(installed / "m.keras")


@pytest.fixture
def imported(monkeypatch):
    """The package as its sources are, without the entry points that pip would find."""
    for kind, table in registry._parts.items():
        registry.names(kind)  # what the library itself registers stays
        monkeypatch.setitem(registry._parts, kind, dict(table))
    monkeypatch.syspath_prepend(PACKAGE)
    importlib.import_module("latent_zoo_entropy.models")
    yield
    for module in [name for name in sys.modules if name.startswith("latent_zoo_entropy")]:
        del sys.modules[module]


def test_its_parts_are_parts_of_the_zoo(imported):
    forward = SimpleNamespace(code=tf.constant([[0.0, 3.0, 0.0, 0.0], [-2.0, 2.0, 2.0, -2.0]]))
    np.testing.assert_allclose(zoo.get("code_entropy").penalty(forward), [0, np.log(4)], atol=1e-6)
    model = zoo.create("entropy_autoencoder", (6,), latents=4, hidden=(8,))
    assert "code_entropy" in [type(term).zoo_name for term in model.regularizers]


def test_unknown_without_the_package():
    assert "code_entropy" not in zoo.names()
    with pytest.raises(ValueError, match="Unknown regularizer 'code_entropy'"):
        zoo.create("autoencoder", (6,), regularizers=["code_entropy"])
