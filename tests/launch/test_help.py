"""Help and lists, at once."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import launch
import zoo
from zoo.cli import COMMANDS
from zoo.cli.flags import define, taken_by

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


def test_who_reads_a_part_of_the_output_is_told_nothing():
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "zoo", "list", "models"]
    ended = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert not ended.stderr and ended.returncode == 141


def test_help_of_a_command_has_its_flags_alone(capsys):
    for words in (["export", "--help"], ["--help", "export"], ["help", "export"]):
        assert launch.main(["launch.py", *words]) == 0
        said = capsys.readouterr().out
        flags = re.findall(r"^  --(\w+)", said, re.MULTILINE)
        assert flags == taken_by("export") and "launch.py export --run_dir=runs/a" in said
        assert "reproduce" not in said
    assert launch.main(["launch.py", "sweep", "--help"]) == 0
    assert "a list as one value stands in" in capsys.readouterr().out
    assert launch.main(["launch.py", "--help", "exprt"]) == 2
    assert "Did you mean 'export'" in capsys.readouterr().err
