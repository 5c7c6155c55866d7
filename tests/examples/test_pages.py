"""The examples of the pages run as they stand, from top to bottom, with trainings of one epoch.

A page may prepare what its examples take for granted in a comment that a reader does not see:
``<!-- before the examples`` and Python up to ``-->``.
"""

import re
import sys
from pathlib import Path

import pytest
import tensorflow as tf

import zoo

ROOT = Path(__file__).parents[2]
ELSEWHERE = {"plugins.md"}  # has a test of its own
PAGES = [
    path
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
    if "```python" in path.read_text(encoding="utf-8") and path.name not in ELSEWHERE
]
# What they show runs on every change in tests of its own; of the recipes, which take an hour on MNIST and are
# run on some enlarged digits here, tests/test_docs.py checks the names.
LONG = {"sklearn.md", "devices.md", "recipes.md"}
EPOCHS = {"recipes.md": 20}  # with fewer, no ten clusters hold an example
BLOCK = re.compile(r"^<!-- before the examples\n(.*?)^-->|^```python\n(.*?)^```", re.M | re.S)


def example(page):
    marks = [pytest.mark.long] if page.name in LONG else []
    return pytest.param(page, id=str(page.relative_to(ROOT)), marks=marks)


@pytest.mark.parametrize("page", map(example, PAGES))
def test_examples_run(page, tmp_path, monkeypatch):
    fit, epochs = zoo.Autoencoder.fit, EPOCHS.get(page.name, 1)
    monkeypatch.setattr(
        zoo.Autoencoder, "fit", lambda *args, **options: fit(*args, **{**options, "epochs": epochs})
    )
    monkeypatch.setattr(sys, "argv", ["page"])
    monkeypatch.chdir(tmp_path)
    for kind, table in zoo.registry._parts.items():
        zoo.names(kind)
        monkeypatch.setitem(zoo.registry._parts, kind, dict(table))
    names = {"__name__": "page"}
    for hidden, shown in BLOCK.findall(page.read_text(encoding="utf-8")):
        exec(compile(hidden or shown, page.name, "exec"), names)
    assert tf.executing_eagerly()


def test_figures_of_the_choice_stand_on_the_pages_they_link_to():
    page = ROOT / "docs" / "choose.md"
    cited = re.findall(r"\[(-?[\d.]+)\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
    assert len(cited) > 20
    for figure, link in cited:
        text = (page.parent / link).read_text(encoding="utf-8")
        assert re.search(rf"(?<![\d.]){re.escape(figure)}(?![\d.])", text), f"{figure} in {link}"
