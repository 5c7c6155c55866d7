"""Measures as a table."""

from zoo.experiments.grid import aligned, grid, markdown, parted

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


def test_a_long_table_is_parted_by_the_first_part_of_its_rows():
    rows = [[f"{part}/{name}", "1" * (part == "a"), "2"] for part in "ab" for name in range(25)]
    parts = parted([["", "x", "y"], *rows])
    assert [(title, part[0], len(part)) for title, part in parts.items()] == [
        ("a", ["", "x", "y"], 26),
        ("b", ["", "y"], 26),
    ]
    assert parts["b"][1] == ["0", "2"]
    short = [["", "x"], ["a/0", "1"]]
    assert parted(short) == {"": short}
