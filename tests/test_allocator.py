"""Memory that a step frees is there for the next one; importing the zoo changes nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from zoo import allocator

ROOT = Path(__file__).parents[1]
SCRIPT = """
import resource
import zoo
import numpy as np

model = zoo.create("vae", (784,), hidden=(400, 400), activation="relu")
model.compile("adam", jit_compile=False)
x = np.zeros((1280, 784), np.uint8)
model.fit(x, batch_size=128, epochs=5, verbose=0)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
model.fit(x, batch_size=128, epochs=20, verbose=0)
print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / 200)
"""


def run(script, **environment):
    """The last line that a process prints, in which no variable sets the allocator but those given."""
    ours = ("MALLOC_", allocator.SWITCH)
    clean = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
        env={**clean, **environment},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()[-1]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's allocator")
def test_steps_reuse_their_memory_whatever_ran_before_fit():
    # TensorFlow's operations and data sets have run when `fit` begins; a step's gradients take 950 pages.
    kept, given_back = float(run(SCRIPT)), float(run(SCRIPT, ZOO_ALLOCATOR="0"))
    assert kept < given_back / 4


@pytest.mark.parametrize(("name", "value"), [("MALLOC_TOP_PAD_", "0"), (allocator.SWITCH, "0")])
def test_the_users_settings_come_first(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    monkeypatch.setattr(allocator.ctypes, "CDLL", None)  # a call of it would be a TypeError
    assert not allocator.keep_freed_memory.__wrapped__()


def test_importing_the_zoo_changes_nothing_in_the_process():
    code = (
        "import sys, keras, zoo; print([name for name in sys.modules if name.startswith('zoo.')])"
    )
    assert run(code) == "[]"
