"""Experiments are run by seed, go on where they stopped, and are judged by the mean."""

import json

import numpy as np
import pytest
from matplotlib.figure import Figure

from zoo.experiments import reproduce, results
from zoo.experiments.experiment import Claim, Experiment, Outcome, Sources
from zoo.experiments.lecture import linear_digits
from zoo.experiments.shelf import kept_arrays
from zoo.runs import checkpoints


@pytest.fixture
def counted(monkeypatch):
    """An experiment that counts its runs, and fails at seed 1 where it is told to."""
    ran = []

    def run(seed, sources, *, size):
        if "fail" in ran and seed == 1:
            raise KeyboardInterrupt
        ran.append(seed)
        return Outcome({"a/error": seed + size, "b/error": 2.0}, {"x": np.arange(size)})

    def draw(arrays):
        figure = Figure()
        figure.subplots().plot(arrays["x"])
        return {"line": figure}

    claims = (
        Claim("a is below 3", lambda m: m["a/error"] < 3, ("a/error",), "1.5"),
        Claim("a is below b", lambda m: m["a/error"] < m["b/error"], ("a/error", "b/error")),
    )
    experiment = Experiment("T-1", "paper", "title", run, draw, claims, {"size": 1}, {"size": 2})
    for module in (reproduce, results):
        monkeypatch.setattr(module, "find", lambda name: experiment)
    return ran


def test_results_hold_the_mean_the_spread_and_the_verdicts(counted, tmp_path):
    said = []
    path = reproduce.reproduce("T-1", output=tmp_path, seeds=2, say=said.append)
    found = json.loads(path.read_text())
    assert found["measures"]["a/error"] == {
        "mean": 2.5,
        "sd": pytest.approx(0.5**0.5),
        "values": [2.0, 3.0],
    }
    assert [claim["verdict"] for claim in found["claims"]] == ["holds", "does not hold"]
    assert found["settings"] == {"size": 2} and not found["quick"]
    assert (tmp_path / "figures" / "line.png").stat().st_size > 1000
    assert "holds: a is below 3 (paper: 1.5)" in said
    assert any("a/error 2.5 +- 0.71" in line for line in said)


def test_it_goes_on_after_the_last_seed(counted, tmp_path):
    counted.append("fail")
    with pytest.raises(KeyboardInterrupt):
        reproduce.reproduce("T-1", output=tmp_path, seeds=3, say=lambda text: None)
    counted.remove("fail")
    reproduce.reproduce("T-1", output=tmp_path, seeds=3, say=lambda text: None)
    assert counted == [0, 1, 2]


def test_seeds_from_several_machines_are_those_of_one(counted, tmp_path):
    def run(name, **options):
        path = reproduce.reproduce("T-1", output=tmp_path / name, say=lambda text: None, **options)
        return json.loads(path.read_text())

    first, later = run("a", seeds=1), run("b", seeds=2, first_seed=1)
    assert counted == [0, 1, 2] and later["measures"]["a/error"]["values"] == [3.0, 4.0]
    joined, whole = results.join(first, later), run("c", seeds=3)
    assert joined["first_seed"] == 0 and len(joined["seconds"]) == 3
    assert {**joined, "seconds": 0} == {**whole, "seconds": 0}
    for name in ("a", "b"):
        for path in (tmp_path / name).glob("seed-*.npz"):
            path.rename(tmp_path / "a" / path.name)
    counted.clear()
    collected = run("a", seeds=3)
    assert counted == [] and collected["measures"] == whole["measures"]
    assert collected["claims"] == whole["claims"]

    for other, message in (
        (first, "begin at 1, after the 1 that are there; they begin at 0"),
        (run("d", seeds=1, first_seed=2), "begin at 1, .* they begin at 2"),
        ({**later, "settings": {"size": 9}}, "settings is {'size': 2} and {'size': 9}"),
        ({**later, "measures": {"a/error": later["measures"]["a/error"]}}, "only one has b/error"),
    ):
        with pytest.raises(ValueError, match=message):
            results.join(first, other)


def test_the_time_of_what_a_seed_goes_on_from_counts(counted, tmp_path, monkeypatch):
    models = tmp_path / "models"
    models.mkdir()
    (models / "a-float32.seconds.json").write_text('{"a-float32": 100.0, "b-float32": 20.5}')
    for name in ("a", "c"):
        with (models / f"{name}-float32.npz").open("wb") as file:
            checkpoints.write(file, checkpoints.Checkpoint({"x": np.array(1.0)}, {}))

    def run(seed, sources, **settings):
        for name in ("a", "c", "d"):
            kept_arrays(sources.models, name, lambda: {"x": 1.0})
        return Outcome({"a/error": 1.0, "b/error": 2.0}, {"x": np.arange(2)})

    experiment = reproduce.find("T-1")._replace(run=run)
    monkeypatch.setattr(reproduce, "find", lambda name: experiment)
    path = reproduce.reproduce("T-1", output=tmp_path / "T-1", seeds=2, say=lambda text: None)
    found = json.loads(path.read_text())
    assert found["kept"] == [
        {"items": 3, "seconds": 120.5, "untimed": 1},
        {"items": 4, "seconds": pytest.approx(120.5, abs=1), "untimed": 1},  # d is there too
    ]
    assert all(120.5 <= seconds < 125 for seconds in found["seconds"])


def test_other_settings_and_damaged_seeds_run_again(counted, tmp_path):
    def once(**options):
        reproduce.reproduce("T-1", output=tmp_path, seeds=1, say=lambda text: None, **options)

    once()
    once()
    assert counted == [0]
    once(quick=True)
    assert counted == [0, 0]
    (tmp_path / "seed-0.npz").write_bytes(b"")
    once(quick=True)
    assert counted == [0, 0, 0]


def test_a_result_of_other_settings_is_kept(counted, tmp_path):
    said = []
    for size in (5, 6):
        reproduce.reproduce("T-1", False, tmp_path, 1, changes={"size": size}, say=said.append)
    kept = checkpoints.read(tmp_path / "seed-0.earlier.npz")
    assert kept.description["settings"] == {"size": 5} and len(kept.arrays["x"]) == 5
    assert "kept in seed-0.earlier.npz" in " ".join(said)


def test_other_pictures_run_again(counted, tmp_path):
    for folder in ("a", "a", "b"):
        sources = Sources(pictures=str(tmp_path / folder))
        reproduce.reproduce("T-1", False, tmp_path, 1, sources, say=lambda text: None)
    assert counted == [0, 0]
    assert str(tmp_path) not in (tmp_path / "results.json").read_text()


def test_no_experiment_writes_over_another(counted, tmp_path):
    path = reproduce.reproduce("T-1", output=tmp_path, seeds=1, say=lambda text: None)
    path.write_text(json.dumps({**json.loads(path.read_text()), "id": "T-2"}))
    before = (tmp_path / "seed-0.npz").read_bytes()
    with pytest.raises(
        ValueError, match=r"holds the results of T-2, not of T-1\. Choose another folder"
    ):
        reproduce.reproduce("T-1", True, tmp_path, 1, say=lambda text: None)
    assert (tmp_path / "seed-0.npz").read_bytes() == before


def test_settings_are_changed_and_the_change_is_told(counted, tmp_path):
    def run(**options):
        path = reproduce.reproduce(
            "T-1", output=tmp_path, seeds=1, say=lambda text: None, **options
        )
        return json.loads(path.read_text())

    reduced = run(changes={"size": 5}, precision="mixed_bfloat16")
    assert reduced["settings"] == {"size": 5} and reduced["measures"]["a/error"]["mean"] == 5
    changes = reproduce.find("T-1").changes(False, reduced["settings"], reduced["precision"])
    assert changes == {"size": (2, 5), "precision": ("float32", "mixed_bfloat16")}
    assert run(changes={"size": 5})["precision"] == "float32"
    assert counted == [0, 0]  # other number types, another run
    usual = run(changes={"size": 2})
    assert reproduce.find("T-1").changes(False, usual["settings"], usual["precision"]) == {}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"changes": {"sice": 3}}, "no setting 'sice'.*size"),
        (
            {"changes": {"size": "large"}},
            "'size' of T-1 must be of the kind of 2, at least 0; received 'large'",
        ),
        ({"changes": {"size": -1}}, "at least 0; received -1"),
        ({"precision": "half"}, "Unknown precision 'half'. Known: float32, mixed_bfloat16"),
        ({"seeds": 0}, "seeds must be .*at least 1; received 0"),
        ({"first_seed": -1}, "first_seed must be .*at least 0; received -1"),
    ],
)
def test_settings_that_cannot_be_are_refused(counted, tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        reproduce.reproduce("T-1", output=tmp_path, say=lambda text: None, **options)
    assert counted == []


def test_a_claim_about_rows_that_were_left_out_is_not_measured(counted, monkeypatch, tmp_path):
    claim = Claim("never", lambda m: m["c/error"] < 1, ("a/error", "c/error"))
    experiment = reproduce.find("T-1")._replace(claims=(claim,))
    monkeypatch.setattr(reproduce, "find", lambda name: experiment)
    said = []
    path = reproduce.reproduce("T-1", output=tmp_path, seeds=2, say=said.append)
    (judged,) = json.loads(path.read_text())["claims"]
    assert (judged["verdict"], judged["seeds"], judged["measures"]) == (
        "not measured",
        0,
        ["a/error"],
    )
    assert "not measured: never" in said


def test_all_experiments_refuse_number_types_that_are_none_at_once(tmp_path):
    said = []
    with pytest.raises(ValueError, match="Unknown precision 'half'"):
        reproduce.reproduce_all(output=tmp_path, precision="half", say=said.append)
    assert said == []


def test_all_experiments_run_though_one_cannot(counted, monkeypatch, tmp_path):
    good = reproduce.find("T-1")

    def find(name):
        if name == "no-data":
            raise ValueError("no data here")
        return good._replace(id=name)

    monkeypatch.setattr(reproduce, "find", find)
    monkeypatch.setattr(reproduce, "names", lambda: ["first", "no-data", "last"])
    said = []
    errors = reproduce.reproduce_all(quick=True, output=tmp_path, say=said.append)
    assert errors == {"no-data": "no data here"} and counted == [0, 0]
    assert (tmp_path / "last-quick" / "results.json").exists()
    assert [line.split()[0] for line in said[-3:]] == ["first", "no-data", "last"]
    assert "2 of 2 claims hold" in said[-1]


def test_a_linear_autoencoder_is_pca_in_miniature():
    outcome = linear_digits.run(0, Sources(), **linear_digits.EXPERIMENTS[0].quick)
    (experiment,) = linear_digits.EXPERIMENTS
    assert all(claim.verdict(outcome.measures) == "holds" for claim in experiment.claims)
    assert outcome.measures["rank-2/degrees"] > 0
    assert isinstance(experiment.draw(outcome.arrays)["directions"], Figure)
