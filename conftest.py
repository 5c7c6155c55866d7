"""Set up of every run: of the tests, and of the examples in the docstrings of zoo/ and plugins/.

An example finds `np`, `keras` and `zoo` imported, as at the top of a script, and may write files where it
stands, which is a folder of its own.
"""

import doctest
import gc
import importlib
import inspect
import os
import sys
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
# Machine code for a few steps need not be good; compiling it takes most of the time.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")

pytest_plugins = ["tests.processor_time", "tests.workers"]
collect_ignore = ["website/examples_section.py"]  # of mkdocstrings, which tests do not need
PLUGINS = Path(__file__).parent / "plugins"


def pytest_collect_file(file_path):
    """Examples in plugins/ run in the installed package, `zoo_plugins`.

    pytest would import the folder a second time as `plugins`, and each plugin would find its name taken.
    """
    if PLUGINS in file_path.parents and file_path.suffix == ".py":
        parts = file_path.relative_to(PLUGINS).with_suffix("").parts
        name = ".".join(["", *parts]).removesuffix(".__init__")
        sys.modules[f"plugins{name}"] = importlib.import_module(f"zoo_plugins{name}")


def _undecorated(from_module):
    # doctest takes a function under another file's decorator for one of that file, and leaves it out.
    def of_module(self, module, part):
        return from_module(self, module, inspect.unwrap(part) if callable(part) else part)

    return of_module


doctest.DocTestFinder._from_module = _undecorated(doctest.DocTestFinder._from_module)


@pytest.fixture(autouse=True)
def _examples(request):
    """What an example finds, and where it stands; names that it registers are gone after it."""
    if isinstance(request.node, pytest.DoctestItem):
        import keras
        import numpy as np

        import zoo

        request.getfixturevalue("doctest_namespace").update(np=np, keras=keras, zoo=zoo)
        monkeypatch = request.getfixturevalue("monkeypatch")
        monkeypatch.chdir(request.getfixturevalue("tmp_path"))
        for kind, table in zoo.registry._parts.items():
            zoo.names(kind)  # what the library itself registers stays
            monkeypatch.setitem(zoo.registry._parts, kind, dict(table))


def pytest_collection_finish(session):
    """Split the processor before anything starts TensorFlow's runtime; leave XLA to tests that ask for it.

    XLA takes longer to compile the few steps of a test than all the rest: "auto" compiles none, except
    where the fixture `auto_compiles` has it so.

    Two logical processors for every run, so that the tests of several devices need no second one.
    Collection has imported every test module by now, and with them TensorFlow if any test needs it; the
    split itself changes nothing for tests on one device, which stay on the first.
    """
    if "tensorflow" in sys.modules:
        import tensorflow as tf

        from tests import term_names
        from zoo.trainer import BlockTrainer, compilation

        compilation.JIT_WEIGHTS = 0
        term_names.remember(BlockTrainer)
        processor = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(
            processor, [tf.config.LogicalDeviceConfiguration() for _ in range(2)]
        )
    _spare_the_collector()


def _spare_the_collector():
    """What was imported stays: it need not be looked through again for every graph that is traced."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)


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
