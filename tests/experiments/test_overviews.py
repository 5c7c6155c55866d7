from pathlib import Path

import numpy as np
from matplotlib.colors import to_rgb

from zoo.experiments import overviews
from zoo.experiments.overviews import Line
from zoo.files import read_json

COMMITTED = Path(__file__).resolve().parents[2] / "docs" / "results" / "data"


def test_every_seed_is_a_dot_at_its_error():
    lines = (Line("one", "A", "x/error", 1.1), Line("none", "B", "x/error", 2.0))
    results = {"A": {"measures": {"x/error": {"values": [3.0, 5.0]}}}}
    for reduced, face in (((), overviews.PALETTE[0]), ({"A"}, "white")):
        figure = overviews.errors(results, reduced, lines, "test error")
        (axes,) = figure.axes
        dots, paper, *_ = axes.collections
        np.testing.assert_array_equal(dots.get_offsets(), [[3, 0], [5, 0]])
        np.testing.assert_array_equal(paper.get_offsets(), [[1.1, 0]])
        assert [label.get_text() for label in axes.get_yticklabels()] == ["one (A)"]
        expected = to_rgb(face)
        np.testing.assert_allclose(dots.get_facecolor()[0][:3], expected)


def test_rows_that_a_run_left_out_are_not_drawn():
    lines = (Line("one", "A", "x/error", 1.1), Line("two", "A", "y/error", 2.0))
    results = {"A": {"measures": {"y/error": {"values": [3.0]}}}}
    figure = overviews.errors(results, (), lines, "test error")
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["two (A)"]
    assert overviews.errors(results, (), lines[:1], "test error") is None
    assert overviews.errors({}, (), lines, "test error") is None


def test_the_lines_are_measures_of_committed_results():
    """But for those of experiments that nobody has run yet."""
    for line in (*overviews.UNSUPERVISED_DIGITS, *overviews.K_SPARSE):
        path = COMMITTED / line.experiment / "results.json"
        if path.exists():
            assert line.measure in read_json(path, "results")["measures"], line
