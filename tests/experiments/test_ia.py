import gzip
import inspect
import json
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from matplotlib.figure import Figure

import zoo
from zoo.data import Data
from zoo.evaluation import clustering
from zoo.experiments.experiment import Sources
from zoo.experiments.info_ae import (
    choices,
    digits,
    each_other,
    figure,
    scoring,
    search,
    starts,
    student_choices,
    teachers,
    trained,
)
from zoo.models.info_ae import info_ae, info_ae_robust
from zoo.serialization import policy

MODULES = (choices, digits, each_other, figure, search, starts, student_choices)
EXPERIMENTS = {e.id: e for module in MODULES for e in module.EXPERIMENTS}
SMALL = {"examples": 800, "teachers": 1, "teacher": 1, "student": 1}
OTHERS = ("info_gan", "info_gan_consistent", "aae", "aae_consistent")
SETTINGS = [
    pytest.param("IA-T1b", {"examples": 400, **dict.fromkeys(OTHERS, 0), "aae": 1}, id="one row"),
    *(
        pytest.param(name, settings, id=name, marks=pytest.mark.long)
        for name, settings in {
            "IA-T1": {**SMALL, "taught": 1},
            "IA-T1a": {"examples": 400, "literal": 1},
            "IA-T1b": {"examples": 800, **dict.fromkeys(OTHERS, 1)},
            "IA-F2": {**SMALL, "taught": 1},
            "IA-T1c": {"examples": 400, "cat_gan": 1, "pixel_gan": 1},
            "IA-T1d": {"examples": 400, "info_gan_shared": 1},
            "IA-T1e": {"examples": 400, "robust": 1},
            "IA-T1f": {
                "examples": 400,
                "aae_consistent": 1,
                "info_gan_consistent": 0,
                "info_gan_chosen": 1,
            },
            "IA-T1g": {
                "examples": 800,
                "members": 2,
                "robust": 1,
                "student": 1,
                "students": 2,
                "rounds": 2,
                "taught": 1,
            },
            "IA-T1h": {"examples": 400, "robust_chosen": 1},
            "IA-T1i": {**SMALL, "teachers": 2, "taught": 1},
            "IA-N": {**SMALL, "taught": 1},
            "IA-C": {"examples": 400, "epochs": 1, "families": ["aae_consistent"]},
            "IA-R": {"examples": 400, "members": 3, "until": 1, "epochs": 2},
            "IA-S": {
                "examples": 400,
                "epochs": 1,
                "members": 2,
                "before": 1,
                "variants": ["base", "code_16_linear", "shared_apart"],
            },
        }.items()
    ),
]


def fake(split, sources, limit=None):
    rng = np.random.default_rng(0)
    labels = np.arange(limit or 400) % 10
    pictures = rng.integers(0, 60, (len(labels), 28, 28, 1), np.uint8)
    for row, label in enumerate(labels):
        pictures[row, 2 * label + 2 : 2 * label + 6, 4:24] += 150
    return Data(name="fake", split=split, inputs=pictures, labels=labels)


def test_paths_join_what_they_should():
    labels = np.random.default_rng(0).integers(0, 10, 300)
    between, within = figure.pairs(labels, 3)
    assert (labels[between[:, 0]] != labels[between[:, 1]]).all()
    assert (labels[within[:, 0]] == labels[within[:, 1]]).all()
    assert (within[:, 0] != within[:, 1]).all()


class Clusters:
    """A model that reads the cluster off a pixel too dark to count for the neighbours."""

    prior = SimpleNamespace(classes=30)

    def cluster(self, x):
        return np.rint(1000 * x[:, 0, 0, 0]).astype(int)


def test_the_merged_error_is_that_of_classes_made_without_labels():
    random = np.random.default_rng(0)
    labels = random.integers(0, 10, 2000)
    # Two clusters for every class, and some digits in one of another class.
    wrong = random.random(2000) < 0.03
    clusters = (2 * labels + random.integers(0, 2, 2000) + 2 * wrong) % 20
    pictures = np.zeros((2000, 3, 1, 1))
    pictures[:, 0, 0, 0] = clusters / 1000
    pictures[:, 1, 0, 0] = 100 * labels + random.random(2000)
    data = Data(name="fake", split="test", inputs=pictures, labels=labels)
    row = scoring.score(Clusters(), data, **scoring.linked(pictures))
    assert row["error"] > 40
    assert row["merged_error"] == pytest.approx(100 * wrong.mean(), abs=0.01)
    # One digit in 33 is in another class than its neighbours, and one neighbour in 33 of the others.
    assert row["neighbours"] == pytest.approx(1 - 2 * wrong.mean() / 0.9, abs=0.02)
    assert row["balance"] > 0.99


def test_every_variant_of_the_search_builds_and_is_its_own():
    settings = EXPERIMENTS["IA-S"]
    assert settings.full["variants"] == list(search.VARIANTS)
    seen = {json.dumps(options, sort_keys=True) for options in search.VARIANTS.values()}
    assert len(seen) == len(search.VARIANTS)
    known = set(inspect.signature(info_ae).parameters) | {"rate", "batch"}
    assert all(set(options) <= known for options in search.VARIANTS.values())


def test_a_criterion_is_compared_with_the_error_over_the_settings_of_a_row():
    criterion, errors = [0.80, 0.82, 0.70], [4.0, 3.0, 9.0]
    names = ["as_it_is", "lighter", "ten_classes"]
    rows = {
        name: {"criterion": value, "error": error}
        for name, value, error in zip(names, criterion, errors, strict=True)
    }
    found = choices.compared(rows)
    assert found["lead"] == pytest.approx(0.02)
    assert (found["chosen_error"], found["own_error"], found["smallest_error"]) == (3.0, 4.0, 3.0)
    assert found["rank"] == pytest.approx(-1)


def test_every_setting_that_was_chosen_is_a_setting_of_its_own():
    for family in choices.FAMILIES.values():
        variants = family.variants
        assert len({json.dumps(options) for options in variants.values()}) == len(variants)
        made = family.make.func if hasattr(family.make, "func") else family.make
        taken = set(inspect.signature(made).parameters)
        if made is trained.robust:
            taken |= set(inspect.signature(info_ae_robust).parameters)
            taken |= set(inspect.signature(info_ae).parameters)
        assert all(set(options) <= taken for options in variants.values())


def test_voters_of_many_clusters_use_the_same_ten_names():
    random = np.random.default_rng(0)
    labels = random.integers(0, 10, 1500)
    pictures = np.zeros((1500, 4, 1, 1))
    pictures[:, 2, 0, 0] = 100 * labels + random.random(1500)
    names = random.permutation(10)
    first = 2 * labels + random.integers(0, 2, 1500)
    wrong = random.random(1500) < 0.02
    second = 3 * names[np.where(wrong, (labels + 1) % 10, labels)] + random.integers(0, 3, 1500)
    models = [SimpleNamespace(cluster=lambda x, own=own: own) for own in (first, second)]
    votes = teachers.info_ae_committee(models, pictures).votes
    np.testing.assert_array_equal((votes[:, 0] != votes[:, 1]), wrong)
    assert clustering.one_to_one_accuracy(labels, votes[:, 0]) == 1


def test_the_criterion_prefers_no_class_of_two_kinds():
    """Two kinds in one class have no neighbours across them that count; the sizes tell."""
    whole = {"neighbours": 0.903, "balance": 0.999}
    joined = {"neighbours": 0.93, "balance": np.log(9) / np.log(10)}
    assert scoring.promise(whole) > scoring.promise(joined)


@pytest.mark.long
def test_a_start_goes_on_to_the_weights_of_a_run_without_a_stop(tmp_path):
    x = fake("train", None, 200).inputs
    whole = trained.robust(x, None, seed=0, epochs=2)
    trained.robust(x, None, seed=0, epochs=2, until=1).save(tmp_path / "start.keras")
    ended = trained.carry_on(zoo.load_model(tmp_path / "start.keras"), x, epochs=2, done=1)
    for one, other in zip(whole.get_weights(), ended.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_policy_of_number_types_is_given_back():
    before = keras.config.dtype_policy().name
    with pytest.raises(RuntimeError), policy("mixed_bfloat16"):
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
        raise RuntimeError
    assert keras.config.dtype_policy().name == before


@pytest.mark.parametrize(("name", "settings"), SETTINGS)
def test_experiments_run_in_miniature(name, settings, monkeypatch):
    for module in (choices, digits, each_other, figure, scoring, search, starts, student_choices):
        monkeypatch.setattr(module, "mnist", fake)
    experiment = EXPERIMENTS[name]
    outcome = experiment.run(0, Sources(), **settings)
    assert all(np.isfinite(value) for value in outcome.measures.values())
    ran = settings.get("families", choices.FAMILIES)
    left_out = tuple(f"{row}/" for row in OTHERS if settings.get(row) == 0)
    left_out += tuple(f"{family}/" for family in choices.FAMILIES if family not in ran)
    for claim in experiment.claims:
        if not claim.measures[0].startswith(left_out):
            claim.verdict(outcome.measures)
            assert set(claim.measures) <= set(outcome.measures)
    assert all(isinstance(figure, Figure) for figure in experiment.draw(outcome.arrays).values())


def test_the_committed_network_has_the_error_of_the_table():
    pages = Path(__file__).resolve().parents[2] / "docs" / "results" / "data" / "IA-T1"
    files = Path(__file__).resolve().parents[3] / "shared" / "datasets" / "downloads" / "mnist"
    if not files.is_dir():
        pytest.skip(f"the files of MNIST are not in {files}")
    images, labels = (
        np.frombuffer(gzip.decompress((files / f"t10k-{name}-ubyte.gz").read_bytes()), np.uint8)
        for name in ("images-idx3", "labels-idx1")
    )
    network = zoo.load_preset("cluster_mnist")
    x = images[16:].reshape(-1, 28, 28, 1).astype(np.float32) / 255
    found = clustering.compare(labels[8:], network.predict(x, verbose=0).argmax(axis=-1))
    measures = json.loads((pages / "results.json").read_text())["measures"]
    error, neighbours, balance = (
        np.array(measures[f"robust_taught/{name}"]["values"])
        for name in ("error", "neighbours", "balance")
    )
    expected = error[(neighbours * balance).argmax()]  # chosen without labels
    assert 100 * (1 - found["one_to_one_accuracy"]) == pytest.approx(expected, abs=0.05)
