"""What every test of exports shares."""

import gc

import pytest


@pytest.fixture(scope="package", autouse=True)
def _spared_collector():
    """LiteRT's converter collects garbage for each file: let it not look through what was there before."""
    gc.freeze()
