"""Every script in examples/ runs, and prints what it promises."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow as tf

import zoo
from tests.examples.run_scripts import run

EXAMPLES = Path(__file__).parents[2] / "examples"
# The one that splits the processor comes first: that is possible only before TensorFlow has started.
NOTEBOOKS = sorted((EXAMPLES / "notebooks").glob("*.py"))
SCRIPTS = sorted(EXAMPLES.glob("*.py"), key=lambda path: (path.stem != "mirrored", path.stem))


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """Script -> what it printed, where a training is one epoch, all in this process."""
    fit = zoo.Autoencoder.fit
    folder = tmp_path_factory.mktemp("short")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "argv", sys.argv)
        patch.setattr(
            zoo.Autoencoder, "fit", lambda *args, **options: fit(*args, **{**options, "epochs": 1})
        )
        # The processor is split already, for all tests: see conftest.py.
        patch.setattr(tf.config, "set_logical_device_configuration", lambda *_: None)
        for kind, table in zoo.registry._parts.items():
            zoo.names(kind)  # what the library itself registers stays
            patch.setitem(zoo.registry._parts, kind, dict(table))
        found = {path.stem: run(str(path)) for path in (*SCRIPTS, *NOTEBOOKS)}
    return {"files": sorted(path.name for path in folder.rglob("*")), **found}


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """Script -> what it prints as a user runs it; all in one process, which imports TensorFlow once."""
    folder = tmp_path_factory.mktemp("examples")
    runner = Path(__file__).with_name("run_scripts.py")
    scripts = map(str, (*SCRIPTS, *NOTEBOOKS))
    command = [sys.executable, str(runner), "results.json", *scripts]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "results.json").read_text())


def output(printed, name):
    text, error = printed[name]
    assert error is None, error
    return text


def numbers(pattern, text):
    return [float(found) for found in re.findall(pattern, text)]


@pytest.mark.parametrize("name", [path.stem for path in (*SCRIPTS, *NOTEBOOKS)])
def test_runs_and_prints_something(short, name):
    assert len(output(short, name).splitlines()) >= 3


def test_quickstart_writes_what_it_says(short):
    assert "KL(N(mu(x), sigma(x)) || Laplace(0, 1))" in output(short, "quickstart")
    written = {"model.keras", "saved_model.pb", "reconstructions.png", "samples.png"}
    assert written <= set(short["files"])


def test_own_parts_and_networks_survive_saving(short):
    _, with_it, loaded = numbers(
        r"(\d\.\d{3}) (?:without|with it|saved)", output(short, "custom_regularizer")
    )
    assert loaded == with_it
    assert numbers(r"differ by (\S+) at most", output(short, "own_networks"))[0] < 1e-5


@pytest.mark.long
def test_quickstart_learns(printed):
    (loss,) = numbers(r"'loss': ([\d.]+)", output(printed, "quickstart"))
    assert 15 < loss < 32  # 64 pixels at log 2 would be 44 nats


@pytest.mark.long
def test_own_regularizer_decorrelates_and_survives_saving(printed):
    text = output(printed, "custom_regularizer")
    without, with_it, loaded = numbers(r"(\d\.\d{3}) (?:without|with it|saved)", text)
    assert with_it < 0.6 * without
    assert loaded == with_it


@pytest.mark.long
def test_own_networks_learn_with_fewer_weights(printed):
    text = output(printed, "own_networks")
    losses = numbers(r"= ([\d.]+) nats", text)
    assert len(losses) == 2
    assert all(15 < loss < 35 for loss in losses)
    assert numbers(r"differ by (\S+) at most", text)[0] < 1e-5


@pytest.mark.long
def test_augmentation_helps_with_moved_pictures(printed):
    plain, moved, augmented, augmented_moved = numbers(r"(\d+\.\d\d)", output(printed, "tf_data"))
    assert augmented_moved < moved
    assert plain < augmented


def test_two_devices_train_the_same_model(short):
    text = output(short, "mirrored")
    one, two = numbers(r"last epoch ([\d.]+)", text)
    assert one == pytest.approx(two, abs=2e-3)
    assert numbers(r"differ by (\S+) at most", text)[0] < 1e-2


@pytest.mark.long
def test_notebooks_show_what_they_say(printed):
    text = output(printed, "own_data")
    (usual,), (odd,) = (
        numbers(rf"{what}: \[?\s*(-?[\d.]+)", text) for what in ("usual rows", "odd one")
    )
    assert odd < usual - 10
    without, with_it = numbers(r"deviate by ([\d.]+)", output(printed, "plugin"))
    assert with_it < 0.8 * without
    assert "the same codes: True" in output(printed, "plugin")
    (explained,) = numbers(r"explained: ([\d.]+)", output(printed, "dictionary"))
    assert explained > 0.6


@pytest.mark.long
def test_typed_script_has_a_term_that_acts(printed):
    text = output(printed, "typed_script")
    assert "codes (1437, 4), exported True\npictures (10, 8, 8, 1) of float32\n" in text
    # A code of the prior N(0, 1) would have four units of (0.80 - 0.5)^2.
    assert numbers(r"metric like any other: ([\d.]+)", text)[0] < 0.1
