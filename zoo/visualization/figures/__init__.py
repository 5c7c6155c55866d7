"""Figures: one a file, each a function of arrays or of a model."""
