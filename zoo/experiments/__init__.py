"""Tables and figures of the papers, each an `Experiment` that is run by seed and judged claim by claim.

A folder holds what belongs to one paper, or to the lecture; its modules list their experiments as
``EXPERIMENTS``. Their ids and titles are read from the sources, so that to list them imports nothing. Others
are registered under the kind "experiment".
"""

from zoo.experiments.catalogue import find, names
from zoo.experiments.experiment import Claim, Experiment, Outcome, Sources

__all__ = ["Claim", "Experiment", "Outcome", "Sources", "find", "names"]
