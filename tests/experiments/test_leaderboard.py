"""The leaderboard: which models it asks, with which options, and that it goes on where it was ended."""

from __future__ import annotations

import numpy as np
import pytest

import zoo
from zoo import registry
from zoo.experiments.experiment import Sources
from zoo.experiments.leaderboard import board, figure, sets
from zoo.experiments.leaderboard.board import EXPERIMENTS, asked, options_of, run

SIZE = {"latents": 4, "hidden": 16, "atoms": 24, "active": 3}
(LEADERBOARD,) = EXPERIMENTS


def test_every_model_of_the_zoo_is_asked_or_has_a_reason_why_not():
    names = [
        name
        for name in registry.names("model")
        if registry.lookup(name, "model").__module__.startswith("zoo.")
    ]
    assert sorted([*asked(), *board.OUTSIDE]) == names
    assert set(board.ONLY) <= set(asked())
    assert all(figure.family(name) in figure.FAMILIES for name in asked())


@pytest.mark.parametrize("name", asked())
def test_the_options_are_the_models_own(name):
    known = zoo.models.options(name)
    chosen = options_of(name, True, steps=100, **SIZE)
    assert set(chosen) <= set(known)
    assert chosen.get("likelihood", "normal") == "normal"
    if figure.is_sparse(name):
        assert chosen["latents"] == 24 and 3 in (chosen.get("k"), chosen.get("target_l0"))


def test_sets_that_need_no_files():
    for name, shape in (("digits", (8, 8, 1)), ("bases", (5, 5, 1)), ("table", (30,))):
        found = sets.SETS[name](0, Sources(), 50)
        assert found.x.shape[1:] == found.fresh.shape[1:] == shape
        assert found.factors is None
        assert (found.labels is None) == (name == "bases")
    shapes = sets.SETS["sprites"](0, Sources(), 20)
    assert shapes.x.shape == (20, 32, 32, 1) and shapes.factors.shape == (5000, 5)
    assert shapes.x.max() == 1 and shapes.x.min() == 0


def test_the_table_is_standardised_by_the_rows_to_train_on():
    found = sets.table(3, Sources(), 0)
    np.testing.assert_allclose(found.x.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(found.x.std(axis=0), 1, atol=1e-5)
    assert len(found.x) + len(found.fresh) == 569


def test_a_run_keeps_each_model_and_goes_on(tmp_path, monkeypatch, capsys):
    sources = Sources(models=str(tmp_path))
    settings = {"sets": ["table"], "rows": 50, "steps": 4, **SIZE}
    known, tried = board.measured, []

    def measured(name, *args):
        tried.append(name)
        if name == "vae":
            raise ValueError("a reason")
        return known(name, *args)

    monkeypatch.setattr(board, "measured", measured)
    with pytest.raises(RuntimeError, match="table/vae: ValueError: a reason"):
        run(0, sources, models=["linear_autoencoder", "vae", "top_k_sae"], **settings)
    assert tried == ["linear_autoencoder", "vae", "top_k_sae"]  # the others ran all the same
    monkeypatch.setattr(board, "measured", known)
    outcome = run(0, sources, models=["linear_autoencoder", "top_k_sae", "info_gan"], **settings)
    measures = outcome.measures
    assert "table/info_gan/seconds" not in measures  # not asked of tables
    assert {name.split("/")[2] for name in measures if "linear" in name} == {
        *("error", "probe_10", "probe_100", "probe_all", "clusters", "l0", "hoyer"),
        *("seconds", "weights"),
    }
    assert measures["table/top_k_sae/l0"] == pytest.approx(3, abs=0.01)
    assert measures["table/linear_autoencoder/weights"] == (30 * 4 + 4) + (4 * 30 + 30)
    figures = LEADERBOARD.draw(outcome.arrays)
    assert len(figures["board"].axes) == 1
    assert "table/linear_autoencoder" in capsys.readouterr().out


def test_quick_and_full_have_the_same_settings_and_claims_read_their_measures():
    assert set(LEADERBOARD.quick) == set(LEADERBOARD.full)
    columns = {*board.COLUMNS.values()}
    for claim in LEADERBOARD.claims:
        for kind, name, column in (measure.split("/") for measure in claim.measures):
            assert kind in sets.SETS and name in asked() and column in columns
