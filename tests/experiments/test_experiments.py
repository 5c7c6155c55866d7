"""Every experiment runs in miniature, and its claims read measures that it gives."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
from matplotlib.figure import Figure

from zoo.data import Data
from zoo.experiments.experiment import Sources

MODULES = (
    "lp.contours",
    "uniform_to_gaussian.square",
    "uniform_to_gaussian.line",
    "lecture.info_vae_two_points",
    "sparse_vae.synthetic",
    "lp.digits",
    "lp.direction",
    "lecture.info_vae_digits",
    "sparse_vae.digits",
    "sparse_vae.slips",
    "sparse_vae.patches",
    "lecture.k_sparse",
    "lecture.k_sparse_choices",
    "lecture.k_sparse_fine_tuning",
    "lecture.deep_digits",
    "lecture.vae_digits",
    "lecture.disentangling_sprites",
    "generative.held_out_digit",
    "generative.missing_values",
    "generative.few_labels",
    "generative.quantized",
    "generative.fitted_priors",
    "generative.bounds",
)
# Settings that make a run small; each experiment takes those that it has.
SMALL = {
    "angles": 16,
    "epochs": 1,
    "trial_epochs": 1,
    "parts": 2,
    "examples": 400,
    "steps": 4,
    "draws": 3,
    "baseline_epochs": 1,
    "deep_epochs": 1,
    "rbm_epochs": 1,
    "probe_iterations": 2,
    "tune_epochs": 1,
    "dropout_tune_epochs": 1,
    "wide_epochs": 1,
    "density_examples": 4,
    "samples": 3,
    "networks": "mlp",
    "held_out": [1],
    "generated": 4,
    "judged": 40,
    "stacked_epochs": 1,
    "hidden": 8,
    "filters": 2,
    "prior_steps": 2,
    "prior_width": 4,
    "components": 2,
    "points": 300,
    "size": 8,
}
EXPERIMENTS = [
    pytest.param(module, experiment, id=experiment.id)
    for module in MODULES
    for experiment in importlib.import_module(f"zoo.experiments.{module}").EXPERIMENTS
]
QUICK = {"LP-F1", "OX-IV-F1", "SV-TOY"}
CASES = [
    p if p.id in QUICK else pytest.param(*p.values, id=p.id, marks=pytest.mark.long)
    for p in EXPERIMENTS
]


def fake(shape, classes=10):
    def load(*args, **kwargs):
        rng = np.random.default_rng(0)
        limit = next((a for a in (*args, kwargs.get("limit")) if isinstance(a, int)), None) or 400
        labels = np.arange(limit) % classes
        pictures = rng.integers(0, 80, (limit, *shape), np.uint8)
        pictures[np.arange(limit), labels] += 150
        if "path" in kwargs:
            pictures = pictures.astype(np.float32) / 255
        return Data(name="fake", split="train", inputs=pictures, labels=labels)

    return load


@pytest.fixture(autouse=True)
def data(monkeypatch):
    for name in MODULES:
        module = importlib.import_module(f"zoo.experiments.{name}")
        if hasattr(module, "mnist"):
            monkeypatch.setattr(module, "mnist", fake((28, 28, 1)))
    patches = importlib.import_module("zoo.experiments.sparse_vae.patches")
    monkeypatch.setattr(patches.zoo.data, "load", _load(patches.zoo.data.load))


def _load(real):
    patches = fake((12, 12, 1))

    def load(name, *args, **kwargs):
        small = {**kwargs, "n": 400} if name == "uniform_square" else kwargs
        return (
            patches(name, *args, **kwargs)
            if name == "cifar10_patches"
            else real(name, *args, **small)
        )

    return load


@pytest.mark.parametrize(("module", "experiment"), CASES)
def test_it_runs_and_its_claims_can_be_judged(module, experiment):
    small = {name: value for name, value in SMALL.items() if name in experiment.quick}
    if isinstance(experiment.quick.get("hidden"), list):
        small["hidden"] = [8, 8]
    settings = {**experiment.quick, **small}
    outcome = experiment.run(0, Sources(), **settings)
    assert all(isinstance(value, float) for value in outcome.measures.values())
    for claim in experiment.claims:
        assert set(claim.measures) <= set(outcome.measures)
        assert claim.verdict(outcome.measures)
    arrays = {name: np.asarray(value) for name, value in outcome.arrays.items()}
    figures = experiment.draw(arrays)
    assert figures and all(isinstance(figure, Figure) for figure in figures.values())


@pytest.mark.parametrize(("module", "experiment"), EXPERIMENTS)
def test_quick_and_full_have_the_same_settings(module, experiment):
    assert set(experiment.quick) == set(experiment.full)
    assert all(claim.text for claim in experiment.claims)


def test_ids_are_those_of_the_digest_and_differ():
    ids = [p.id for p in EXPERIMENTS]
    assert len(set(ids)) == len(ids)
    assert {"LP-F1", "SV-SYN", "U2G-F2", "OX-KS-T1", "OX-VAE"} <= set(ids)
