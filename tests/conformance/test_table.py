"""Nothing in the zoo escapes the conformance checks."""

from tests.conformance.cases import CASES, all_parts, parts


def test_every_part_has_a_case():
    covered = set().union(*(parts(case) for case in CASES.values()))
    missing = sorted(all_parts() - covered)
    assert not missing, (
        f"These parts have no conformance case: {missing}. Add a case that uses them to CASES in "
        "tests/conformance/cases.py; every check then runs on it."
    )


def test_every_kind_has_parts():
    kinds = {kind for kind, _ in all_parts()}
    assert kinds == {
        "model",
        "network",
        "posterior",
        "prior",
        "likelihood",
        "objective",
        "bottleneck",
        "regularizer",
    }
