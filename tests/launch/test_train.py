"""Whole runs by the command line, on a few digits."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import launch
import zoo
from zoo.cli.command_line import TRY_AGAIN
from zoo.data import load
from zoo.history import read_history

ROOT = Path(__file__).parents[2]
SMALL = ("--set", "hidden=12", "--set", "latents=3", "--limit=120", "--batch_size=20")
FILES = {
    ".lock",
    "card.md",
    "checkpoint",
    "config.json",
    "data.json",
    "figures",
    "history.csv",
    "metrics.json",
    "model.keras",
    "report.html",
    "saved_model",
    "tensorboard",
}

pytestmark = pytest.mark.xdist_group("launch_train")  # one run for all


def run(*words):
    return launch.main(["launch.py", *map(str, words)])


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A finished run, and what the command said."""
    folder = tmp_path_factory.mktemp("runs") / "a"
    assert run("train", *SMALL, "--epochs=3", f"--run_dir={folder}") == 0
    return folder


def test_the_run_folder_holds_what_it_should_and_nothing_half_written(trained):
    assert {entry.name for entry in trained.iterdir()} == FILES
    figures = {path.stem for path in (trained / "figures").iterdir()}
    assert {"reconstructions", "samples", "learning_curves", "code_scatter"} <= figures
    page = (trained / "report.html").read_text()
    assert "log p(x|z)" in page and "data:image/png" in page
    assert not re.search(r'(src|href)="https?:', page)


def test_a_table_with_texts_is_trained_and_judged_column_by_column(tmp_path):
    random = np.random.default_rng(0)
    rows = [f"{random.normal(40, 9):.1f},{random.choice(['Oslo', 'New York'])}" for _ in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["age,city", *rows]))
    wanted = ("--epochs=1", "--set", "hidden=4", "--set", "latents=2", "--evaluate=quick")
    folder = tmp_path / "run"
    with pytest.warns(UserWarning, match="the texts of city are read as categories"):
        assert run("train", f"--dataset={tmp_path / 't.csv'}", *wanted, f"--run_dir={folder}") == 0
    page = (folder / "report.html").read_text()
    assert "age (normal), city (categorical)" in page and "share wrong" in page


def test_the_card_names_what_was_trained_and_measured(trained):
    text = (trained / "card.md").read_text()
    assert "# laplace_vae on digits" in text
    assert "| epochs | 3 |" in text and "| PSNR of the whole set (dB) |" in text
    assert "![reconstructions](figures/reconstructions.png)" in text
    assert str(trained) not in text


def test_metrics_are_those_of_the_saved_model_on_held_out_data(trained):
    metrics = json.loads((trained / "metrics.json").read_text())
    test = load("digits", "test", limit=120)
    model = keras.saving.load_model(trained / "model.keras")
    terms = model.evaluate(test, verbose=0, return_dict=True)
    assert metrics["loss"] == pytest.approx(terms, rel=1e-6)
    error = np.mean(np.sum((model.reconstruct(test) - test.inputs) ** 2, axis=(1, 2, 3)))
    assert metrics["reconstruction"]["squared_error"] == pytest.approx(error, rel=1e-5)
    history = read_history(trained / "history.csv")
    assert len(history["loss"]) == 3
    assert history["val_loss"][-1] == pytest.approx(terms["loss"], rel=1e-5)


def test_the_saved_model_answers_as_the_model(trained):
    x = load("digits", "test", limit=7).inputs
    model = keras.saving.load_model(trained / "model.keras")
    served = tf.saved_model.load(str(trained / "saved_model"))
    np.testing.assert_allclose(served.encode(x), model.encode(x), atol=1e-5)


def test_a_run_can_start_at_the_mean(tmp_path):
    """With steps too small to move anything, the decoder's bias is still the mean of the training data."""
    flags = ("--set=latents=6", "--set=k=2", "--limit=60", "--epochs=1", "--learning_rate=1e-12")
    folder = tmp_path / "run"
    model = "--model=k_sparse_autoencoder"
    assert run("train", model, "--start_at_mean", *flags, f"--run_dir={folder}") == 0
    bias = keras.models.load_model(folder / "model.keras").decoder.biases[0].numpy()
    x = load("digits", "train", limit=60).inputs
    scale = 255 if x.dtype == np.uint8 else 1
    np.testing.assert_allclose(bias, x.reshape(len(x), -1).mean(axis=0) / scale, atol=1e-6)


def test_the_same_command_gives_the_same_bits(trained, tmp_path, monkeypatch):
    from zoo.runs import run as module

    monkeypatch.setattr(module, "write_artefacts", lambda *_, **__: {"loss": {}})
    assert run("train", *SMALL, "--epochs=3", f"--run_dir={tmp_path / 'b'}") == 0
    assert (tmp_path / "b/history.csv").read_bytes() == (trained / "history.csv").read_bytes()
    first, second = (keras.saving.load_model(f / "model.keras") for f in (trained, tmp_path / "b"))
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_finished_run_is_not_run_again(trained, capsys):
    before = (trained / "metrics.json").stat().st_mtime_ns
    assert run("train", f"--run_dir={trained}", "--resume") == 0
    assert "is finished" in capsys.readouterr().out
    assert run("train", f"--run_dir={trained}") == 2
    assert "Resume it, or choose another" in capsys.readouterr().err
    assert run("train", f"--run_dir={trained}", "--resume", "--set", "latents=4") == 2
    assert "options.latents is 3 there and 4 here" in capsys.readouterr().err
    assert run("train", f"--run_dir={trained}", "--resume", "--model=vae") == 2
    assert "model is 'laplace_vae' there and 'vae' here" in capsys.readouterr().err
    assert (trained / "metrics.json").stat().st_mtime_ns == before


def test_evaluate_gives_the_same_metrics_again(trained, capsys):
    before = json.loads((trained / "metrics.json").read_text())
    shutil.rmtree(trained / "saved_model")  # as after a run that was stopped in its last stage
    assert run("evaluate", f"--run_dir={trained}") == 0
    assert (trained / "saved_model" / "saved_model.pb").is_file()
    after = json.loads((trained / "metrics.json").read_text())
    assert after.keys() == before.keys()
    assert after["loss"] == pytest.approx(before["loss"], rel=1e-6)
    assert after["reconstruction"] == pytest.approx(before["reconstruction"], rel=1e-5)
    assert "held-out data" in capsys.readouterr().out


def test_export_and_compare(trained, tmp_path, capsys):
    output = tmp_path / "served"
    assert run("export", f"--run_dir={trained}", f"--output={output}") == 0
    assert (output / "saved_model.pb").is_file()
    copy = tmp_path / "other"
    copy.mkdir()
    for name in ("config.json", "history.csv", "metrics.json"):
        (copy / name).write_bytes((trained / name).read_bytes())
    page = tmp_path / "page.html"
    assert run("compare", trained, copy, f"--output={page}") == 0
    assert "</html>" in page.read_text()


def test_a_truncated_model_is_one_line(trained, tmp_path, capsys):
    folder = tmp_path / "cut"
    folder.mkdir()
    (folder / "config.json").write_bytes((trained / "config.json").read_bytes())
    assert run("export", f"--run_dir={folder}", f"--output={tmp_path / 'x'}") == 2
    error = capsys.readouterr().err
    assert "There is no model in" in error and f"train --run_dir={folder} --resume" in error
    (folder / "model.keras").write_bytes((trained / "model.keras").read_bytes()[:500])
    assert run("export", f"--run_dir={folder}", f"--output={tmp_path / 'x'}") == 2
    error = capsys.readouterr().err
    assert "Cannot load the model" in error and error.count("\n") == 1


def test_a_loss_that_is_no_number_names_the_term_and_keeps_good_weights(tmp_path, capsys, recwarn):
    words = ("train", *SMALL, "--optimizer=sgd", "--learning_rate=1e18", "--epochs=4")
    assert run(*words, f"--run_dir={tmp_path / 'run'}") == 2
    error = capsys.readouterr().err
    assert re.search(r"The term '(kl|reconstruction)' of the loss is not a finite number", error)
    assert error.count("\n") == 1
    assert not [entry for entry in recwarn.list if issubclass(entry.category, UserWarning)]
    model = keras.saving.load_model(tmp_path / "run" / "model.keras")
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_interrupted_it_says_how_to_go_on_and_nothing_else(tmp_path):
    folder = tmp_path / "run"
    command = [sys.executable, "launch.py", "train", *SMALL, f"--run_dir={folder}"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)
    # Where a shell started the tests in the background, SIGINT is ignored here and in what starts from here.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(
            [*command, "--epochs=1000000"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
    finally:
        signal.signal(signal.SIGINT, before)
    try:
        while "epoch" not in (line := process.stdout.readline()):
            assert line
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=100)
    finally:
        process.kill()
    assert process.returncode == 130
    assert error.strip().splitlines() == [
        f"Stopped. To go on: python launch.py train --run_dir={folder} --resume"
    ]


def test_another_worker_lost_is_one_line_and_an_exit_code_of_its_own(tmp_path, monkeypatch, capsys):
    def lost(*_, **__):
        raise tf.errors.UnavailableError(None, None, "connection refused")

    monkeypatch.setattr(zoo.Autoencoder, "fit", lost)
    assert run("train", *SMALL, f"--run_dir={tmp_path / 'run'}") == TRY_AGAIN
    error = capsys.readouterr().err
    assert error == (
        "launch.py: Another worker of this run is gone. Start all workers again with --resume.\n"
    )


def test_damaged_models_are_one_value_error_or_load(trained, tmp_path):
    from zoo.runs.artefacts import load_model

    whole = (trained / "model.keras").read_bytes()
    path, moments = tmp_path / "model.keras", np.random.default_rng(0)
    refused = 0
    for place in moments.integers(0, len(whole), 12):
        cut = whole[:place]
        for damaged in (cut, cut + bytes([whole[place] ^ 255]) + whole[place + 1 :]):
            path.write_bytes(damaged)
            try:
                load_model(path)
            except ValueError:
                refused += 1
    assert refused >= 12


def test_a_run_killed_after_its_last_epoch_needs_no_other_worker(trained, tmp_path, monkeypatch):
    from zoo.runs import run as module

    folder = tmp_path / "run"
    shutil.copytree(trained, folder, copy_function=shutil.copy2)
    (folder / "metrics.json").unlink()
    finished = []
    monkeypatch.setattr(
        module, "write_artefacts", lambda folder, *_, **__: finished.append(folder) or {"loss": {}}
    )
    cluster = {"worker": ["127.0.0.1:1", "127.0.0.1:2"]}
    for index in (1, 0):
        task = {"type": "worker", "index": index}
        monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": task}))
        words = ("train", f"--run_dir={folder}", "--resume", "--strategy=multi_worker")
        assert run(*words) == 0
    assert [entry.path for entry in finished] == [folder], "the first worker alone, without waiting"
