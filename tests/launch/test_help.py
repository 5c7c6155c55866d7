"""Help and lists, at once."""

import subprocess
import sys
from pathlib import Path

import pytest

import launch
import zoo
from zoo.cli import COMMANDS
from zoo.cli.flags import define

ROOT = Path(__file__).parents[2]


def test_help_names_every_command_and_every_flag(capsys):
    assert launch.main(["launch.py", "--help"]) == 0
    text = capsys.readouterr().out
    for name in COMMANDS:
        assert f"python launch.py {name}" in text
    for flag in define():
        assert f"--{flag} " in text
    assert launch.main(["launch.py", "help"]) == 0
    assert capsys.readouterr().out == text


def test_help_takes_less_than_a_second_of_a_processor():
    code = (
        "import sys, time, launch\nassert launch.main(['launch.py', '--help']) == 0\n"
        "assert time.process_time() < 1\n"
        "assert not {'tensorflow', 'numpy', 'sklearn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)


@pytest.mark.usefixtures("own_parts_only")
@pytest.mark.parametrize("kind", zoo.registry.KINDS)
def test_lists(kind, capsys):
    assert launch.main(["launch.py", "list", f"{kind}s"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines if line] == zoo.names(kind)
    assert all(line.split()[1:] for line in lines if line), "every one has a line about it"
