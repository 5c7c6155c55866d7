"""Data sets: TFDS's, own files and folders, and the synthetic sets of the papers.

`load` reads one split of any of them into a `Data`. Reading needs heavy libraries, knowing the names does
not: they are imported by the functions that use them.
"""

from zoo.data import columns, digits, patches, sprites, synthetic, tfds_sets
from zoo.data.checks import check_inputs
from zoo.data.dataset import Data
from zoo.data.loading import load
from zoo.data.pairs import sprite_pairs
from zoo.data.scenes import sprite_scenes

__all__ = [
    "Data",
    "check_inputs",
    "columns",
    "digits",
    "load",
    "patches",
    "sprite_pairs",
    "sprite_scenes",
    "sprites",
    "synthetic",
    "tfds_sets",
]
