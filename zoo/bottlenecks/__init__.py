"""Bottlenecks: from the encoder's features to the code that is decoded."""

from zoo.bottlenecks.base import Bottleneck, Code, DenseBottleneck
from zoo.bottlenecks.batch_top_k import BatchTopK
from zoo.bottlenecks.categorical_style import CategoricalStyle
from zoo.bottlenecks.deterministic import Deterministic
from zoo.bottlenecks.gated_code import GatedCode
from zoo.bottlenecks.jump_relu import JumpReLU
from zoo.bottlenecks.matching_pursuit import MatchingPursuit
from zoo.bottlenecks.stochastic import Stochastic
from zoo.bottlenecks.top_k import TopK

__all__ = [
    "BatchTopK",
    "Bottleneck",
    "CategoricalStyle",
    "Code",
    "DenseBottleneck",
    "Deterministic",
    "GatedCode",
    "JumpReLU",
    "MatchingPursuit",
    "Stochastic",
    "TopK",
]
