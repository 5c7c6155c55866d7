"""Bottlenecks: from the encoder's features to the code that is decoded."""

from zoo.bottlenecks.base import Bottleneck, Code, DenseBottleneck
from zoo.bottlenecks.categorical_style import CategoricalStyle
from zoo.bottlenecks.deterministic import Deterministic
from zoo.bottlenecks.stochastic import Stochastic
from zoo.bottlenecks.top_k import TopK

__all__ = [
    "Bottleneck",
    "CategoricalStyle",
    "Code",
    "DenseBottleneck",
    "Deterministic",
    "Stochastic",
    "TopK",
]
