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


def shown(model, data, folder, monkeypatch):
    """The last picture that a logger is handed in an epoch of fit."""
    package = Recorder()
    monkeypatch.setitem(sys.modules, "wandb", package)
    callback = Logging("wandb", folder, examples=data)
    model.fit(data, epochs=1, verbose=0, callbacks=[callback])
    return [args[0] for args, _ in package.of("Image")][-1:]


@pytest.mark.filterwarnings("ignore:x holds bytes")
def test_masks_of_0_and_1_are_shown_as_the_model_sees_them(model, tmp_path, monkeypatch):
    masks = (X[:8] > 0.5).astype(np.uint8)
    (picture,) = shown(model, masks, tmp_path, monkeypatch)
    np.testing.assert_array_equal(picture[:4, :4, 0], 255 * masks[0, ..., 0])


def test_a_model_with_a_condition_is_shown_under_it(tmp_path, monkeypatch):
    data = zoo.data.Data("made", "test", X[:8], labels=np.arange(8) % 3)
    model = zoo.create("conditional_vae", (4, 4, 1), condition=3, latents=2, hidden=(4,))
    model.compile(jit_compile=False)
    (picture,) = shown(model, data, tmp_path, monkeypatch)
    assert picture.shape == (8, 32, 3)


def test_what_is_no_reconstruction_of_x_costs_no_run(tmp_path, monkeypatch):
    model = zoo.create("autoencoder", (4, 4, 1), latents=2, hidden=(4,))
    model.compile(jit_compile=False)
    monkeypatch.setattr(type(model), "reconstruct", lambda self, x: np.zeros((len(x), 2, 2, 1)))
    with pytest.warns(UserWarning, match="No reconstructions are shown in wandb"):
        assert shown(model, X[:8], tmp_path, monkeypatch) == []


def test_a_worker_that_is_not_the_chief_takes_part_and_writes_nothing(model, tmp_path, monkeypatch):
    """Its replicas are needed for the pictures, which the chief cannot reconstruct alone."""
    package, asked = Recorder(), []
    monkeypatch.setitem(sys.modules, "wandb", package)
    monkeypatch.setattr(Logging, "_writes", False)
    reconstruct = type(model).reconstruct
    monkeypatch.setattr(
        type(model), "reconstruct", lambda self, x: asked.append(len(x)) or reconstruct(self, x)
    )
    callback = Logging("wandb", tmp_path / "run", examples=X[:8])
    model.fit(X[:8], epochs=3, verbose=0, callbacks=[callback])
    assert asked == [8, 8, 8]  # after 1 and 2 epochs, and at the end
    assert package.calls == [] and not (tmp_path / "run").exists()
