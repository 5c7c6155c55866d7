"""What `.ci/long` writes about its runs."""

import importlib.machinery
import importlib.util
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def long():
    """The command as a module."""
    loader = importlib.machinery.SourceFileLoader("ci_long", str(ROOT / ".ci" / "long"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("ci_long", loader))
    loader.exec_module(module)
    return module


RECORD = """\
60.0\tsetup\tpassed\ttests/launch/test_fuzz.py::test_files
30.0\tcall\tpassed\ttests/launch/test_fuzz.py::test_files
0.0\tteardown\tpassed\ttests/launch/test_fuzz.py::test_files
0.5\tsetup\tskipped\ttests/launch/test_fuzz.py::test_settings[a::b]
1.0\tcall\tfailed\ttests/runs/test_resume.py::test_killed
1.0\tsetup\tpassed\ttests/runs/test_resume.py::test_killed_more
1.0\tcall\tpassed\ttests/runs/test_resume.py::test_killed_more
1.0\tteardown\tfailed\ttests/runs/test_resume.py::test_killed_more
"""


def test_a_row_counts_tests_and_minutes_and_says_of_what(long, tmp_path):
    times = tmp_path / "times"
    times.write_text(RECORD)
    found = long.rows(times)
    assert list(found) == ["tests/launch/test_fuzz.py", "tests/runs/test_resume.py"]
    cells = [cell.strip() for cell in found["tests/launch/test_fuzz.py"].strip("|").split("|")]
    assert cells[1:5] == ["1", "0", "1", "1.5"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", cells[5]) and re.fullmatch(r"[0-9a-f]+\+?", cells[6])
    assert re.search(r"Python 3\.\d+.*tensorflow 2\..*keras 3\.", cells[7])
    assert "| 0 | 2 | 0 | 0.1 |" in found["tests/runs/test_resume.py"]


def test_a_part_leaves_the_other_rows(long):
    earlier = long.page(
        "", {f"tests/{n}.py": f"| tests/{n}.py | 1 |" for n in ("conftest", "gone")}
    )
    later = long.page(earlier, {"tests/__init__.py": "| tests/__init__.py | 2 |"})
    assert later.splitlines()[-2:] == ["| tests/__init__.py | 2 |", "| tests/conftest.py | 1 |"]
    assert later.startswith("# Long checks")


def test_only_the_page_may_differ_from_the_commit(long, tmp_path, monkeypatch):
    """Else every file but the first of a series would be said to be tested on changed files."""

    def git(*words):
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c", *words]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)

    page = tmp_path / "page.md"
    monkeypatch.setattr(long, "ROOT", tmp_path)
    monkeypatch.setattr(long, "PAGE", page)
    page.write_text("before")
    git("init")
    git("add", ".")
    git("commit", "-m", "all")
    page.write_text("after")
    assert re.fullmatch("[0-9a-f]+", long.commit())
    (tmp_path / "other").write_text("new")
    assert re.fullmatch(r"[0-9a-f]+\+", long.commit())
