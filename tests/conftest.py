"""What tests of several rooms share."""

import os

import numpy as np
import pytest

# The same figures on every machine, and half the tracing; what is computed in slices is tested as such.
os.environ.setdefault("ZOO_CORES", "0")


@pytest.fixture(scope="session")
def two_devices():
    """A strategy over two logical processors, as `zoo.runs.strategies` makes it.

    Without collective operations: TensorFlow numbers those of every strategy from the same start, so that
    a second strategy over the same devices meets the shapes of the first.
    """
    import tensorflow as tf

    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"], tf.distribute.ReductionToOneDevice())


@pytest.fixture
def auto_compiles(monkeypatch):
    """`jit_compile="auto"` as users have it: XLA compiles small models."""
    from zoo.trainer import compilation

    monkeypatch.setattr(compilation, "JIT_WEIGHTS", 50_000)


@pytest.fixture
def vectors():
    """(160, 6) float32 in (0, 1) with two hidden causes."""
    return make_vectors()


def make_vectors(rows=160, width=6, seed=0):
    random = np.random.default_rng(seed)
    causes = random.normal(size=(rows, 2)) @ random.normal(size=(2, width)) * 2
    return aligned((1 / (1 + np.exp(-causes))).astype("float32"))


def aligned(x):
    """The array in memory that begins at a multiple of 64 bytes, which TensorFlow takes without a copy."""
    memory = np.empty(x.nbytes + 64, np.uint8)
    start = -memory.ctypes.data % 64
    found = memory[start : start + x.nbytes].view(x.dtype).reshape(x.shape)
    found[...] = x
    return found


@pytest.fixture
def own_parts_only(monkeypatch):
    """The registry without the parts that other tests of this process brought."""
    from zoo import registry

    for kind, table in registry._parts.items():
        registry.names(kind)  # what registers itself when first asked for stays
        own = {n: part for n, part in table.items() if not part.__module__.startswith("tests.")}
        monkeypatch.setitem(registry._parts, kind, own)
