"""Measures as a table."""

from zoo.experiments.grid import aligned, grid, markdown

MEASURES = {
    "a/mig": {"mean": 0.5, "sd": 0.1},
    "a/sap": {"mean": 0.25, "sd": 0.0},
    "b/mig": {"mean": 1234.5, "sd": 2.0},
    "seconds": {"mean": 3.0, "sd": 0.0},
}


def test_rows_and_columns():
    assert grid(MEASURES, 1) == [["", "mig", "sap"], ["a", "0.5", "0.25"], ["b", "1234", ""]]
    assert grid(MEASURES, 3)[1] == ["a", "0.5 ± 0.1", "0.25 ± 0"]
    assert grid({"seconds": MEASURES["seconds"]}, 1) == []


def test_text_and_markdown():
    assert aligned(grid(MEASURES, 1)) == ["    mig   sap", "a   0.5  0.25", "b  1234"]
    assert markdown([["", "x"], ["a", "1"]]) == ["|  | x |", "|---|---|", "| a | 1 |"]
    assert aligned([]) == markdown([]) == []
