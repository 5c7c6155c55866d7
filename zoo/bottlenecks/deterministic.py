"""A code that is a function of the input."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from zoo.bottlenecks.base import Code, DenseBottleneck
from zoo.networks.corruption import check_rate
from zoo.noise import Noise
from zoo.registry import register


@register("deterministic", kind="bottleneck")
class Deterministic(DenseBottleneck):
    """z = activation(W h + b), with dropout on the code in training if asked for.

    Args:
        units: dimensions of the code.
        dropout: share of units set to 0 in training, the others scaled by 1 / (1 - dropout).
        **kwargs: as in `DenseBottleneck`.

    Example:
        >>> bottleneck = zoo.bottlenecks.Deterministic(2, activation="sigmoid", dropout=0.5)
        >>> bottleneck.build((None, 4))
        >>> bottleneck.encode(np.zeros((1, 4), "float32")).numpy().tolist()
        [[0.5, 0.5]]
    """

    def __init__(self, units: int, dropout: float = 0.0, **kwargs: Any):
        super().__init__(units, **kwargs)
        self.dropout = check_rate(dropout, "dropout")

    def draw(self, features: tf.Tensor, noise: Noise, step: tf.Tensor, training: bool) -> Code:
        """See `Bottleneck.draw`."""
        del step
        code = self.encode(features)
        if training and self.dropout:
            kept = noise.keep(self.dropout, tf.shape(code)[0], *code.shape[1:])
            code = code * kept / (1 - self.dropout)
        return Code(code)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "dropout": self.dropout}
