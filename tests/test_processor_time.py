"""The meter of the suite: what it counts, and what it fails."""

import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from tests.processor_time import Meter, spent

SPIN = "import time\nwhile time.process_time() < 0.2: pass"


def spin(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def measured(meter, work, long=False, outcome="passed"):
    """The report of a test that does `work`."""
    report = SimpleNamespace(when="call", outcome=outcome, passed=outcome == "passed")
    item = SimpleNamespace(get_closest_marker=lambda name: name if long else None)
    meter.pytest_runtestloop()
    work()
    made = meter.pytest_runtest_makereport(item)
    next(made)
    with pytest.raises(StopIteration) as end:
        made.send(report)
    assert end.value.value is report
    return report


def test_time_of_this_process_and_of_those_that_it_waited_for_counts():
    before = spent()
    spin(0.1)
    here = spent() - before
    assert here >= 0.1
    subprocess.run([sys.executable, "-S", "-c", SPIN], check=True)
    assert spent() - before - here >= 0.2


def test_waiting_does_not_count():
    assert measured(Meter(), lambda: time.sleep(0.3)).processor_seconds < 0.2


def test_a_test_above_the_limit_fails_and_is_told_what_to_do():
    report = measured(Meter(limit=0.05), lambda: spin(0.1))
    assert report.outcome == "failed"
    assert "mark it `long`" in report.longrepr and "at most" in report.longrepr


def test_long_tests_and_failures_stay_what_they_are():
    assert measured(Meter(limit=0.05), lambda: spin(0.1), long=True).outcome == "passed"
    failed = measured(Meter(limit=0.05), lambda: spin(0.1), outcome="failed")
    assert failed.outcome == "failed" and not hasattr(failed, "longrepr")


def test_small_tests_pass():
    report = measured(Meter(), lambda: None)
    assert report.outcome == "passed" and 0 <= report.processor_seconds < 0.1
