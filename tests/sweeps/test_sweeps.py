"""What a sweep runs, what it makes of the runs, and that it goes on after a kill."""

import json
import math
import os
import re
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.cli import main
from zoo.cli.sweep import axis
from zoo.runs import RunConfig, RunFolder
from zoo.runs import run as runs
from zoo.sweeps import Range, Sweep, grid, run_grid, search, summarise, training
from zoo.sweeps.options import check_runs
from zoo.sweeps.space import label
from zoo.sweeps.summary import score, unlike
from zoo.sweeps.workers import Task, train_one
from zoo.visualization.figures.sweeps import metric_by_option, parallel_coordinates
from zoo.visualization.pages.sweep import write_sweep

ROOT = Path(__file__).parents[2]
TINY = [
    "--model=two_template_vae",
    "--dataset=two_templates",
    "--data",
    "n=200",
    "--evaluate=quick",
]


def finished(folder, **groups):
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text(json.dumps(groups))


def test_a_grid_has_every_combination_once():
    points = grid({"beta": [1, 4, 16], "latents": Range(5, 7), "prior": ["normal", "laplace"]})
    assert len(points) == 3 * 3 * 2
    assert len({label(point) for point in points}) == len(points)
    assert points[0] == {"beta": 1, "latents": 5, "prior": "normal"}
    assert [point["prior"] for point in points[:2]] == ["normal", "laplace"]


@pytest.mark.parametrize(
    ("axes", "error"),
    [
        ({}, "needs at least one option"),
        ({"beta": []}, "needs values"),
        ({"beta": [1, 1]}, "each once"),
        ({"hidden": [[], None]}, "would have one folder, 'hidden=none'"),
        ({"beta": Range(4, 4)}, "must rise"),
        ({"beta": Range(0.1, 4)}, "Name the values, or search"),
    ],
)
def test_what_is_no_grid_is_refused(axes, error):
    with pytest.raises(ValueError, match=error):
        grid(axes)


def test_values_of_the_command_line():
    assert axis("lr=1e-4..1e-2") == {"lr": Range(1e-4, 1e-2)}
    assert axis("prior=normal,student_t(df=3)")["prior"][1] == {"name": "student_t", "df": 3}
    assert axis("standardize=true,false") == {"standardize": [True, False]}
    nested = axis("regularizers=[lp_norm(p=1.5,weight=2)],[mmd],[]")["regularizers"]
    assert nested == [[{"name": "lp_norm", "p": 1.5, "weight": 2}], ["mmd"], []]
    for text in ("beta", "beta=", "=3", "beta=a..b", "beta=linear:start=0,end=1"):
        with pytest.raises(ValueError, match="--set"):
            axis(text)


def test_names_of_folders_are_short_and_differ():
    long = {"prior": {"name": "student_t", "df": list(range(80))}}
    other = {"prior": {"name": "student_t", "df": list(range(81))}}
    assert len(label(long)) <= 100 and label(long) != label(other)
    assert "/" not in label({"networks": "a/b"})


def test_settings_and_options_go_where_they_belong():
    config = RunConfig(model="vae", options={"latents": 3}, seed=5)
    sweep = Sweep(config, {"model": ["vae", "beta_vae"], "beta": [2]}, 3, "s")
    task = sweep.tasks({"model": "beta_vae", "beta": 2})[2]
    assert task.config.model == "beta_vae" and task.config.seed == 7
    assert task.config.options == {"latents": 3, "beta": 2}
    assert task.folder == Path("s/model=beta_vae,beta=2/seed-7")


def test_points_are_ordered_by_the_mean_over_seeds(tmp_path):
    sweep = Sweep(RunConfig(model="vae"), {"beta": [1, 4, 16, 64]}, 2, tmp_path)
    gave = {1: (0.1, 0.3), 4: (0.6, 0.4), 16: (0.5,)}
    for beta, values in gave.items():
        for folder, value in zip(sweep.folders({"beta": beta}), values, strict=False):
            finished(folder, disentanglement={"mig": value}, loss={"loss": 1 - value}, intervals={})
    rows = summarise(sweep, grid(sweep.axes), "mig")
    assert [row.point["beta"] for row in rows] == [4, 16, 1, 64]
    assert rows[0].mean == pytest.approx(0.5) and rows[0].spread == pytest.approx(np.sqrt(0.02))
    assert math.isnan(rows[1].spread) and math.isnan(rows[3].mean)
    lower = summarise(sweep, grid(sweep.axes), "loss/loss")
    assert [row.point["beta"] for row in lower] == [4, 16, 1, 64]
    assert score(sweep.folders({"beta": 1})[0], "loss/mig") is None
    with pytest.raises(ValueError, match=r"no metric 'psnr'.* Known: loss, mig"):
        summarise(sweep, grid(sweep.axes), "psnr")
    with pytest.raises(ValueError, match="Neither end of 'kl'"):
        summarise(sweep, grid(sweep.axes), "kl")


def test_runs_that_were_measured_unlike_are_told(tmp_path):
    sweep = Sweep(RunConfig(model="vae"), {"beta": [1, 4]}, 1, tmp_path)
    for beta, measured in (
        (1, {"rows": "a", "level": "full"}),
        (4, {"rows": "b", "level": "full"}),
    ):
        (folder,) = sweep.folders({"beta": beta})
        finished(folder, reconstruction={"psnr": beta}, measured_on=measured)
    rows = summarise(sweep, grid(sweep.axes), "psnr")
    (told,) = unlike(rows)
    assert "different held-out rows" in told and not unlike(rows[:1])


def test_udr_needs_no_labels_and_two_seeds(tmp_path, monkeypatch):
    codes = np.random.default_rng(0).normal(size=(200, 3))
    sweep = Sweep(RunConfig(model="vae"), {"beta": [1, 4]}, 2, tmp_path)
    for beta in (1, 4):
        for folder in sweep.folders({"beta": beta}):
            finished(folder, loss={})
            (folder / "model.keras").write_text(f"{beta} {folder.name}")

    class Model:
        def __init__(self, path):
            self.beta, self.seed = path.read_text().split()

        def encode(self, x):  # the seeds of beta 4 agree, those of beta 1 do not
            if self.beta == "4":
                return codes[:, ::-1] if self.seed == "seed-1" else codes
            return np.random.default_rng(len(self.seed) + ord(self.seed[-1])).normal(size=(200, 3))

    held_out = zoo.data.Data("x", "test", np.zeros((200, 3), "float32"))
    monkeypatch.setattr("zoo.runs.artefacts.load_model", Model)
    monkeypatch.setattr("zoo.runs.run.read_data", lambda config: (held_out, held_out))
    rows = summarise(sweep, grid(sweep.axes), "udr")
    assert rows[0].point == {"beta": 4} and rows[0].mean > 0.8 > rows[1].mean
    monkeypatch.setattr("zoo.runs.artefacts.load_model", None)  # kept beside the runs
    assert summarise(sweep, grid(sweep.axes), "udr") == rows


def test_the_page_shows_all_points(tmp_path):
    points = [
        {"beta": 4.0, "prior": "laplace"},
        {"beta": 1.0, "prior": "normal"},
        {"beta": 1e3, "prior": "x"},
    ]
    folder = tmp_path / "beta=4/seed-0"
    folder.mkdir(parents=True)
    (folder / "report.html").write_text("")
    page = write_sweep(
        tmp_path / "s.html", points, [[0.5, 0.6], [0.1], []], [[folder], [], []], "mig"
    )
    text = page.read_text()
    assert 'href="beta=4/seed-0/report.html"' in text and "not yet" in text
    assert "± 0.071 of 2" in text and text.count("<img") == 2
    assert len(metric_by_option(points, [[0.5], [0.1], []], "MIG").axes) == 2
    with pytest.raises(ValueError, match="at least one point"):
        parallel_coordinates(points, [math.nan] * 3, "MIG")


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["--set", "beta=1,4"], "needs --metric"),
        (["--metric=psnr", "--output=o"], "needs --set name=value,value"),
        (["--metric=psnr", "--output=o", "--set", "bta=1,2"], "Did you mean 'beta'?"),
        (["--metric=kl", "--output=o", "--set", "beta=1,2"], "Neither end of 'kl'"),
        (["--metric=val_loss", "--output=o", "--set", "beta=1,2"], "write 'loss'"),
        (["--metric=udr", "--output=o", "--set", "beta=1,2", "--seeds=1"], "needs --seeds=2 or"),
        (["--metric=psnr", "--output=o", "--set", "beta=1,2", "--prune=val_loss"], "add --trials"),
        (["--metric=psnr", "--output=o", "--set", "beta=1,2", "--run_dir=a"], "takes no --run_dir"),
        (["--metric=psnr", "--output=o", "--set", "beta=1", "--set", "beta=2"], "'beta' twice"),
        (
            ["--metric=psnr", "--output=o", "--set", "latents=4,5.."],
            "latents' of 'vae' must be a whole",
        ),
    ],
)
def test_bad_input_is_told_before_anything_runs(words, error, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["latent-zoo", "sweep", "--model=vae", *words]) == 2
    assert error in capsys.readouterr().err
    assert not any(tmp_path.iterdir())


def command(folder, *words):
    return [sys.executable, "-m", "zoo", "sweep", *TINY, f"--output={folder}", *words]


def metrics_of(folder):
    return {
        str(path.parent.relative_to(folder)): json.loads(path.read_text())
        for path in sorted(folder.glob("*/seed-*/metrics.json"))
    }


@pytest.mark.long
def test_a_sweep_that_is_killed_goes_on_and_gives_the_same(tmp_path):
    words = ["--set", "beta=0.5,2", "--set", "epochs=30,40", "--seeds=2", "--metric=elbo"]
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    with subprocess.Popen(command(killed, *words), cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 500
        while len(metrics_of(killed)) < 2 and time.monotonic() < deadline:
            time.sleep(0.2)
        os.kill(process.pid, signal.SIGKILL)
    before = metrics_of(killed)
    assert 2 <= len(before) < 8
    time.sleep(5)  # the run under way ends with its sweep
    done = subprocess.run(
        command(killed, *words), cwd=ROOT, capture_output=True, text=True, check=True
    )
    told = rf"4 points, 2 seeds each: 8 runs, [{len(before)}-{len(before) + 1}] done before"
    assert re.search(told, done.stdout)
    subprocess.run(command(whole, *words, "--jobs=2"), cwd=ROOT, capture_output=True, check=True)
    assert len(metrics_of(whole)) == 8
    for name, metrics in metrics_of(whole).items():
        assert metrics["loss"] == pytest.approx(metrics_of(killed)[name]["loss"], rel=1e-4), name
    assert (killed / "sweep.html").stat().st_size > 10_000


@pytest.mark.long
def test_a_search_finds_goes_on_and_gives_points_up(tmp_path):
    pytest.importorskip("optuna")
    words = ["--set", "beta=0.1..100", "--set", "epochs=2", "--seeds=1", "--metric=squared_error"]
    first = [*words, "--trials=2"]
    subprocess.run(command(tmp_path, *first), cwd=ROOT, capture_output=True, check=True)
    assert len(metrics_of(tmp_path)) == 2
    more = [*words, "--trials=9", "--prune=val_loss", "--jobs=2"]
    done = subprocess.run(
        command(tmp_path, *more), cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "9 points, 2 there before" in done.stdout
    assert 3 <= len(metrics_of(tmp_path)) <= 10
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    storage = JournalStorage(JournalFileBackend(str(tmp_path / "optuna.journal")))
    trials = optuna.load_study(study_name="latent-zoo", storage=storage).trials
    states = [trial.state.name for trial in trials]
    assert set(states) <= {"COMPLETE", "PRUNED"} and len(states) >= 9


def searched(folder, trials, monkeypatch, stop=False, axis=None, prune=None):
    """The names of the points that a call of a search trains; nothing is trained."""
    done, kill = [], [True] * stop

    def pretended(task, *args, **kwargs):
        if kill:
            kill.pop()
            raise KeyboardInterrupt
        for callback in args[2]:
            callback.on_epoch_end(0, {"loss": 1.0, "val_loss": 1.0})
        done.append(task.name)
        return "", 1.0

    monkeypatch.setattr(search, "train_one", pretended)
    monkeypatch.setattr(search, "score", lambda folder, name: -1.0)
    axes = {"beta": Range(0.1, 10.0) if axis is None else axis}
    sweep = Sweep(RunConfig(model="vae"), axes, seeds=1, folder=str(folder))
    how = search.Search("elbo", trials=trials, prune=prune)
    search._take_up(search._study(sweep, how), sweep)
    try:
        search._work(sweep, how, 0, "", "")
    except KeyboardInterrupt:
        assert stop
    return done, search.points(sweep, how)


def test_a_search_that_goes_on_draws_new_points(tmp_path, monkeypatch):
    pytest.importorskip("optuna")
    first, _ = searched(tmp_path, 4, monkeypatch)
    more, every = searched(tmp_path, 8, monkeypatch)
    assert len(first) == len(more) == 4 and not set(first) & set(more) and len(every) == 8


def test_a_point_that_was_stopped_is_trained_beside_all_others(tmp_path, monkeypatch):
    pytest.importorskip("optuna")
    _, begun = searched(tmp_path, 4, monkeypatch, stop=True)
    done, every = searched(tmp_path, 4, monkeypatch)
    assert len(set(done)) == len(every) == 4 and label(begun[0]) in done


def test_a_column_that_is_not_there_costs_no_point(tmp_path, monkeypatch):
    pytest.importorskip("optuna")
    with pytest.raises(ValueError, match=r"'val_los'\. Did you mean 'val_loss'"):
        searched(tmp_path, 3, monkeypatch, prune="val_los")
    done, every = searched(tmp_path, 3, monkeypatch, prune="val_loss")
    assert len(done) == len(every) == 3


def test_a_search_trains_each_of_few_points_once(tmp_path, monkeypatch):
    pytest.importorskip("optuna")
    names = ["beta=1", "beta=2", "beta=4"]
    done, every = searched(tmp_path, 2, monkeypatch, axis=[1, 2, 4])
    assert len(set(done)) == len(done) == len(every) == 2
    more, every = searched(tmp_path, 3, monkeypatch, axis=[1, 2, 4])
    assert sorted(done + more) == sorted(map(label, every)) == names


def test_a_storage_that_cannot_be_opened_is_told_in_one_line(tmp_path):
    pytest.importorskip("optuna")
    sweep = Sweep(RunConfig(model="vae"), {"latents": Range(2, 3)}, 1, str(tmp_path))
    with pytest.raises(ValueError, match=r"The storage 'foo' cannot be opened.*sqlite:///"):
        search.search(sweep, search.Search("elbo", trials=2, storage="foo"))


def test_a_search_ends_with_the_last_point_that_there_is(tmp_path, monkeypatch):
    """Two processes, each with half a point: neither takes the other's, and nobody looks for a third."""
    pytest.importorskip("optuna")
    sweep = Sweep(RunConfig(model="vae"), {"latents": Range(2, 3)}, 1, str(tmp_path))
    how, said = search.Search("elbo", trials=2), []
    study = search._study(sweep, how)
    drawn = [search._new(study, sweep, how), search._new(search._study(sweep, how, 1), sweep, how)]
    assert {search._point(trial)["latents"] for trial in drawn} == {2, 3}
    assert search._new(study, sweep, how) is None
    for trial in drawn:
        study.tell(trial, 1.0)
    assert search.search(sweep, how._replace(trials=9), say=said.append) == []
    assert said == [
        "There are no more than 2 points: all are trained.",
        "2 points, 2 there before, 1 seed each",
    ]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"config": {"epochs": 3}}, "epochs"),
        ({"config": {"evaluate": "full"}}, "evaluate"),
        ({"axes": {"latents": Range(2, 4)}}, "axes"),
        ({"seeds": 2}, "seeds"),
        ({"metric": "mean_squared_error"}, "metric"),
    ],
)
def test_a_search_does_not_mix_points_of_other_settings(tmp_path, settings, told):
    pytest.importorskip("optuna")

    def study(config=None, axes=None, seeds=1, metric="psnr", **how):
        run = RunConfig(model="vae", **{"epochs": 1, **(config or {})})
        sweep = Sweep(run, axes or {"beta": Range(0.1, 10.0)}, seeds, str(tmp_path))
        return search._study(sweep, search.Search(metric, trials=3, **how))

    study()
    study(prune="val_loss")  # which changes no value
    with pytest.raises(ValueError, match=f"holds another search.*{told}"):
        study(**settings)


HELD = """
import sys
from zoo.runs.lock import FolderLock
lock = FolderLock(sys.argv[1])
lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""


def test_a_point_that_another_process_works_on_is_left_to_it(tmp_path):
    """Also before its run has a folder, while that process imports Keras and reads the data."""
    pytest.importorskip("optuna")
    sweep = Sweep(RunConfig(model="vae"), {"beta": Range(0.1, 10.0)}, 1, str(tmp_path))
    how = search.Search("psnr", trials=3)
    study = search._study(sweep, how)
    trial = study.ask()
    lock = search._lock_of(sweep, trial)
    lock.folder.mkdir(parents=True)
    words = [sys.executable, "-c", HELD, str(lock.folder)]
    with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        search._take_up(study, sweep)
        assert study.get_trials()[0].state.name == "RUNNING"
        other.communicate()
    search._take_up(study, sweep)
    assert study.get_trials()[0].state.name == "FAIL"


def test_a_point_of_a_machine_with_another_folder_is_left_to_it(tmp_path):
    pytest.importorskip("optuna")
    shared = f"sqlite:///{tmp_path / 'study.db'}"
    sweeps = [
        Sweep(RunConfig(model="vae"), {"beta": Range(0.1, 10.0)}, 1, str(tmp_path / name))
        for name in "ab"
    ]
    how = search.Search("psnr", trials=3, storage=shared)
    search._study(sweeps[0], how).ask()
    study = search._study(sweeps[1], how)
    search._take_up(study, sweeps[1])
    assert study.get_trials()[0].state.name == "RUNNING"


class InThisProcess(ThreadPoolExecutor):
    """The workers of a sweep, without processes of their own."""

    closing = threading.Event()

    def __init__(self, jobs):
        super().__init__(1)

    def shutdown(self, wait=True, *, cancel_futures=False):
        super().shutdown(False, cancel_futures=cancel_futures)
        self.closing.set()
        super().shutdown(wait)


def test_a_metric_that_runs_do_not_have_costs_one_run(tmp_path, monkeypatch):
    trained = []
    monkeypatch.setattr(InThisProcess, "closing", threading.Event())

    def pretended(task, *args):
        if trained:  # a run takes longer than to see how the first one ended
            InThisProcess.closing.wait(60)
        finished(task.folder, reconstruction={"psnr": 20.0, "ssim": math.nan})
        trained.append(task.name)
        return "", 1.0

    def sweep(folder, name, values):
        return Sweep(RunConfig(model="vae"), {name: values}, seeds=1, folder=tmp_path / folder)

    monkeypatch.setattr(training, "workers", InThisProcess)
    monkeypatch.setattr(training, "check_runs", lambda sweep: "")
    monkeypatch.setattr(training, "train_one", pretended)
    betas = sweep("betas", "beta", [1.0, 2.0, 4.0])
    with pytest.raises(ValueError, match=r"no metric 'psn'\. Did you mean 'psnr'"):
        run_grid(betas, metric="psn", say=lambda text: None)
    assert 1 <= len(trained) < 3
    run_grid(betas, metric="psnr", say=lambda text: None)  # the same sweep goes on
    run_grid(betas, metric="ssim", say=lambda text: None)  # there, but no number
    run_grid(
        sweep("models", "model", ["vae", "lp_autoencoder"]), metric="psn", say=lambda text: None
    )
    assert len(trained) == 5


def test_what_every_run_would_end_with_is_told_first(tmp_path):
    data = {"dataset": "digits", "limit": 50}

    def refused(model, axes, **settings):
        return check_runs(Sweep(RunConfig(model=model, **settings), axes, 1, tmp_path))

    assert "no file or folder no.csv" in refused("vae", {"beta": [1.0]}, dataset="no.csv")
    assert re.match(
        r"No run with beta=x can begin: .*'x'", refused("vae", {"beta": [1, "x"]}, **data)
    )
    # 20 active units do not fit a code of 8: right beside one value of the other, never wrong alone.
    assert refused("k_sparse_autoencoder", {"latents": [8, 40], "k": [4, 20]}, **data) == ""
    assert "k=50 can begin" in refused(
        "k_sparse_autoencoder", {"latents": [8, 40], "k": [4, 50]}, **data
    )


def test_any_error_of_a_run_ends_that_run_alone(tmp_path, monkeypatch, capfd):
    def fails(*args, **kwargs):
        raise tf.errors.InvalidArgumentError(None, None, "the part is wrong\nand so on")

    monkeypatch.setattr(runs, "train", fails)
    task = Task("beta=1", RunConfig(model="vae"), tmp_path / "seed-0")
    with capfd.disabled():  # the log takes what the process writes
        error, _ = train_one(task)
    assert error.startswith("InvalidArgumentError: the part is wrong") and "\n" not in error
    assert "Traceback" in (tmp_path / "seed-0.log").read_text()


def test_a_run_that_was_measured_less_is_measured_again(tmp_path, monkeypatch):
    measured = []
    monkeypatch.setattr(runs, "evaluate", lambda folder, level, program: measured.append(level))
    monkeypatch.setattr(training, "workers", InThisProcess)
    monkeypatch.setattr(training, "check_runs", lambda sweep: "")

    def grid_of(evaluate):
        config = RunConfig(model="vae", epochs=3, evaluate=evaluate)
        return Sweep(config, {"beta": [1.0]}, seeds=1, folder=str(tmp_path))

    run = RunFolder(grid_of("quick").folders({"beta": 1.0})[0])
    run.occupy()
    run.begin(grid_of("quick").tasks({"beta": 1.0})[0].config)
    run.metrics.write_text('{"measured_on": {"level": "quick"}}')
    run.model.write_bytes(b"")
    run.end()
    for level in ("none", "quick", "full"):
        run_grid(grid_of(level), say=lambda text: None)
    assert measured == ["full"]


def test_points_with_other_options_make_one_page(tmp_path):
    points = [{"beta": 1.0, "latents": 2}, {"latents": 3, "beta": 4.0}]
    page = write_sweep(tmp_path / "a.html", points, [[0.1], [0.2]], [[], []], "mig").read_text()
    cells = [re.findall("<td[^>]*>([^<]*)", row) for row in page.split("<tr>") if "<td" in row]
    assert [row[:2] for row in cells] == [["1", "2"], ["4", "3"]]
    assert write_sweep(tmp_path / "b.html", [], [], [], "mig").exists()


def test_parts_that_differ_in_their_options_stand_apart():
    priors = [{"prior": {"name": "student_t", "df": df}, "latents": 2} for df in (3, 30)]
    figure = metric_by_option(priors, [[0.1], [0.4]], "MIG")
    assert figure.axes[0].get_xlabel() == "prior"
    assert [tick.get_text() for tick in figure.axes[0].get_xticklabels()] == [
        "student_t df=3",
        "student_t df=30",
    ]
    (*_, means) = figure.axes[0].lines
    assert means.get_linestyle() == "None" and list(means.get_ydata()) == [0.1, 0.4]
    terms = [{"regularizers": [{"name": "l1", "weight": 2}, "mmd"]}, {"regularizers": []}]
    figure = metric_by_option(terms, [[0.1], [0.4]], "MIG")
    assert [tick.get_text() for tick in figure.axes[0].get_xticklabels()] == [
        "l1 weight=2, mmd",
        "none",
    ]


def test_a_grid_does_not_take_runs_of_other_settings(tmp_path):
    def sweep(**settings):
        config = RunConfig(model="vae", **{"epochs": 3, **settings})
        return Sweep(config, {"beta": [1.0]}, seeds=1, folder=str(tmp_path))

    (folder,) = sweep().folders({"beta": 1.0})
    run = RunFolder(folder)
    run.occupy()
    run.begin(sweep().tasks({"beta": 1.0})[0].config)
    run.metrics.write_text("{}")
    run.end()
    said = []
    assert run_grid(sweep(), say=said.append) == [] and "1 done before" in said[0]
    for settings, told in (({"epochs": 7}, "epochs"), ({"learning_rate": 0.1}, "learning_rate")):
        with pytest.raises(ValueError, match=f"holds another run: .*{told}"):
            run_grid(sweep(**settings), say=said.append)
