"""Bottlenecks: from the encoder's features to the code that is decoded."""

from zoo.bottlenecks.base import Bottleneck, Code, DenseBottleneck
from zoo.bottlenecks.batch_top_k import BatchTopK
from zoo.bottlenecks.categorical_style import CategoricalStyle
from zoo.bottlenecks.clamped import Clamped
from zoo.bottlenecks.deterministic import Deterministic
from zoo.bottlenecks.finite_scalar import FiniteScalar
from zoo.bottlenecks.gated_code import GatedCode
from zoo.bottlenecks.hierarchical import Hierarchical
from zoo.bottlenecks.jump_relu import JumpReLU
from zoo.bottlenecks.label_and_style import LabelAndStyle
from zoo.bottlenecks.lookup_free import LookupFree
from zoo.bottlenecks.matching_pursuit import MatchingPursuit
from zoo.bottlenecks.quantized import Quantized
from zoo.bottlenecks.shared_pairs import SharedPairs
from zoo.bottlenecks.stochastic import Stochastic
from zoo.bottlenecks.top_k import TopK
from zoo.bottlenecks.vector_quantized import ResidualQuantized, VectorQuantized, nearest

__all__ = [
    "BatchTopK",
    "Bottleneck",
    "CategoricalStyle",
    "Clamped",
    "Code",
    "DenseBottleneck",
    "Deterministic",
    "FiniteScalar",
    "GatedCode",
    "Hierarchical",
    "JumpReLU",
    "LabelAndStyle",
    "LookupFree",
    "MatchingPursuit",
    "Quantized",
    "ResidualQuantized",
    "SharedPairs",
    "Stochastic",
    "TopK",
    "VectorQuantized",
    "nearest",
]
