"""Loggers get every epoch and a few pictures, without their packages where these are stood in for."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

import zoo
from zoo.runs.loggers import LOGGERS, Logging

X = np.random.default_rng(0).random((20, 4, 4, 1), np.float32)


class Recorder:
    """A package that keeps what it is called with, by the name of the function."""

    def __init__(self):
        self.calls = []

    def __getattr__(self, name):
        def call(*args, **options):
            self.calls.append((name, args, options))
            return self if name == "init" else SimpleNamespace(info=SimpleNamespace(run_id="r7"))

        return call

    def of(self, name):
        return [(args, options) for called, args, options in self.calls if called == name]


@pytest.fixture
def model():
    model = zoo.create("autoencoder", (4, 4, 1), latents=2, hidden=(4,))
    model.compile(jit_compile=False)
    return model


def fit(model, name, folder, epochs=3):
    callback = Logging(name, folder, {"beta": 4, "hidden": [4]}, X[:2])
    model.fit(X, epochs=epochs, verbose=0, callbacks=[callback])


@pytest.mark.parametrize(
    ("name", "first", "terms"),
    [("wandb", "init", "log"), ("trackio", "init", "log"), ("mlflow", "start_run", "log_metrics")],
)
def test_epochs_and_pictures_are_handed_on_and_a_resumed_run_goes_on(
    name, first, terms, model, tmp_path, monkeypatch
):
    package = Recorder()
    monkeypatch.setitem(sys.modules, name, package)
    fit(model, name, tmp_path / "run")
    logged = [
        (args[0], options["step"]) for args, options in package.of(terms) if "loss" in args[0]
    ]
    assert [step for _, step in logged] == [1, 2, 3]
    assert all(np.isfinite(values["loss"]) for values, _ in logged)
    pictures = package.of("log_image" if name == "mlflow" else "Image")
    assert len(pictures) == 3  # after 1 and 2 epochs, and at the end
    assert pictures[0][0][0].shape == (8, 8, 3) and pictures[0][0][0].dtype == np.uint8
    before = package.of(first)[0][1]
    fit(model, name, tmp_path / "run", epochs=1)
    after = package.of(first)[-1][1]
    if name == "mlflow":
        assert before["run_name"] == "run" and after == {"run_id": "r7"}
    else:
        assert before.get("id", before["name"]) == after.get("id", after["name"])
        assert before["config"] == {"beta": 4, "hidden": [4]}


def test_tensorboard_reads_the_pictures(model, tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    fit(model, "tensorboard", tmp_path)
    read = accumulator.EventAccumulator(
        str(tmp_path / "tensorboard" / "pictures"), {"tensors": 0}
    ).Reload()
    assert read.Tags()["tensors"] == ["reconstructions"]
    events = read.Tensors("reconstructions")
    assert [event.step for event in events] == [0, 1, 2]
    width, height, png = events[0].tensor_proto.string_val
    assert (width, height, png[:4]) == (b"8", b"8", b"\x89PNG")
    assert read.SummaryMetadata("reconstructions").plugin_data.plugin_name == "images"


@pytest.mark.parametrize("name", ["wandb", "mlflow", "trackio"])
def test_a_package_that_is_missing_is_named_before_the_training(name, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=f"pip install {name}"):
        Logging(name, tmp_path)


def test_epochs_keep_their_blocks():
    from zoo.trainer.callbacks import need_steps

    assert not need_steps([Logging("tensorboard", "run")])
    assert set(LOGGERS) == {"wandb", "mlflow", "trackio", "tensorboard"}
