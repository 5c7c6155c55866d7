"""Parts of a module that is no package: --import makes them known to every command."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import launch
import zoo
from zoo import registry
from zoo.experiments.catalogue import find
from zoo.runs import RunConfig
from zoo.runs.building import checked

ROOT = Path(__file__).parents[2]
MODULE = '''
"""Parts of my own."""
import numpy as np
from tensorflow_probability import distributions as tfd
import zoo
from zoo.data import Data
from zoo.experiments import Experiment, Claim, Outcome


@zoo.register("my_set", kind="dataset")
def my_set(split, rows: int = 40, seed=0):
    """Points of a square."""
    x = np.random.default_rng([seed, split == "test"]).random((rows, 4), np.float32)
    return Data("my_set", split, x)


@zoo.register("my_prior", kind="prior")
class MyPrior(zoo.distributions.Prior):
    """A logistic."""

    def marginal(self, shape=()):
        return tfd.Logistic(np.zeros(shape, np.float32), self.scale)


@zoo.register("my_network", kind="network")
def my_network(input_shape, width: int = 3):
    """One layer each way."""
    return zoo.networks.mlp((width,)), zoo.networks.mlp((width,), input_shape)


@zoo.register("my_model", kind="model")
def my_model(input_shape, latents: int = 2, networks="my_network", prior="normal", seed: int = 0):
    """What it is.

        E_q[log p(x|z)] - KL(q(z|x) || p(z))

    Args:
        input_shape: shape of one example.
    """
    vae = zoo.models.function("vae")
    return vae(input_shape, latents=latents, networks=networks, prior=prior, seed=seed)


def _run(seed, sources, steps=3):
    return Outcome({"steps": float(steps)}, {"line": np.arange(steps)})


def _draw(arrays):
    import matplotlib.figure

    return {"line": matplotlib.figure.Figure()}


@zoo.register("MINE_1", kind="experiment")
def mine_1():
    """A line."""
    claim = Claim("It has 5 steps.", lambda measures: measures["steps"] == 5, ("steps",))
    quick = {"steps": 3}
    return Experiment("MINE_1", "mine", "A line", _run, _draw, [claim], quick, quick)
'''


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory):
    """A folder with the module, which is the current one; all that it registers is gone after the tests."""
    folder = tmp_path_factory.mktemp("mine")
    (folder / "my_parts.py").write_text(MODULE)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "path", [*sys.path])
        for kind, table in registry._parts.items():
            registry.names(kind)
            patch.setitem(registry._parts, kind, dict(table))
        yield folder
        sys.modules.pop("my_parts", None)


def run(*words):
    return launch.main(["launch.py", *map(str, words)])


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("model", r"my_model .*What it is\. \[my_parts\]"),
        ("dataset", r"my_set .*Points of a square\. \[my_parts\]"),
        ("prior", r"my_prior .*A logistic\. \[my_parts\]"),
        ("network", r"my_network .*One layer each way\. \[my_parts\]"),
        ("experiment", r"MINE_1 .*A line\. \[my_parts\]"),
    ],
)
@pytest.mark.parametrize("module", ["my_parts", "my_parts.py"])
def test_they_are_listed_with_where_they_come_from(kind, line, module, capsys):
    assert run("list", f"{kind}s", f"--import={module}") == 0
    assert re.search(f"^{line}$", capsys.readouterr().out, re.MULTILINE)


@pytest.fixture(scope="module")
def trained(folder):
    """A run of nothing but parts of the module."""
    words = ["--import=my_parts.py", "--model=my_model", "--dataset=my_set", "--data", "rows=30"]
    words += ["--set", "networks=my_network:width=5", "--set", "prior=my_prior:scale=2"]
    assert run("train", *words, "--epochs=1", "--batch_size=10", "--run_dir=run") == 0
    return folder / "run"


def test_a_run_of_own_parts_keeps_what_it_imports(trained):
    config = json.loads((trained / "config.json").read_text())
    assert config["imports"] == [str(trained.parent / "my_parts.py")]
    assert config["options"]["networks"] == {"name": "my_network", "width": 5}
    saved = zoo.load_model(trained / "model.keras")
    assert saved.prior.zoo_name == "my_prior" and saved.prior.scale == 2
    assert saved.formula == "E_q[log p(x|z)] - KL(q(z|x) || p(z))"
    assert [w.shape for w in saved.encoder.get_weights()] == [(4, 5), (5,)]


def test_other_commands_import_it_again(trained, tmp_path):
    """A process of its own, in another folder, without --import."""
    code = (
        "import sys, launch\n"
        "run, out = sys.argv[1:]\n"
        "assert launch.main(['launch.py', 'export', f'--run_dir={run}', f'--output={out}']) == 0\n"
        "words = ['train', f'--run_dir={run}', '--resume', '--epochs=1']\n"
        "assert launch.main(['launch.py', *words]) == 0\n"
        "assert launch.main(['launch.py', 'evaluate', f'--run_dir={run}']) == 0\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(trained), str(tmp_path / "exported")],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / "exported").is_dir() and "is finished" in done.stdout


def test_an_experiment_of_ones_own_is_reproduced(capsys):
    words = ("--import=my_parts", "--quick", "--set", "steps=5", "--output=results")
    assert run("reproduce", "mine-1", *words) == 0
    results = json.loads(Path("results/results.json").read_text())
    assert results["id"] == "MINE_1" and results["settings"] == {"steps": 5}
    assert [claim["verdict"] for claim in results["claims"]] == ["holds"]
    assert find("MINE_1").title == "A line"


def test_options_of_own_models_are_checked(capsys):
    words = ("--import=my_parts.py", "--model=my_model")
    assert run("train", *words, "--set", "latnts=3") == 2
    assert "no option 'latnts'. Did you mean 'latents'" in capsys.readouterr().err
    assert run("train", *words, "--set", "latents=many") == 2
    assert "'latents' of 'my_model' must be a whole number" in capsys.readouterr().err


def test_a_module_that_fails_is_told_in_one_line(capsys, folder):
    (folder / "bad_parts.py").write_text("x = 1\nraise RuntimeError('too early')\n")
    assert run("list", "models", "--import=bad_parts.py") == 2
    error = capsys.readouterr().err
    assert "'bad_parts.py' cannot be imported: RuntimeError: too early" in error
    (folder / "json.py").write_text("")
    assert run("list", "models", "--import=json.py") == 2
    assert "Another module is named 'json'" in capsys.readouterr().err
    (folder / "json.py").unlink()


def test_settings_import_by_themselves():
    """For those who train from Python."""
    config = RunConfig(model="my_model", imports=["my_parts"])
    assert checked(config).imports == ("my_parts",)
    with pytest.raises(ValueError, match="'no_module' cannot be imported"):
        checked(RunConfig(imports=["no_module"]))
