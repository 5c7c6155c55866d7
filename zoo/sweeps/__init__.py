"""Many runs of one model: a grid of options or a search, several seeds each, one page that compares them."""

from zoo.sweeps.space import Range, grid
from zoo.sweeps.summary import Row, summarise
from zoo.sweeps.sweep import Sweep
from zoo.sweeps.training import run_grid

__all__ = ["Range", "Row", "Sweep", "grid", "run_grid", "summarise"]
