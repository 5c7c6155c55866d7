from __future__ import annotations

import json
import shutil
from pathlib import Path

from zoo.experiments import pages
from zoo.experiments.catalogue import find

COMMITTED = Path(__file__).resolve().parents[2] / "docs" / "results"


def test_the_committed_pages_are_those_of_the_committed_results(tmp_path):
    shutil.copytree(COMMITTED, tmp_path / "results")
    for page in pages.write_pages(tmp_path / "results"):
        assert page.read_text() == (COMMITTED / page.name).read_text(), page.name
    for path in COMMITTED.glob("data/*/results.json"):
        copy = tmp_path / "results" / path.relative_to(COMMITTED)
        assert json.loads(copy.read_text()) == json.loads(path.read_text()), path.parent.name


def test_the_committed_results_have_the_settings_of_their_experiments():
    """A setting that was renamed since would leave a command on the page that no longer works."""
    for path in COMMITTED.glob("data/*/results.json"):
        results = json.loads(path.read_text())
        experiment = find(results["id"])
        usual = experiment.quick if results["quick"] else experiment.full
        assert set(results["settings"]) == set(usual), results["id"]
