"""Tables and figures of the papers, each an `Experiment` that is run by seed and judged claim by claim.

A folder holds what belongs to one paper, or to the lecture; its modules list their experiments as
``EXPERIMENTS``. Their ids and titles are read from the sources, so that to list them imports nothing.
"""

from zoo.experiments.catalogue import find, names, titles

__all__ = ["find", "names", "titles"]
