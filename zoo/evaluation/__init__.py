"""How good a representation is: one call for all metrics, and each group of metrics by itself.

`evaluate` takes any encoder. The groups are modules of functions on plain arrays; they need scikit-learn
and SciPy, and TensorFlow only where a model or the SSIM does, each imported when it is first used.
"""

from zoo.evaluation import (
    aggregate_posterior,
    anomaly,
    clustering,
    density,
    dictionary,
    disentanglement,
    features,
    generation,
    imputation,
    merging,
    probing,
    reconstruction,
    sparsity,
    splicing,
)
from zoo.evaluation.evaluate import evaluate

__all__ = [
    "aggregate_posterior",
    "anomaly",
    "clustering",
    "density",
    "dictionary",
    "disentanglement",
    "evaluate",
    "features",
    "generation",
    "imputation",
    "merging",
    "probing",
    "reconstruction",
    "sparsity",
    "splicing",
]
