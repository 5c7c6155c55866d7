"""Idler, "AIML 425, Assignment 2, Problem 2": the unit square and a Gaussian."""
