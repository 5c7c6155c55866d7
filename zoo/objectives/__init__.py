"""Objectives: how what a pass gave becomes the loss."""

from zoo.objectives.base import Objective
from zoo.objectives.elbo import ELBO
from zoo.objectives.explained_variance import ExplainedVariance
from zoo.objectives.nested import Nested

__all__ = ["ELBO", "ExplainedVariance", "Nested", "Objective"]
