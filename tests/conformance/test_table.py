"""Nothing in the zoo escapes the conformance checks."""

import pytest

from tests.conformance.cases import CASES, RELATIVES, REPEATS, all_parts, parts


@pytest.fixture(scope="module")
def of_cases():
    """Case -> its parts."""
    return {name: parts(case) for name, case in CASES.items()}


def test_every_part_has_a_case(of_cases):
    missing = sorted(all_parts() - set().union(*of_cases.values()))
    assert not missing, (
        f"These parts have no conformance case: {missing}. Add a case that uses them to CASES in "
        "tests/conformance/cases.py; every check then runs on it."
    )


def test_repeats_have_no_part_of_their_own(of_cases):
    whole = set().union(*(found for name, found in of_cases.items() if name not in REPEATS))
    own = {
        name: sorted(
            (kind, part)
            for kind, part in of_cases[name] - whole
            if kind not in ("model", "network") and part != "consistency"
        )
        for name in REPEATS
    }
    alone = {name: found for name, found in own.items() if found}
    assert not alone, f"Take these out of REPEATS, for the sake of their parts: {alone}."


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


def test_relatives_are_checked_whole():
    assert RELATIVES.keys() <= CASES.keys()
    assert set(RELATIVES.values()) <= CASES.keys() - REPEATS - RELATIVES.keys()
