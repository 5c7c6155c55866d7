"""Disentanglement scores, one file each, with disentanglement_lib's protocols as defaults."""

from zoo.evaluation.disentanglement.beta_vae_score import beta_vae_score
from zoo.evaluation.disentanglement.dci import dci
from zoo.evaluation.disentanglement.factor_vae_score import factor_vae_score
from zoo.evaluation.disentanglement.irs import irs
from zoo.evaluation.disentanglement.mig import mig
from zoo.evaluation.disentanglement.modularity_explicitness import modularity_explicitness
from zoo.evaluation.disentanglement.sap import sap
from zoo.evaluation.disentanglement.scores import SCORES, scores
from zoo.evaluation.disentanglement.udr import udr

__all__ = [
    "SCORES",
    "beta_vae_score",
    "dci",
    "factor_vae_score",
    "irs",
    "mig",
    "modularity_explicitness",
    "sap",
    "scores",
    "udr",
]
