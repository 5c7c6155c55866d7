"""A seed that was stopped in its middle goes on there, and gives what one gives that never was."""

import json
import time

import numpy as np
import pytest

import zoo
from zoo.experiments import reproduce, results, training, unfinished
from zoo.experiments.experiment import Experiment, Outcome
from zoo.experiments.shelf import kept
from zoo.runs import checkpoints

X = np.random.default_rng(0).random((40, 6), np.float32)
EPOCHS = 3


class Epochs:
    """How many began, and before which the work is stopped."""

    def __init__(self):
        self.begun = 0
        self.stop_before = None


@pytest.fixture
def epochs(monkeypatch):
    counted = Epochs()

    def begin(self, epoch, logs=None):
        if counted.begun == counted.stop_before:
            raise KeyboardInterrupt
        counted.begun += 1
        time.sleep(0.02)

    monkeypatch.setattr(training.Pulse, "on_epoch_begin", begin)
    monkeypatch.setattr(unfinished, "_EVERY_SECONDS", 0.0)
    return counted


def trained(seed, epochs):
    model = zoo.create("vae", (6,), latents=2, hidden=(4,), seed=seed)
    training.train(model, X, epochs=epochs, batch_size=10, learning_rate=1e-2)
    return model


@pytest.fixture
def run(epochs, monkeypatch, tmp_path):
    """(folder, stop before that many epochs, **settings) -> what an experiment of three trainings gave.

    The second is of a kept model. The networks draw their weights where the seed of the experiment stands.
    """

    def experiment(seed, sources, *, epochs):
        models = [
            trained(seed, epochs),
            kept(sources.models, f"kept-{seed}-{epochs}", lambda: trained(seed + 1, epochs)),
            trained(seed + 2, epochs),
        ]
        weights = [np.concatenate([w.ravel() for w in m.get_weights()]) for m in models]
        sizes = [float(np.square(own).sum()) for own in weights]
        return Outcome(dict(zip("abc", sizes, strict=True)), {"weights": np.stack(weights)})

    usual = {"epochs": EPOCHS}
    found = Experiment("T-1", "paper", "title", experiment, lambda arrays: {}, (), {}, usual)
    for module in (reproduce, results):
        monkeypatch.setattr(module, "find", lambda name: found)

    def go(folder, stop_before=None, **changes):
        epochs.begun, epochs.stop_before = 0, stop_before
        output = tmp_path / folder / "T-1"
        reproduce.reproduce("T-1", output=output, seeds=1, changes=changes, say=lambda text: None)
        return checkpoints.read(output / "seed-0.npz")

    return go


@pytest.fixture(scope="module")
def never_stopped():
    """What a run gives that was never stopped, once there is one."""
    return []


# Between two trainings, in that of the kept model, in the last.
@pytest.mark.parametrize("at", [3, 5, 8])
def test_it_goes_on_in_the_middle_of_a_training(run, epochs, never_stopped, tmp_path, capsys, at):
    if not never_stopped:
        never_stopped.append(run("whole"))
        assert epochs.begun == 3 * EPOCHS
    (whole,) = never_stopped
    with pytest.raises(KeyboardInterrupt):
        run("stopped", at)
    left = tmp_path / "stopped" / "T-1"
    assert list(left.glob("seed-0-unfinished-*/*"))
    capsys.readouterr()
    again = run("stopped")
    assert epochs.begun == 3 * EPOCHS - at
    said = capsys.readouterr().out
    assert (f"goes on at epoch {at % EPOCHS + 1} of {EPOCHS}" in said) == (at % EPOCHS > 0)
    assert again.description["measures"] == whole.description["measures"]
    np.testing.assert_array_equal(again.arrays["weights"], whole.arrays["weights"])
    assert not list(left.glob("seed-0-unfinished-*"))


def took_an_hour(folder):
    """Let the newest checkpoint of each training below a folder say so; how many there are."""
    newest = {path.parent: path for path in sorted(folder.glob("**/epoch-*.npz"))}
    for path in newest.values():
        held = checkpoints.read(path)
        clock = held.description["run"]["dict"]["callbacks"][-1][1]["dict"]
        assert 0.02 <= clock["seconds"] < 60
        clock["seconds"] = 3600.0
        with path.open("wb") as file:
            checkpoints.write(file, held)
    return len(newest)


# When it is stopped, how many trainings there are checkpoints of, and of these how many of the kept model,
# which was made before the last stop.
@pytest.mark.parametrize(("at", "trainings", "of_kept"), [(5, 2, 1), (8, 2, 0)])
def test_the_time_before_the_stop_counts(run, tmp_path, at, trainings, of_kept):
    with pytest.raises(KeyboardInterrupt):
        run("a", at)
    assert took_an_hour(tmp_path / "a" / "T-1") == trainings
    found = run("a").description
    note = json.loads((tmp_path / "a/models/kept-0-3-float32.seconds.json").read_text())
    assert 0 < note["kept-0-3-float32"] - 3600 * of_kept < 60
    assert 0 < found["seconds"] - 3600 * trainings < 60
    assert found["kept"]["items"] == 1 - of_kept


def test_a_run_with_other_settings_leaves_it_alone(run, epochs):
    with pytest.raises(KeyboardInterrupt):
        run("a", 2)
    run("a", epochs=1)
    assert epochs.begun == 3
    run("a")
    assert epochs.begun == 3 * EPOCHS - 2


def test_trainings_that_are_timed_begin_anew(epochs, tmp_path):
    for _ in range(2):
        with pytest.raises(RuntimeError, match="after it"), unfinished.going_on(tmp_path / "seed"):
            trained(0, 1)
            with unfinished.at_once():
                trained(1, 1)
            raise RuntimeError("after it")
    assert epochs.begun == 3
