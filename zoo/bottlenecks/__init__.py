"""Bottlenecks: from the encoder's features to the code that is decoded."""

from zoo.bottlenecks.base import Bottleneck, Code, DenseBottleneck
from zoo.bottlenecks.categorical_style import CategoricalStyle
from zoo.bottlenecks.deterministic import Deterministic
from zoo.bottlenecks.finite_scalar import FiniteScalar
from zoo.bottlenecks.label_and_style import LabelAndStyle
from zoo.bottlenecks.lookup_free import LookupFree
from zoo.bottlenecks.quantized import Quantized
from zoo.bottlenecks.stochastic import Stochastic
from zoo.bottlenecks.top_k import TopK
from zoo.bottlenecks.vector_quantized import ResidualQuantized, VectorQuantized

__all__ = [
    "Bottleneck",
    "CategoricalStyle",
    "Code",
    "DenseBottleneck",
    "Deterministic",
    "FiniteScalar",
    "LabelAndStyle",
    "LookupFree",
    "Quantized",
    "ResidualQuantized",
    "Stochastic",
    "TopK",
    "VectorQuantized",
]
