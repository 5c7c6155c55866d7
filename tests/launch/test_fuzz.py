"""Whatever is written on the command line or into a file: an exit code and one line, never a traceback.

ZOO_FUZZ sets the number of cases: .ci/long takes 2000.
"""

import contextlib
import io
import json
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import launch
from zoo.cli.flags import define
from zoo.cli.settings import named_values, part, value
from zoo.history import read_history
from zoo.runs import run
from zoo.runs.checkpoints import DamagedCheckpointError, read
from zoo.runs.run_config import RunConfig

pytestmark = pytest.mark.fuzz
CASES = int(os.environ.get("ZOO_FUZZ", "30"))
SLOW = settings(
    max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
FAST = settings(max_examples=max(CASES, 150), deadline=None, derandomize=True)

VALUES = (
    "vae laplace k_sparse_autoencoder digits lp_norm mmd adam none conv relu true "
    "0 -1 1e30 nan inf 3 2.5 5,5 () ' {} [ a:b=1"
)
WORDS = st.sampled_from(VALUES.split())
OPTIONS = st.sampled_from(
    ["latents", "hidden", "beta", "prior", "networks", "likelihood", "k", "p", "size", "split"]
)
ANYTHING = st.one_of(WORDS, st.text(max_size=12))
SETTING = st.builds("{}={}".format, OPTIONS, ANYTHING)
PART = st.builds("{}:{}".format, WORDS, SETTING)
FLAG = st.sampled_from(sorted(set(define()) - {"debug", "help"}))
ARGUMENT = st.one_of(
    st.builds("--{}={}".format, FLAG, st.one_of(ANYTHING, SETTING, PART)),
    st.builds("--set={}".format, SETTING),
    st.builds("--regularizer={}".format, PART),
    st.builds("--data={}".format, SETTING),
    st.builds("--model={}".format, WORDS),
    ANYTHING,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=8,
)


@SLOW
@given(st.lists(ARGUMENT, max_size=4))
def test_command_lines(words):
    output, error = io.StringIO(), io.StringIO()
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        stack.callback(os.chdir, here)
        os.chdir(folder)
        fit, run._fit = run._fit, stop
        stack.callback(setattr, run, "_fit", fit)
        stack.enter_context(contextlib.redirect_stdout(output))
        stack.enter_context(contextlib.redirect_stderr(error))
        code = launch.main(["launch.py", "train", "--limit=40", *words])
    assert code in (0, 2)
    if code == 2:
        assert error.getvalue().startswith("launch.py: ") and error.getvalue().count("\n") == 1


def stop(*_):
    """In place of training: everything before it has passed."""
    raise ValueError("as far as training")


@FAST
@given(st.text())
def test_settings(text):
    with contextlib.suppress(ValueError):
        json.dumps(value(text))
    for reader in (lambda: part(text, "f"), lambda: named_values([text], "f")):
        with contextlib.suppress(ValueError):
            reader()


@FAST
@given(st.dictionaries(st.sampled_from(sorted(RunConfig.__dataclass_fields__)), JSON, max_size=4))
def test_configurations(content):
    with contextlib.suppress(ValueError):
        json.dumps(RunConfig.from_json(content).to_json())


@FAST
@given(st.binary(max_size=300))
def test_files(content):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.json"
        path.write_bytes(content)
        for reader, error in (
            (read, DamagedCheckpointError),
            (read_history, ValueError),
            (lambda path: RunConfig.read(path.parent), ValueError),
        ):
            with contextlib.suppress(error):
                reader(path)
