"""Processor time of every test, and the limit of those that every change runs.

Wall time says little on a machine that others share. What a test costs here is the processor time of this
process, of all its threads, and of the processes that it started and waited for.

    python -m pytest -n0 tests/runs --processor-times=times.txt && sort -rn times.txt | head
"""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

# Seconds. The dearest take half of it on a busy processor of 2023, so that on a slower one none fails.
LIMIT = 40.0


def spent() -> float:
    """Seconds of processor time so far, of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def too_long(seconds: float, where: str) -> str:
    """What the author of a test is told."""
    return (
        f"{where} took {seconds:.0f} s of processor time; a test that every change runs takes at most "
        f"{LIMIT:.0f} s. Make it smaller, or mark it `long` and leave a small form of it: see BUILD.md, Test."
    )


class Meter:
    """Gives every phase of every test its seconds, and fails those above the limit.

    Args:
        limit: in seconds.
    """

    def __init__(self, limit: float = LIMIT):
        self.limit = limit
        self.last = spent()

    @pytest.hookimpl
    def pytest_runtestloop(self):
        self.last = spent()  # collection belongs to no test

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item):
        report = yield
        now = spent()
        report.processor_seconds = now - self.last  # so that a worker's report takes it along
        self.last = now
        over = report.processor_seconds > self.limit
        if over and report.passed and item.get_closest_marker("long") is None:
            where = "The call" if report.when == "call" else f"The {report.when} of its fixtures"
            report.outcome = "failed"
            report.longrepr = too_long(report.processor_seconds, where)
        return report


class Record:
    """Writes a line for every phase of every test: seconds, phase, outcome, name.

    Args:
        path: the file, written anew.
    """

    def __init__(self, path: Path):
        self.file = path.open("w")

    def pytest_runtest_logreport(self, report):
        seconds = f"{report.processor_seconds:.3f}"
        print(
            seconds,
            report.when,
            report.outcome,
            report.nodeid,
            sep="\t",
            file=self.file,
            flush=True,
        )

    def pytest_unconfigure(self):
        self.file.close()


def pytest_addoption(parser):
    parser.addoption(
        "--processor-times",
        type=Path,
        metavar="FILE",
        help="write the processor time of every test, in seconds, with phase, outcome and name",
    )


def pytest_configure(config):
    config.pluginmanager.register(Meter())
    path = config.getoption("--processor-times")
    if path and not hasattr(config, "workerinput"):  # a worker's reports come to the process above
        config.pluginmanager.register(Record(path))
