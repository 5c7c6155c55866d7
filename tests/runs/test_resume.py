"""A run that was stopped and resumed equals one that never was, bit for bit."""

import errno
import os
import subprocess
import sys
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest

import zoo
from tests.conftest import make_vectors
from zoo.history import read_history
from zoo.recipes import WarmUp
from zoo.runs import HistoryFile, Resume
from zoo.runs.checkpoints import CheckpointFolder
from zoo.trainer.nonfinite import StopOnNonFinite, state_variables

pytestmark = pytest.mark.xdist_group("resume")  # one whole run for all
X = make_vectors()
EPOCHS = 8


class Stop(keras.callbacks.Callback):
    """Ends the run as Ctrl-C does, in the middle of an epoch."""

    def __init__(self, epoch):
        super().__init__()
        self.at, self.epoch = epoch, -1

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.epoch == self.at:
            raise KeyboardInterrupt


def build(model="laplace_vae", **options):
    keras.utils.set_random_seed(0)
    built = zoo.create(model, (6,), latents=2, hidden=(8,), **options)
    built.compile("adam", jit_compile=False)
    return built


def fit(model, folder, callbacks=(), epochs=EPOCHS, **options):
    return model.fit(
        X,
        epochs=epochs,
        batch_size=16,
        verbose=0,
        validation_data=X[:50] if callbacks else None,
        callbacks=Resume(folder, **options).among(callbacks),
    )


def state(model):
    return [variable.numpy() for variable in state_variables(model)]


def assert_same(first, second):
    for a, b in zip(state(first), state(second), strict=True):
        np.testing.assert_array_equal(a, b)


def remembering(folder):
    return [
        keras.callbacks.EarlyStopping(
            "val_reconstruction", mode="min", patience=3, restore_best_weights=True
        ),
        keras.callbacks.ReduceLROnPlateau(patience=1, factor=0.3, min_delta=0.05),
        keras.callbacks.CSVLogger(folder / "log.csv"),
        HistoryFile(folder / "history.csv"),
    ]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run with noise, a schedule, and callbacks that remember, never stopped."""
    folder = tmp_path_factory.mktemp("whole")
    model = build(beta=WarmUp(1.0, 40))
    history = fit(model, folder / "checkpoint", remembering(folder))
    return folder, model, history


def test_the_whole_run_exercises_what_is_to_be_restored(whole):
    _, model, history = whole
    rates = history.history["learning_rate"]
    assert rates[-1] < rates[0]
    assert 3 < len(history.epoch) <= EPOCHS
    assert float(model.step.numpy()) == 10 * len(history.epoch)


def test_stopped_twice_equals_never_stopped(whole, tmp_path):
    reference, model, history = whole
    for epoch in (1, 3):
        with pytest.raises(KeyboardInterrupt):
            callbacks = [*remembering(tmp_path), Stop(epoch)]
            fit(build(beta=WarmUp(1.0, 40)), tmp_path / "checkpoint", callbacks)
    again = build(beta=WarmUp(1.0, 40))
    found = fit(again, tmp_path / "checkpoint", remembering(tmp_path))
    assert_same(again, model)
    assert found.history == history.history
    assert found.epoch == history.epoch
    for name in ("log.csv", "history.csv"):
        assert (tmp_path / name).read_bytes() == (reference / name).read_bytes()
    assert read_history(tmp_path / "history.csv") == history.history
    assert again.evaluate(X, verbose=0) == model.evaluate(X, verbose=0)


def test_a_finished_run_runs_no_epoch_and_ends_the_same(whole):
    reference, model, history = whole
    again = build(beta=WarmUp(1.0, 40))
    found = fit(again, reference / "checkpoint", remembering(reference))
    assert_same(again, model)
    assert found.history == history.history and found.epoch == history.epoch


def test_swapped_averages_are_resumed(tmp_path):
    def average(folder, *more):
        model = build()
        model.compile(keras.optimizers.Adam(0.01, use_ema=True), jit_compile=False)
        fit(model, folder, [keras.callbacks.SwapEMAWeights(swap_on_epoch=True), *more], 4)
        return model

    whole = average(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        average(tmp_path / "cut", Stop(1))
    assert_same(average(tmp_path / "cut"), whole)


def test_critics_and_their_optimizers_are_resumed(tmp_path):
    options = {"model": "vae", "regularizers": ["total_correlation"]}
    model = build(**options)
    assert model.critics
    fit(model, tmp_path / "whole", epochs=4)
    fit(build(**options), tmp_path / "parts", epochs=2)
    again = build(**options)
    fit(again, tmp_path / "parts", epochs=4)
    assert_same(again, model)
    assert len(state(again)) > len(again.model_variables) * 3


def test_another_model_is_refused_and_named(whole):
    reference, *_ = whole
    with pytest.raises(ValueError, match=r"another model.*config\.prior.*'laplace' there"):
        fit(build("vae", activation="softplus"), reference / "checkpoint")
    with pytest.raises(ValueError, match="another model"):
        fit(build(posterior="laplace", estimator="sampled"), reference / "checkpoint")


def test_a_damaged_newest_checkpoint_repeats_an_epoch(tmp_path):
    model = build()
    fit(model, tmp_path, epochs=3)
    newest = max(tmp_path.glob("epoch-*"))
    newest.write_bytes(newest.read_bytes()[:-1000])
    again = build()
    with pytest.warns(UserWarning, match="one before"):
        fit(again, tmp_path, epochs=3)
    assert_same(again, model)


def test_a_later_fit_of_the_same_model_starts_at_its_own_first_epoch(tmp_path):
    model = build()
    fit(model, tmp_path, epochs=2)
    assert model.fit(X, epochs=1, verbose=0, batch_size=16).epoch == [0]


def test_the_last_epoch_is_saved_however_rarely(tmp_path):
    fit(build(), tmp_path, epochs=2, every_seconds=1000.0)
    assert [path.name for path in tmp_path.glob("epoch-*")] == ["epoch-000002.npz"]


def test_a_loss_that_is_no_number_is_not_saved_and_gives_the_resumed_weights_back(tmp_path):
    model = build()
    fit(model, tmp_path, epochs=2)
    good = state(model)
    bad = build()
    explode = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: bad.trainable_variables[0].assign(
            bad.trainable_variables[0] * float("nan")
        )
    )
    guard = StopOnNonFinite()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit(bad, tmp_path, [guard, explode], epochs=4)
    assert guard.term
    for a, b in zip(good, state(bad), strict=True):
        np.testing.assert_array_equal(a, b)
    assert max(path.name for path in tmp_path.glob("epoch-*")) == "epoch-000002.npz"


def test_a_full_disk_stops_the_run_and_keeps_the_checkpoints(tmp_path, monkeypatch):
    class Fill(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                monkeypatch.setattr(os, "fsync", full)

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(ValueError, match=r"Cannot write .*epoch-000003.*No space left"):
        fit(build(), tmp_path, [Fill()], epochs=3)
    monkeypatch.undo()
    assert CheckpointFolder(tmp_path).epochs() == [2, 1]
    assert CheckpointFolder(tmp_path).load().description


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="Cannot make the folder"):
        fit(build(), tmp_path / "file" / "checkpoint", epochs=1)


@pytest.mark.parametrize("kills", [1, pytest.param(20, marks=pytest.mark.long)])
def test_killed_at_random_moments(kills):
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "tests.runs.kills", f"--kills={kills}"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "bit for bit" in done.stdout
