"""Memory that a step frees is there for the next one; importing the zoo changes nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from zoo import allocator

ROOT = Path(__file__).parents[1]
# The first fit leaves the allocator alone, as the environment says; the second does not.
SCRIPT = """
import os
import resource
import sys

import keras
import zoo
print([name for name in sys.modules if name.startswith("zoo.")])
import numpy as np

from zoo import allocator

model = zoo.create("vae", (784,), hidden=(400, 400), activation="relu")
model.compile("adam", jit_compile=False)
x = np.zeros((160, 784), np.uint8)


def pages(steps=160):  # so many that what the heap grows by once, of a fit, counts for little
    model.fit(x, batch_size=16, epochs=2, verbose=0)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    model.fit(x, batch_size=16, epochs=steps // 10, verbose=0)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / steps


os.environ[allocator.SWITCH] = "0"
given_back = pages()
del os.environ[allocator.SWITCH]
allocator.keep_freed_memory.cache_clear()
print(given_back, pages())
"""


@pytest.fixture(scope="module")
def printed():
    """What a process prints in which no variable sets the allocator."""
    ours = ("MALLOC_", allocator.SWITCH)
    clean = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, env=clean)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's allocator")
def test_steps_reuse_their_memory_whatever_ran_before_fit(printed):
    # TensorFlow's operations and data sets have run when `fit` begins; a step's gradients take 950 pages.
    given_back, kept = map(float, printed[-1].split())
    assert kept < given_back / 4


@pytest.mark.parametrize(("name", "value"), [("MALLOC_TOP_PAD_", "0"), (allocator.SWITCH, "0")])
def test_the_users_settings_come_first(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    monkeypatch.setattr(allocator.ctypes, "CDLL", None)  # a call of it would be a TypeError
    assert not allocator.keep_freed_memory.__wrapped__()


def test_importing_the_zoo_changes_nothing_in_the_process(printed):
    assert printed[0] == "[]"
