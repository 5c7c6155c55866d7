"""Which tests go to one worker of pytest-xdist: those that share fixtures.

The marks `xdist_group` would say it too, but xdist 3.8 writes them into names that pytest 9.2 no longer
reads: every test then goes to any worker, and each of them makes the fixtures of a file again.
"""

from __future__ import annotations

import pytest
from xdist.scheduler import LoadScopeScheduling

CASES = "tests/conformance/test_conformance.py"


def group(name: str) -> str:
    """The group of the test `name`: its file, or its case of the conformance table."""
    path, _, test = name.partition("::")
    return f"{path}[{test.partition('[')[2]}" if path == CASES else path


class ByFile(LoadScopeScheduling):
    """Gives a worker all tests of a group."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)


@pytest.hookimpl
def pytest_xdist_make_scheduler(config, log):
    if config.getvalue("dist") == "loadscope":
        return ByFile(config, log)
    return None
