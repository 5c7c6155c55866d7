"""Whatever stands in a file of data, in a plugin's options or in a .keras file: a ValueError at the worst.

ZOO_FUZZ sets the number of cases of each test: .ci/long takes 2000.
"""

import contextlib
import copy
import io
import json
import os
import tempfile
import zipfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

import zoo
from zoo.data import Data
from zoo.registry import names
from zoo.runs import building
from zoo.runs.artefacts import load_model
from zoo.runs.run_config import RunConfig

pytestmark = pytest.mark.fuzz
CASES = int(os.environ.get("ZOO_FUZZ", "25"))
FUZZ = settings(
    max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)

NUMBERS = st.one_of(st.integers(-9, 9), st.floats(), st.just(2**70))
PLAIN = st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=8))
OPTIONS = (
    "p",
    "weight",
    "form",
    "kernel",
    "k",
    "threshold",
    "steps",
    "loss",
    "name",
    "level",
    "bandwidths",
)
# What an attacker would put into the place of a class.
CLASSES = st.sampled_from(
    [
        {"module": "os", "class_name": "system", "config": {"command": "touch pwned"}},
        {
            "module": "builtins",
            "class_name": "function",
            "config": "exec",
            "registered_name": "function",
        },
        {"module": "keras.layers", "class_name": "Lambda", "config": {"function": "print"}},
        {"module": "subprocess", "class_name": "Popen", "config": {"args": ["touch", "pwned"]}},
        {"class_name": "__lambda__", "config": {"value": "4wAAAAAAAAAAAAAAAAEAAAACAAAAQw=="}},
    ]
)


@cache
def contents(kind: str) -> bytes:
    """A file that can be read."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"good.{kind}"
        x = np.random.default_rng(0).uniform(size=(12, 4)).astype("float32")
        if kind == "npy":
            np.save(path, x)
        elif kind == "npz":
            np.savez(path, x=x, y=np.arange(12) % 3)
        elif kind == "csv":
            path.write_text("a,b,label\n" + "".join(f"{i},{i / 7},{i % 3}\n" for i in range(12)))
        elif kind == "png":
            Image.fromarray((x * 255).astype(np.uint8)).save(path)
        elif kind == "keras":
            zoo.create("laplace_vae", (4,), latents=2, hidden=(3,), regularizers=["l1"]).save(path)
        return path.read_bytes()


@st.composite
def damaged(draw, kind):
    """A good file with a stretch of it replaced, or cut off, or anything at all."""
    if draw(st.integers(0, 4)) == 0:
        return draw(st.binary(max_size=200))
    good = contents(kind)
    start = draw(st.integers(0, len(good)))
    end = draw(st.one_of(st.just(len(good)), st.integers(start, min(start + 40, len(good)))))
    return good[:start] + draw(st.binary(max_size=40)) + good[end:]


@contextlib.contextmanager
def folder():
    """An empty folder to stand in."""
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as path:
        os.chdir(path)
        try:
            yield Path(path)
        finally:
            os.chdir(here)


@pytest.mark.parametrize("kind", ["npy", "npz", "csv", "png"])
def test_data_files(kind):
    @FUZZ
    @given(damaged(kind))
    def run(content):
        with folder() as here:
            place = here / "pictures" if kind == "png" else here / f"data.{kind}"
            if kind == "png":
                for count in range(3):
                    (place / "a").mkdir(parents=True, exist_ok=True)
                    (place / "a" / f"{count}.png").write_bytes(content if count else contents(kind))
            else:
                place.write_bytes(content)
            with contextlib.suppress(ValueError):
                found = zoo.data.load(place)
                assert isinstance(found, Data) and len(found.inputs)

    run()


@FUZZ
@given(
    st.sampled_from(names("regularizer")),
    st.dictionaries(st.one_of(st.sampled_from(OPTIONS), st.text(max_size=5)), PLAIN, max_size=3),
)
def test_options_of_plugins(name, options):
    config = RunConfig(
        model="vae",
        options={"latents": 2, "hidden": [3]},
        regularizers=[{**options, "name": name}],
    )
    with contextlib.suppress(ValueError):
        model = building.build(building.checked(config), (4,))
        model.get_config()


@FUZZ
@given(damaged("keras"))
def test_damaged_models(content):
    with folder() as here:
        (here / "model.keras").write_bytes(content)
        with contextlib.suppress(ValueError):
            load_model(here / "model.keras")


@st.composite
def changed_config(draw):
    """The config of a model with some of its values replaced."""
    with zipfile.ZipFile(io.BytesIO(contents("keras"))) as archive:
        config = json.loads(archive.read("config.json"))
    for _ in range(draw(st.integers(1, 3))):
        place = config
        while True:
            keys = sorted(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            inner = place[key]
            if not isinstance(inner, dict | list) or draw(st.integers(0, 3)) == 0:
                place[key] = copy.deepcopy(draw(st.one_of(PLAIN, CLASSES)))
                break
            place = inner
    return config


@FUZZ
@given(changed_config())
def test_changed_models_load_or_not_but_run_nothing(config):
    with folder() as here:
        with (
            zipfile.ZipFile(io.BytesIO(contents("keras"))) as good,
            zipfile.ZipFile(here / "model.keras", "w") as bad,
        ):
            for name in good.namelist():
                content = json.dumps(config).encode() if name == "config.json" else good.read(name)
                bad.writestr(name, content)
        with contextlib.suppress(ValueError):
            load_model(here / "model.keras")
        assert sorted(path.name for path in here.iterdir()) == ["model.keras"]
