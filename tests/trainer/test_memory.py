"""A file far larger than the limit trains in constant memory."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
# What the allocator keeps differs by tens of megabytes between runs, whatever the size of the file.
MEGABYTES = 800
SCRIPT = """
import resource, sys
import numpy as np
import zoo
from zoo.trainer import sources

sources.MEMORY_LIMIT = 32 << 20
folder, rows = sys.argv[1], int(sys.argv[2])
# A file of nothing but a length takes no time to write and no room on the disk.
np.lib.format.open_memmap(folder + "/x.npy", "w+", "uint8", (rows, 32, 32, 1))
x = np.load(folder + "/x.npy", mmap_mode="r")
model = zoo.create("autoencoder", (32, 32, 1), latents=2, hidden=())
model.compile(jit_compile=False)
model.fit(x[: 1024 * 40], batch_size=1024, verbose=0)      # warm: libraries, traces, buffers
model.evaluate(x[: 1024 * 40], batch_size=1024, verbose=0)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
history = model.fit(x, batch_size=1024, verbose=0).history
model.evaluate(x, batch_size=1024, verbose=0)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print("RESULT", (after - before) / 1024, np.isfinite(history["loss"]).all(), int(model.step.numpy()))
"""


def test_memory_does_not_grow_with_the_file(tmp_path):
    rows = MEGABYTES * 1024
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path), str(rows)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    (tmp_path / "x.npy").unlink(missing_ok=True)
    lines = [line for line in result.stdout.splitlines() if line.startswith("RESULT")]
    assert lines, result.stderr[-2000:]
    growth, finite, steps = lines[0].split()[1:]
    assert finite == "True"
    assert int(steps) == 40 + rows // 1024
    assert float(growth) < MEGABYTES / 4
