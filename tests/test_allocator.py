"""Memory that a step frees is there for the next one."""

import os
import subprocess
import sys

import pytest

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


def page_faults(**environment):
    """Of a training step; its gradients take 950 pages."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("MALLOC_")}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True,
        text=True,
        check=True,
        env={**clean, **environment},
    )
    return float(done.stdout.splitlines()[-1])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's allocator")
def test_steps_reuse_their_memory():
    kept, given_back = page_faults(), page_faults(MALLOC_ARENA_TEST="8")  # glibc's own default
    assert kept < given_back / 4


def test_the_users_settings_come_first(monkeypatch):
    from zoo.allocator import keep_freed_memory

    monkeypatch.setenv("MALLOC_TOP_PAD_", "0")
    assert not keep_freed_memory()
