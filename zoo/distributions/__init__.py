"""Posterior families, priors, likelihoods, and divergences between them."""

from zoo.distributions.divergences import (
    base_distribution,
    has_analytic_kl,
    infinite_kl,
    is_location_scale,
)
from zoo.distributions.families import Family
from zoo.distributions.fitted import FittedPrior
from zoo.distributions.likelihoods import Likelihood
from zoo.distributions.priors import Prior

__all__ = [
    "Family",
    "FittedPrior",
    "Likelihood",
    "Prior",
    "base_distribution",
    "has_analytic_kl",
    "infinite_kl",
    "is_location_scale",
]
