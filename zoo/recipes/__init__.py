"""Recipes: schedules of the training step, where to start from, and what to do with a trained code."""

from zoo.recipes.clusters import start_at_clusters
from zoo.recipes.schedules import CyclicWarmUp, LinearSchedule, WarmUp

__all__ = ["CyclicWarmUp", "LinearSchedule", "WarmUp", "start_at_clusters"]
