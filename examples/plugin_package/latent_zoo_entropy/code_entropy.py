"""The entropy of a code's energy, as a penalty for sparse codes."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

import zoo

EPSILON = 1e-12


@zoo.register("code_entropy")
class CodeEntropy(zoo.Regularizer):
    """H(p) = -sum_i p_i log p_i with p_i = |z_i|^power / sum_j |z_j|^power.

    The Shannon entropy measure of sparsity that Hurley & Rickard compare with others ("Comparing Measures
    of Sparsity", 2009), there with power 2: 0 nats where one unit is active, log(units) where all are alike.
    The scale of the code does not matter.

    Args:
        power: at least 1, so that the gradient at 0 is finite.
        weight: a number or a Keras schedule of the training step.
        name: name of the metric.
    """

    def __init__(self, power: float = 2.0, weight: Any = 1.0, name: str | None = None):
        super().__init__(weight, name)
        if not power >= 1:
            raise ValueError(f"power of code_entropy must be at least 1; received {power!r}.")
        self.power = float(power)

    def penalty(self, forward: zoo.ForwardPass, training: bool = False) -> tf.Tensor:
        """(batch,), in nats."""
        energy = tf.abs(forward.code) ** self.power
        share = energy / (tf.reduce_sum(energy, axis=-1, keepdims=True) + EPSILON)
        return -tf.reduce_sum(share * tf.math.log(share + EPSILON), axis=-1)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "power": self.power}
