"""Arrays that TensorFlow uses where they lie."""

import subprocess
import sys

import numpy as np
import pytest

from zoo.data.lending import LEAST_BYTES, aligned, lent

SIDE = LEAST_BYTES // (1024 * 4)


def filled(shape=(SIDE, 1024), dtype=np.float32, make=aligned):
    array = make(shape, dtype)
    array[:] = (np.arange(shape[0]) % 200).astype(dtype)[:, None]
    return array


def unaligned(shape, dtype):
    size = np.prod(shape) * np.dtype(dtype).itemsize
    memory = np.empty(size + 64 + 16, np.uint8)
    first = -memory.ctypes.data % 64 + 16
    return memory[first : first + size].view(dtype).reshape(shape)


@pytest.mark.parametrize("dtype", [np.float32, np.uint8, np.float64, np.int32])
def test_an_aligned_array_is_not_copied(dtype):
    array = filled((8 * SIDE, 1024), dtype)
    tensor = lent(array)
    assert tensor.dtype == dtype and tensor.shape == array.shape
    array[5, 7] = 99
    assert tensor[5, 7] == 99
    np.testing.assert_array_equal(tensor, array)


def test_the_memory_stays_while_the_tensor_does():
    tensor = lent(filled())
    others = [filled((SIDE, 1024), make=np.empty) + 1 for _ in range(4)]
    np.testing.assert_array_equal(tensor[:, 0], np.arange(SIDE) % 200)
    assert len(others) == 4


def test_a_mapped_file_is_not_copied_and_not_written(tmp_path):
    np.save(tmp_path / "x.npy", filled())
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    tensor = lent(mapped)
    del mapped
    np.testing.assert_array_equal(tensor, filled())


@pytest.mark.parametrize("kind", ["unaligned", "transposed", "small", "bool"])
def test_others_are_copied(kind):
    array = filled(make=unaligned) if kind == "unaligned" else filled()
    array = {"transposed": array.T, "small": array[:3], "bool": array > 3}.get(kind, array)
    expected = array.copy()
    tensor = lent(array)
    if isinstance(tensor, np.ndarray):
        return  # TensorFlow copies what it is given as an array
    array[0] += 1
    np.testing.assert_array_equal(tensor, expected)


MEASURE = """
import gc, sys
import numpy as np, zoo
from zoo.data.lending import aligned

def kilobytes(name):
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(name))

model = zoo.create("autoencoder", (2048,), latents=2, hidden=(4,))
model.compile()
for kind, megabytes in (("float32", 2), ("float32", 200), ("uint8", 200)):
    rows = (megabytes << 20) // (2048 * np.dtype(kind).itemsize)
    for make in (np.empty, aligned):
        x = make((rows, 2048), kind)
        x[:] = 0
        x[::2] = 1
        gc.collect()
        open("/proc/self/clear_refs", "w").write("5")
        before = kilobytes("VmRSS")
        model.fit(x, batch_size=128, verbose=0)
        print((kilobytes("VmHWM") - before) / 1024 / megabytes)
        del x
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
def test_fit_takes_no_second_copy():
    """Beside x itself: nothing where x is aligned, one copy where it is not."""
    result = subprocess.run(
        [sys.executable, "-c", MEASURE], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    plain, lent_, plain_bytes, lent_bytes = map(float, result.stdout.split()[2:])
    assert lent_ < 0.2 and lent_bytes < 0.2, result.stdout
    # A first fit with data of a kind traces the step, some tens of megabytes.
    assert plain < 1.4 and plain_bytes < 1.4, result.stdout
