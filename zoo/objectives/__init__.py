"""Objectives: how what a pass gave becomes the loss."""

from zoo.objectives.base import Objective
from zoo.objectives.elbo import ELBO

__all__ = ["ELBO", "Objective"]
