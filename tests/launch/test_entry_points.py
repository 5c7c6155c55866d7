"""One command line with three doors: each answers in the name by which it was called."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

import zoo
from zoo.cli import COMMANDS, main
from zoo.cli.call import typed
from zoo.cli.flags import FLAGS
from zoo.runs.run import Outcome
from zoo.runs.run_folder import RunFolder

ROOT = Path(__file__).parents[2]
SMALL = ("--set", "hidden=12", "--set", "latents=3", "--limit=120", "--epochs=1")
DOORS = {
    "launch.py": ("python launch.py", "launch.py"),
    "/a/b/launch.py": ("python /a/b/launch.py", "launch.py"),
    "latent-zoo": ("latent-zoo", "latent-zoo"),
    "/a/b/bin/latent-zoo": ("/a/b/bin/latent-zoo", "latent-zoo"),
    "/a/b/zoo/__main__.py": ("python -m zoo", "python -m zoo"),
}


@pytest.mark.parametrize("door", DOORS)
def test_messages_name_the_command_that_was_typed(door, capsys):
    program, name = DOORS[door]
    assert main([door, "train", "now"]) == 2
    error = capsys.readouterr().err
    assert error == f"{name}: Expected '{program} train' and flags; received 'now'.\n"
    assert main([door, "help"]) == 0
    text = capsys.readouterr().out
    assert all(f"  {program} {command}" in text for command in COMMANDS)


def test_a_command_on_the_path_is_named_without_its_folder(tmp_path, monkeypatch):
    script = tmp_path / "latent-zoo"
    script.write_text("#!/bin/sh\n")
    assert typed(str(script)) == str(script)
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert typed(str(script)) == "latent-zoo"


def test_every_flag_belongs_to_a_command_that_is_there():
    assert len({flag.name for flag in FLAGS}) == len(FLAGS)
    for flag in FLAGS:
        assert set(flag.commands.split()) <= set(COMMANDS), flag.name
        assert "train" in flag.commands or not flag.place, flag.name


def test_the_entry_point_trains_and_says_what_next(tmp_path, monkeypatch, capsys):
    """In process, as the console script calls it, but for the training."""
    seen = {}

    def train(config, run_dir, resume, command, program, loggers):
        assert loggers == []
        seen.update(latents=config.options["latents"], limit=config.limit, command=command)
        return Outcome(RunFolder(run_dir), {"loss": {"kl": 2.0}, "measured_on": {"level": "quick"}})

    monkeypatch.setattr(zoo.runs, "train", train)
    monkeypatch.setattr(sys, "argv", ["latent-zoo", "train", *SMALL, f"--run_dir={tmp_path}"])
    assert main() == 0
    assert seen["latents"] == 3 and seen["limit"] == 120
    assert seen["command"].startswith("latent-zoo train --set hidden=12")
    printed = capsys.readouterr().out
    assert (
        "held-out data: kl 2" in printed and f"latent-zoo evaluate --run_dir={tmp_path}" in printed
    )


@pytest.mark.long
def test_a_wheel_in_a_fresh_environment_and_an_empty_folder(tmp_path):
    """Its own environment sees the packages of this one, but not this checkout."""
    wheels, here = tmp_path / "wheels", tmp_path / "empty"
    here.mkdir()
    build = [
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "-q",
        "-w",
        str(wheels),
        str(ROOT),
    ]
    subprocess.run([sys.executable, "-m", *build], check=True, cwd=tmp_path)
    (wheel,) = wheels.glob("latent_zoo-*.whl")
    environment = tmp_path / "venv"
    venv.create(environment, with_pip=True)
    site = next(environment.glob("lib/python*/site-packages"))
    packages = [path for path in sys.path if path.endswith("site-packages")]
    # Their folders alone: the .pth file of an editable install in them is not read there.
    (site / "borrowed.pth").write_text("\n".join(packages))
    python = environment / "bin" / "python"
    install = ["pip", "install", "--no-deps", "--no-index", "-q", str(wheel)]
    subprocess.run([python, "-m", *install], check=True, cwd=here)
    path = f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}"

    def command(*words, code=0, env=None):
        done = subprocess.run(
            words,
            cwd=here,
            env={**os.environ, "PATH": path, "PYTHONPATH": "", **(env or {})},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stderr[-2000:]
        return done.stdout + done.stderr

    place = command(
        str(python), "-c", "import zoo, zoo_plugins; print(zoo.__file__, zoo_plugins.__file__)"
    )
    assert place.count(str(site)) == 2 and str(ROOT) not in place
    for number in (0, 1):
        text = command(
            "latent-zoo", "train", *SMALL, f"--seed={number}", f"--run_dir=runs/{number}"
        )
        assert "latent-zoo evaluate --run_dir=" in text
    figures = {path.stem for path in (here / "runs/0/figures").iterdir()}
    assert {"reconstructions", "samples", "learning_curves"} <= figures
    assert "latent-zoo export" in (here / "runs/0/report.html").read_text()
    assert "held-out data" in command("latent-zoo", "evaluate", "--run_dir=runs/0")
    command("latent-zoo", "export", "--run_dir=runs/0", "--output=served")
    assert (here / "served/saved_model.pb").is_file()
    command("latent-zoo", "compare", "runs/0", "runs/1")
    assert (here / "comparison.html").is_file()
    listed = command("latent-zoo", "list", "regularizers")
    assert "lp_norm" in listed and listed == command("python", "-m", "zoo", "list", "regularizers")
    plugin = ("--model=vae", "--regularizer=mmd:weight=2", *SMALL, "--run_dir=runs/mmd")
    assert "mmd" in command("latent-zoo", "train", *plugin)
    assert "The results are in" in command("latent-zoo", "reproduce", "U2G-F2", "--quick")
    assert command("latent-zoo", "trian", code=2).startswith("latent-zoo: Unknown command")


@pytest.mark.long
def test_the_first_command_of_the_readme_ends_with_what_was_learned(tmp_path):
    """In full, in slices and compiled as for a user; .ci/run runs it too."""
    ours = ("ZOO_CORES", "XLA_FLAGS")  # what the tests have set
    done = subprocess.run(
        [sys.executable, "-m", "zoo"],
        cwd=tmp_path,
        env={key: value for key, value in os.environ.items() if key not in ours},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loss = done.stdout.split("held-out data: loss ")[1].split(",")[0]
    assert -25 < float(loss) < -15
    assert "inf" not in done.stdout.split("Report:")[0]
