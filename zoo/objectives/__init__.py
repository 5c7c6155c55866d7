"""Objectives: how what a pass gave becomes the loss."""

from zoo.objectives.base import Objective
from zoo.objectives.elbo import ELBO
from zoo.objectives.explained_variance import ExplainedVariance
from zoo.objectives.hamiltonian import Hamiltonian
from zoo.objectives.importance_weighted import ImportanceWeighted
from zoo.objectives.nested import Nested
from zoo.objectives.semi_supervised import SemiSupervised

__all__ = [
    "ELBO",
    "ExplainedVariance",
    "Hamiltonian",
    "ImportanceWeighted",
    "Nested",
    "Objective",
    "SemiSupervised",
]
