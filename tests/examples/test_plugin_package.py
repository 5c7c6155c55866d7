"""The plugin package is installed with pip, found by its entry point, trained, saved, loaded and missed."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import pytest

import zoo

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

    # Here the package is not installed.
    assert "code_entropy" not in zoo.names()
    with pytest.raises(ValueError, match=r"needs the regularizer plugin 'code_entropy'.*install"):
        keras.saving.load_model(installed / "m.keras")


def test_unknown_without_the_package():
    with pytest.raises(ValueError, match="Unknown regularizer 'code_entropy'"):
        zoo.create("autoencoder", (6,), regularizers=["code_entropy"])
