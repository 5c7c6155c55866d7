"""How good a sparse dictionary is: what it explains, how sparsely, and whether atoms are the true ones."""

from zoo.evaluation.dictionary.counting import (
    RARE,
    Tally,
    encode_csr,
    has_atoms,
    stream,
    tally,
)
from zoo.evaluation.dictionary.matching import (
    against_features,
    agreement,
    correlations,
    cosines,
    matched,
)
from zoo.evaluation.dictionary.probes import absorption, class_absorption, k_sparse_probe

__all__ = [
    "RARE",
    "Tally",
    "absorption",
    "against_features",
    "agreement",
    "class_absorption",
    "correlations",
    "cosines",
    "encode_csr",
    "has_atoms",
    "k_sparse_probe",
    "matched",
    "stream",
    "tally",
]
