"""Where a sparse dictionary starts from, and how its dead units start anew."""

from zoo.recipes.dictionaries.resampling import Resampling, resample
from zoo.recipes.dictionaries.rows import geometric_median
from zoo.recipes.dictionaries.starting import CENTRES, Start, expected_dead, start

__all__ = [
    "CENTRES",
    "Resampling",
    "Start",
    "expected_dead",
    "geometric_median",
    "resample",
    "start",
]
