"""Two logical processors for every run, so that the tests of several devices need no second one."""

import os
import sys

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
# Machine code for a few steps need not be good; compiling it takes most of the time.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")


def pytest_collection_finish(session):
    """Split the processor before anything starts TensorFlow's runtime.

    Collection has imported every test module by now, and with them TensorFlow if any test needs it; the
    split itself changes nothing for tests on one device, which stay on the first.
    """
    if "tensorflow" not in sys.modules:
        return
    import tensorflow as tf

    processor = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(
        processor, [tf.config.LogicalDeviceConfiguration() for _ in range(2)]
    )


def _seed():
    # Keras draws initial weights from a global state, which other tests would have moved on.
    if "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(0)


@pytest.fixture(scope="module", autouse=True)
def _seeded_module():
    _seed()


@pytest.fixture(autouse=True)
def _seeded_test():
    """No test depends on which ones ran before it, on its worker."""
    _seed()


@pytest.fixture(scope="session")
def two_devices():
    """A strategy over two logical processors, as `zoo.runs.strategies` makes it.

    Without collective operations: TensorFlow numbers those of every strategy from the same start, so that
    a second strategy over the same devices meets the shapes of the first.
    """
    import tensorflow as tf

    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"], tf.distribute.ReductionToOneDevice())


@pytest.fixture
def vectors():
    """(160, 6) float32 in (0, 1) with two hidden causes."""
    return make_vectors()


def make_vectors(rows=160, width=6, seed=0):
    random = np.random.default_rng(seed)
    causes = random.normal(size=(rows, 2)) @ random.normal(size=(2, width)) * 2
    return (1 / (1 + np.exp(-causes))).astype("float32")


def pytest_collection_modifyitems(items):
    """Tests of one file, or of one case of the conformance table, share fixtures and so a worker."""
    for item in items:
        case = getattr(item, "callspec", None)
        group = str(item.path)
        if case is not None and "run" in case.params:
            group += f":{case.params['run']}"
        item.add_marker(pytest.mark.xdist_group(group))
