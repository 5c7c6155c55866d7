"""Tests that share fixtures go to one worker."""

import subprocess
import sys
from pathlib import Path

from tests.workers import CASES, group

ROOT = Path(__file__).parents[1]
FILE = """
import os, time
import pytest

@pytest.fixture(params=["a", "b", "c"])
def run(request):
    return request.param

def test_one(run):
    time.sleep(0.05)  # so that the other worker is not done before this one begins
    print(run, os.environ["PYTEST_XDIST_WORKER"], file=open(f"{__file__}.txt", "a"))

def test_two(run):
    test_one(run)
"""


def test_a_group_is_a_file_or_a_case():
    names = [
        "tests/a.py::test_one[vae]",
        "tests/b.py::test_one",
        "tests/a.py::test_two",
        f"{CASES}::test_trains[vae]",
        f"{CASES}::test_trains[iwae]",
        f"{CASES}::test_shapes[vae]",
    ]
    groups = [group(name) for name in names]
    assert len(set(groups)) == 4
    assert groups[0] == groups[2] and groups[3] == groups[5]
    assert (ROOT / CASES).exists()


def test_a_file_or_a_case_stays_with_one_of_two_workers(tmp_path):
    """As pytest and xdist of this environment do it."""
    paths = [tmp_path / name for name in ("tests/test_a.py", "tests/test_b.py", CASES)]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(FILE)
    command = [sys.executable, "-m", "pytest", "-c", tmp_path / "none.ini", "-n", "2", "--dist"]
    command += ["loadscope", "-p", "tests.workers", "-p", "no:cacheprovider", tmp_path]
    (tmp_path / "none.ini").write_text("[pytest]\n")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "18 passed" in done.stdout, done.stdout + done.stderr
    ran = [
        [line.split() for line in Path(f"{path}.txt").read_text().splitlines()] for path in paths
    ]
    workers = [{worker for _, worker in of_file} for of_file in ran]
    assert len(workers[0]) == len(workers[1]) == 1
    assert len(workers[2]) == 2
    assert len({tuple(line) for line in ran[2]}) == 3  # a case, its worker
