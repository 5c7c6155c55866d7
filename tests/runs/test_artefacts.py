"""What a run leaves behind: for data of every rank, and where a figure or the export fails."""

import dataclasses
import json
import shlex

import keras
import numpy as np
import pytest

import zoo
from zoo.runs import artefacts
from zoo.runs.artefacts import next_steps
from zoo.runs.measuring import measure
from zoo.runs.run import evaluate, train
from zoo.runs.run_config import RunConfig
from zoo.runs.run_folder import RunFolder
from zoo.visualization import selection

OPTIONS = {"latents": 2, "hidden": [4], "likelihood": "normal"}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """The features of generated examples are kept where the test's data lie."""
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "cache"))


def run_on(folder, x, labels=None, name="a run", options=OPTIONS, model="vae", **settings):
    """A run of one epoch on arrays in a file, in a folder with a blank in its name."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "my data.npz"
    np.savez(path, x=x, **({} if labels is None else {"y": labels}))
    config = RunConfig(
        model=model, options=options, dataset=str(path), epochs=1, batch_size=8, **settings
    )
    return train(config, folder / name, say=lambda text: None).folder


def long(*values):
    """Parameters of .ci/long."""
    return [pytest.param(value, marks=pytest.mark.long) for value in values]


def assert_complete(folder):
    metrics = json.loads(folder.metrics.read_text())
    assert np.isfinite(metrics["reconstruction"]["squared_error"])
    assert (folder.saved_model / "saved_model.pb").is_file()
    assert "Weights" in folder.report.read_text()
    assert folder.finished
    return metrics


@pytest.mark.filterwarnings("ignore:.*is NaN")
@pytest.mark.parametrize("event", [(7,), (6, 6, 3), *long((12, 3), (4, 6, 6, 1))])
def test_every_rank_of_data_ends_with_metrics_report_and_saved_model(tmp_path, event):
    x = np.random.default_rng(0).random((60, *event)).astype(np.float32)
    folder = run_on(tmp_path / "with blanks", x, np.arange(60) % 2)
    metrics = assert_complete(folder)
    assert metrics["measured_on"]["examples"] == 12 and len(metrics["measured_on"]["rows"]) == 16
    assert "generation" in metrics and "features" in metrics["measured_on"]
    figures = {path.stem for path in folder.figures.iterdir()}
    assert {"reconstructions", "samples", "code_scatter", "class_correlation"} <= figures
    assert "Not drawn" not in folder.report.read_text()


@pytest.mark.filterwarnings("ignore:.*is NaN")
@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("conditional_vae", {"latents": 2, "hidden": [4], "condition": 3}),
        ("semi_supervised_vae", {"latents": 2, "hidden": [4], "classes": 3}),
    ],
)
def test_labels_that_are_a_condition_stand_beside_the_data_to_the_end(tmp_path, model, options):
    x = np.random.default_rng(0).random((60, 4, 4, 1)).astype(np.float32)
    options = {**options, "likelihood": "bernoulli"}
    folder = run_on(tmp_path, x, np.arange(60) % 3, options=options, model=model)
    metrics = assert_complete(folder)
    assert {"probing", "clustering", "generation"} <= set(metrics)
    figures = {path.stem for path in folder.figures.iterdir()}
    assert {"reconstructions", "samples", "code_scatter", "interpolations"} <= figures
    assert "Not drawn" not in folder.report.read_text()


def test_a_figure_that_fails_costs_that_figure_only(tmp_path, monkeypatch):
    def fails(*args, **kwargs):
        raise MemoryError("no room for the samples")

    monkeypatch.setattr(selection, "samples", fails)
    x = np.random.default_rng(0).random((40, 6)).astype(np.float32)
    with pytest.warns(UserWarning, match="'samples' is not drawn: MemoryError: no room"):
        folder = run_on(tmp_path, x)
    assert_complete(folder)
    assert "no room for the samples" in folder.report.read_text()
    assert not (folder.figures / "samples.png").exists()
    assert (folder.figures / "reconstructions.png").exists()
    # Nor does the picture of an earlier evaluation stand for it; what a user put there stays.
    for name in ("samples.png", "my own.png"):
        (folder.figures / name).write_bytes((folder.figures / "reconstructions.png").read_bytes())
    with pytest.warns(UserWarning, match="'samples' is not drawn"):
        evaluate(folder.path, level="quick")
    assert not (folder.figures / "samples.png").exists()
    assert (folder.figures / "my own.png").exists()


def test_metrics_and_the_export_are_there_before_figures_are_drawn(tmp_path, monkeypatch):
    class Killed(BaseException):
        """Not an Exception: nothing may stop it, as a kill."""

    def killed(*args, **kwargs):
        raise Killed

    x = np.random.default_rng(0).random((40, 6)).astype(np.float32)
    with monkeypatch.context() as patched:
        patched.setattr(artefacts, "_figures", killed)
        with pytest.raises(Killed):
            run_on(tmp_path, x)
    folder = RunFolder(tmp_path / "a run")
    assert folder.metrics.is_file() and (folder.saved_model / "saved_model.pb").is_file()
    assert not folder.report.exists() and not folder.finished
    evaluate(folder.path, level="quick")
    metrics = assert_complete(folder)
    assert metrics["training"]["seconds"] > 0  # of the training, though it was not repeated


def test_no_model_is_measured_by_the_seed_of_its_run(tmp_path):
    data = zoo.data.load("digits", "train", limit=200), zoo.data.load("digits", "test", limit=100)
    model = zoo.create("vae", (8, 8, 1), latents=2, hidden=(8,))
    model.compile("adam")
    first = measure(model, *data, tmp_path)
    keras.utils.set_random_seed(5)
    again = measure(model, *data, tmp_path)
    assert first.pop("loss").keys() == again.pop("loss").keys()
    np.testing.assert_equal(first, again)
    assert first["measured_on"]["features"] and list(tmp_path.iterdir())
    for group, intervals in first["intervals"].items():
        for name, (low, high) in intervals.items():
            assert low <= first[group][name] <= high
    assert {"reconstruction", "density", "probing"} <= set(first["intervals"])


def test_levels_of_an_evaluation():
    factors = np.random.default_rng(0).integers(0, 3, (200, 2))
    x = np.eye(3, dtype=np.float32)[factors].reshape(200, 6)
    data = zoo.data.Data("made", "test", x, labels=factors[:, 0], factors=factors)
    model = zoo.create("autoencoder", (6,), latents=2, hidden=(4,))
    model.compile("adam")
    nothing = measure(model, data, data, level="none")
    assert set(nothing) == {"loss", "measured_on"} and nothing["measured_on"]["level"] == "none"
    quick = measure(model, data, data)
    assert quick["measured_on"]["level"] == "quick"
    assert "not the protocol's" in quick["skipped"]["disentanglement: protocol"]
    assert {"mig", "dci_disentanglement"} <= set(quick["disentanglement"])
    assert set(quick["reconstruction"]) >= {"squared_error"}


def test_a_run_measures_as_it_is_told_and_says_how_to_measure_the_rest(tmp_path):
    x = np.random.default_rng(0).random((40, 6)).astype(np.float32)
    folder = run_on(tmp_path, x, evaluate="none")
    metrics = json.loads(folder.metrics.read_text())
    assert set(metrics) == {"loss", "measured_on", "training"}
    assert not list(folder.figures.glob("*"))
    page = folder.report.read_text()
    assert "the terms of the loss alone" in page and "which were left out" in page
    with pytest.raises(ValueError, match="level of evaluation"):
        evaluate(folder.path, level="ful")
    assert folder.finished


def test_a_run_on_standardized_data_says_the_units(tmp_path):
    x = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32) * 100
    folder = run_on(tmp_path, x, options={**OPTIONS, "standardize": True}, evaluate="none")
    metrics = json.loads(folder.metrics.read_text())
    assert metrics["measured_on"]["loss"] == "of standardized data"
    assert "are in the data&#39;s units" in folder.report.read_text()


@pytest.mark.parametrize("level", ["none", "quick", "full"])
def test_printed_commands_survive_a_shell(tmp_path, level):
    path = tmp_path / "a folder's $HOME & more"
    for _, command in next_steps(RunFolder(path), level=level):
        words = shlex.split(command)
        assert words[0] == "latent-zoo"
        named = [word for word in words if "folder" in word]
        assert all(word.removeprefix("--run_dir=") == str(path) for word in named)
        assert bool(named) == (words[1] != "train")


def test_a_finished_run_says_the_level_that_it_was_measured_at(tmp_path):
    x = np.random.default_rng(0).random((40, 6)).astype(np.float32)
    folder = run_on(tmp_path, x, evaluate="none")
    again = dataclasses.replace(RunConfig.read(folder.path), evaluate="full")
    assert train(again, folder.path, resume=True, say=lambda text: None).repeated
    assert RunConfig.read(folder.path).evaluate == "none"
