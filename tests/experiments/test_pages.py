from __future__ import annotations

import json
import shlex

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from zoo.experiments import pages
from zoo.experiments import results as results_module
from zoo.experiments.experiment import Claim, Experiment

EXPERIMENT = Experiment(
    id="U2G-F2",
    paper="uniform_to_gaussian_vae",
    title="A title",
    run=None,
    draw=None,
    claims=(Claim("x | y", lambda m: m["a/mse"] < 8, ("a/mse",)),),
    quick={"epochs": 2},
    full={"epochs": 75, "betas": [0.005, 0.05]},
)


@pytest.fixture(autouse=True)
def one_experiment(monkeypatch):
    """All results are those of `EXPERIMENT`."""
    for module in (pages, results_module):
        monkeypatch.setattr(module, "find", {EXPERIMENT.id: EXPERIMENT}.__getitem__)


def results(quick, values, **changes):
    measured = results_module.judged(EXPERIMENT, [{"a/mse": value} for value in values])
    return {
        "id": EXPERIMENT.id,
        "paper": EXPERIMENT.paper,
        "title": EXPERIMENT.title,
        "quick": quick,
        "settings": dict(EXPERIMENT.quick if quick else EXPERIMENT.full),
        "seconds": [4.0] * len(values),
        **measured,
        **changes,
    }


def run(folder, content, side=4):
    (folder / "figures").mkdir(parents=True)
    (folder / "results.json").write_text(json.dumps(content))
    noise = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    Image.fromarray(noise).save(folder / "figures" / "square.png")
    return folder


def test_a_full_run_takes_the_place_of_a_quick_one(tmp_path):
    site = tmp_path / "site"
    quick = run(tmp_path / "q", results(True, [7.0]))
    pages.main([str(site), "--add", str(quick), "--machine", "abacus"])
    page = site / "uniform_to_gaussian_vae.md"
    text = page.read_text()
    assert "a/mse 7 " in text and "Quick run" in text and "abacus" in text
    assert "| x \\| y | - |" in text and "holds (quick run) |" in text
    pages.add(run(tmp_path / "f", results(False, [7.0, 9.0, 11.0])), site, "abacus")
    pages.write_pages(site)
    text = page.read_text()
    assert "a/mse 9 ± 2" in text and "Quick run" not in text and "a/mse 7" not in text
    table = (site / "README.md").read_text()
    assert "does not hold (1 of 3 seeds)" in table
    assert (
        "| full run | reduced run | quick run |" in table
        and "\n| All | 0 of 1 | - | - |\n" in table
    )
    assert (site / "data/U2G-F2/square.png").exists()
    assert "(data/U2G-F2/square.png)" in text


def test_a_reduced_run_says_so_and_how_to_run_it(tmp_path):
    settings = {"epochs": 75, "betas": [2, 1], "from_an_older_version": 7}
    content = results(False, [1.0, 2.0], precision="mixed_bfloat16", settings=settings)
    pages.add(run(tmp_path / "r", content), tmp_path, "abacus")
    pages.write_pages(tmp_path)
    text = (tmp_path / "uniform_to_gaussian_vae.md").read_text()
    command = "latent-zoo reproduce U2G-F2 --set=betas=2,1 --precision=mixed_bfloat16 --seeds=2"
    assert f"`{command}`" in text
    usual = EXPERIMENT.full["betas"]
    changed = f"betas [2, 1] in place of {usual}, precision mixed_bfloat16 in place of float32."
    assert f"**Reduced run**: {changed}" in text
    assert "holds (reduced run, 2 of 2 seeds)" in text


def test_a_run_with_settings_shown_to_be_equal_is_not_reduced(tmp_path, monkeypatch):
    equal = EXPERIMENT._replace(equal={"precision": "mixed_bfloat16", "epochs": 5})
    monkeypatch.setattr(pages, "find", lambda name: equal)
    content = results(False, [1.0, 2.0], precision="mixed_bfloat16")
    pages.add(run(tmp_path / "r", content), tmp_path, "abacus")
    pages.write_pages(tmp_path)
    text = (tmp_path / "uniform_to_gaussian_vae.md").read_text()
    assert "--precision=mixed_bfloat16 --seeds=2`" in text
    change = "precision mixed_bfloat16 in place of float32"
    assert f"\n\n**Shown by tests to be equal**: {change}.\n\n" in text
    assert "holds (2 of 2 seeds)" in text and "Reduced" not in text
    settings = {**EXPERIMENT.full, "epochs": 6}
    assert equal.reductions(False, settings, "mixed_bfloat16") == {
        "epochs": (EXPERIMENT.full["epochs"], 6)
    }


def test_later_seeds_are_joined_to_those_that_are_there(tmp_path):
    first = results(False, [1.0], first_seed=0)
    later = results(False, [2.0], first_seed=1)
    folder = run(tmp_path / "later", later)
    target = pages.add(run(tmp_path / "first", first), tmp_path, "abacus")
    figure = (target / "square.png").read_bytes()
    assert pages.add(folder, tmp_path, "slide rule") == target
    assert pages.command(later) == pages.command(first) + " --first_seed=1"
    joined = json.loads((target / "results.json").read_text())
    assert joined["measures"]["a/mse"]["values"] == [1.0, 2.0]
    assert joined["machine"] == "abacus and a slide rule"
    assert joined["seconds"] == [4.0, 4.0] and joined["seeds"] == 2
    assert (target / "square.png").read_bytes() == figure
    later_figure = (folder / "figures" / "square.png").read_bytes()
    assert (target / "square_seed_1.png").read_bytes() == later_figure
    with pytest.raises(ValueError, match="must begin at 2"):
        pages.add(folder, tmp_path, "abacus")


def test_a_page_says_what_of_the_time_was_spent_in_earlier_runs(tmp_path):
    first = results(False, [1.0], first_seed=0)  # of an older version, silent on what was kept
    kept = [
        {"items": 0, "seconds": 0.0, "untimed": 0},
        {"items": 1, "seconds": 60.0, "untimed": 0},
        {"items": 3, "seconds": 90.0, "untimed": 1},
        {"items": 2, "seconds": 0.0, "untimed": 2},
    ]
    later = results(False, [2.0, 3.0, 4.0, 5.0], first_seed=1, kept=kept)
    pages.add(run(tmp_path / "first", first), tmp_path, "abacus")
    pages.add(run(tmp_path / "later", later), tmp_path, "abacus")
    pages.write_pages(tmp_path)
    text = (tmp_path / "uniform_to_gaussian_vae.md").read_text()
    assert (
        "From earlier runs: seed 2 went on from 1 kept item, whose 60 s are counted; seed 3 went on from 3 "
        "kept items, whose 90 s are counted, 1 of unknown time; seed 4 went on from 2 kept items, all of "
        "unknown time.\n"
    ) in text


def test_a_picture_over_all_experiments_stands_at_the_head(tmp_path, monkeypatch):
    asked = []

    def draw(found, reduced):
        asked.append((set(found), set(reduced)))
        return Figure()

    monkeypatch.setitem(pages.OVERVIEWS, EXPERIMENT.paper, ("all", draw))
    pages.add(run(tmp_path / "q", results(True, [1.0])), tmp_path, "abacus")
    pages.write_pages(tmp_path)
    page = tmp_path / f"{EXPERIMENT.paper}.md"
    picture = f"![all](data/{EXPERIMENT.paper}/all.png)"
    assert page.read_text().startswith(f"# Uniform to Gaussian\n\n{picture}\n\n## U2G-F2")
    (tmp_path / "data" / EXPERIMENT.paper / "notes.md").write_text("Seen at once.\n")
    pages.add(run(tmp_path / "f", results(False, [1.0])), tmp_path, "abacus")
    pages.write_pages(tmp_path)
    assert f"\n\nSeen at once.\n\n{picture}" in page.read_text()
    assert (page.parent / "data" / EXPERIMENT.paper / "all.png").exists()
    assert asked == [({"U2G-F2"}, {"U2G-F2"}), ({"U2G-F2"}, set())]
    monkeypatch.setitem(pages.OVERVIEWS, EXPERIMENT.paper, ("all", lambda found, reduced: None))
    pages.write_pages(tmp_path)
    assert page.read_text().startswith("# Uniform to Gaussian\n\n## U2G-F2")


def test_a_command_with_blanks_survives_a_shell(monkeypatch):
    monkeypatch.setattr(pages, "changes", lambda results: {"rows": ("", "a b; c")})
    results = {"id": "X", "quick": False, "seeds": pages.SEEDS}
    assert shlex.split(pages.command(results))[-1] == "--set=rows=a b; c"


def test_results_may_begin_at_a_later_seed(tmp_path):
    site = tmp_path / "site"
    first = run(tmp_path / "first", results(False, [1.0]))
    later = run(tmp_path / "later", results(False, [2.0], first_seed=4))
    target = pages.add(later, tmp_path / "new", "abacus")
    assert json.loads((target / "results.json").read_text())["first_seed"] == 4
    pages.main([str(site), "--add", str(first)])
    with pytest.raises(SystemExit, match="replace=True"):
        pages.main([str(site), "--add", str(later)])
    pages.main([str(site), "--add", str(later), "--replace", "--machine=abacus"])
    kept = json.loads((site / "data/U2G-F2/results.json").read_text())
    assert kept["measures"]["a/mse"]["values"] == [2.0] and kept["machine"] == "abacus"
    assert "--first_seed=4" in (site / "uniform_to_gaussian_vae.md").read_text()


def test_results_are_judged_by_the_claims_as_they_are_now(tmp_path, monkeypatch):
    target = pages.add(run(tmp_path / "r", results(False, [7.0, 7.5])), tmp_path, "abacus")
    claim = Claim("x is small", lambda m: m["a/mse"] < 7.2, ("a/mse",))
    changed = EXPERIMENT._replace(claims=(claim,))
    monkeypatch.setattr(results_module, "find", {EXPERIMENT.id: changed}.__getitem__)
    pages.write_pages(tmp_path)
    judged = json.loads((target / "results.json").read_text())["claims"]
    assert [(c["text"], c["verdict"], c["seeds"]) for c in judged] == [
        ("x is small", "does not hold", 1)
    ]
    assert "x is small" in (tmp_path / "uniform_to_gaussian_vae.md").read_text()


def test_notes_are_taken_over(tmp_path):
    folder = pages.add(run(tmp_path / "q", results(True, [1.0])), tmp_path, "abacus")
    (folder / "notes.md").write_text("Seen by eye.\n")
    pages.write_pages(tmp_path)
    assert "Seen by eye." in (tmp_path / "uniform_to_gaussian_vae.md").read_text()


def test_a_large_figure_gets_fewer_colours(tmp_path):
    source = run(tmp_path / "q", results(True, [1.0]), 400)
    assert (source / "figures" / "square.png").stat().st_size > 300_000
    figure = pages.add(source, tmp_path, "abacus") / "square.png"
    assert figure.stat().st_size < 300_000
    assert Image.open(figure).size == (400, 400)


def test_what_cannot_be_taken_over_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"results\.json"):
        pages.add(tmp_path, tmp_path, "abacus")
    with pytest.raises(ValueError, match="bytes with 256 colours"):
        pages.add(run(tmp_path / "q", results(True, [1.0]), 700), tmp_path, "abacus")


def test_a_folder_without_results_is_left_alone(tmp_path):
    (tmp_path / "README.md").write_text("# mine")
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(SystemExit, match="There are no results below"):
            pages.main([str(folder)])
    assert (tmp_path / "README.md").read_text() == "# mine"


@pytest.mark.parametrize("flag", ["--replace", "--machine=abacus"])
def test_what_is_said_of_runs_needs_runs(tmp_path, flag, capsys):
    site = tmp_path / "site"
    pages.main([str(site), "--add", str(run(tmp_path / "good", results(False, [7.0])))])
    with pytest.raises(SystemExit):
        pages.main([str(site), flag])
    assert f"{flag.partition('=')[0]} is about runs to take over" in capsys.readouterr().err


def test_what_is_no_result_is_not_taken_over(tmp_path):
    site = tmp_path / "site"
    pages.main([str(site), "--add", str(run(tmp_path / "good", results(False, [7.0])))])
    before = (site / "data/U2G-F2/results.json").read_bytes()
    bad = run(tmp_path / "bad", {"id": EXPERIMENT.id, "quick": False})
    with pytest.raises(SystemExit, match=r"lacks measures, paper, seconds.*It was not taken over"):
        pages.main([str(site), "--add", str(bad), "--replace"])
    assert (site / "data/U2G-F2/results.json").read_bytes() == before
    pages.main([str(site)])
