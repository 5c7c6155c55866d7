"""The callbacks of a run: history file, event log, progress."""

import io

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.history import read_history
from zoo.runs.event_log import EventLog
from zoo.runs.history_file import HistoryFile
from zoo.runs.progress import Progress

LOGS = [
    {"loss": 1 / 3, "kl": np.float32(0.1).item()},
    {"loss": float("nan"), "kl": 1e-30, "val_loss": 2.5},
]


def drive(callback, logs=LOGS, epochs=None, first=0):
    callback.set_params({"epochs": epochs or len(logs), "steps": 3})
    callback.set_model(type("Model", (), {"stop_training": False})())
    callback.on_train_begin()
    for epoch, entry in enumerate(logs, first):
        callback.on_epoch_begin(epoch)
        callback.on_train_batch_end(0, entry)
        callback.on_epoch_end(epoch, entry)
    callback.on_train_end()
    return callback


def test_the_history_file_holds_every_digit(tmp_path):
    drive(HistoryFile(tmp_path / "history.csv"))
    found = read_history(tmp_path / "history.csv")
    assert list(found) == ["loss", "kl", "val_loss"]
    for name, values in found.items():
        expected = [entry.get(name, float("nan")) for entry in LOGS]
        np.testing.assert_array_equal(values, expected)
    assert (tmp_path / "history.csv").read_text().splitlines()[1].startswith("1,0.333")


def test_the_history_file_is_complete_however_rarely_it_is_written(tmp_path):
    drive(HistoryFile(tmp_path / "history.csv", every_seconds=1000.0), LOGS * 5)
    assert len(read_history(tmp_path / "history.csv")["loss"]) == 10


@pytest.mark.parametrize("text", ["epoch,loss\n1,abc\n", "epoch,loss\n1\n", "a,a,b\n1,2\n"])
def test_a_damaged_history_file(tmp_path, text):
    (tmp_path / "history.csv").write_text(text)
    with pytest.raises(ValueError, match="damaged"):
        read_history(tmp_path / "history.csv")


def test_a_missing_and_an_empty_history_file(tmp_path):
    with pytest.raises(ValueError, match="Cannot read the history"):
        read_history(tmp_path / "history.csv")
    (tmp_path / "history.csv").write_text("")
    assert read_history(tmp_path / "history.csv") == {}


def events(folder):
    found = {}
    for path in folder.glob("events*"):
        for record in tf.data.TFRecordDataset(str(path)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            for value in event.summary.value:
                found[value.tag, event.step] = tf.make_ndarray(value.tensor).item()
                assert value.metadata.plugin_data.plugin_name == "scalars"
    return found


def test_the_event_log_has_what_tensorboard_reads(tmp_path):
    drive(EventLog(tmp_path), [{"loss": 1.5, "val_loss": 2.5}, {"loss": 0.5, "val_loss": 1.0}])
    assert events(tmp_path / "train") == {("epoch_loss", 0): 1.5, ("epoch_loss", 1): 0.5}
    assert events(tmp_path / "validation") == {("epoch_loss", 0): 2.5, ("epoch_loss", 1): 1.0}


def test_progress_in_a_log_is_about_ten_lines_and_ends_with_the_last_epoch():
    stream = io.StringIO()
    drive(Progress(stream), [{"loss": 1.0, "val_kl": 3.0, "val_loss": 2.0}] * 95)
    lines = stream.getvalue().splitlines()
    assert 9 <= len(lines) <= 12
    assert lines[0].startswith("epoch  1/95  loss 1  val_loss 2")
    assert lines[-1] == "epoch 95/95  loss 1  val_loss 2"
    assert "val_kl" not in stream.getvalue()


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_on_a_terminal_is_one_line_drawn_again():
    stream = Terminal()
    drive(Progress(stream), [{"loss": 1.0}] * 5, epochs=20, first=15)
    assert stream.getvalue().count("\n") == 1
    assert "\repoch 20/20  loss 1" in stream.getvalue()


def test_progress_without_an_epoch_says_nothing():
    stream = io.StringIO()
    drive(Progress(stream), [], epochs=5)
    assert stream.getvalue() == ""


def test_every_worker_has_the_callbacks_of_a_run(tmp_path, monkeypatch):
    """One that lowers the learning rate or stops must do so on all; the files are the chief's."""
    from zoo.runs import RunConfig, run, train

    monkeypatch.setattr(run, "is_chief", lambda name: False)
    seen = []
    callback = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(epoch))
    options = {"latents": 2, "hidden": [4]}
    config = RunConfig(model="vae", options=options, limit=20, batch_size=10, epochs=2)
    outcome = train(config, tmp_path / "run", callbacks=[callback])
    assert seen == [0, 1] and outcome.metrics == {}
    assert not outcome.folder.history.exists() and not outcome.folder.config.exists()
