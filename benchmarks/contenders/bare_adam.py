"""Adam by TensorFlow's fused kernel, without Keras."""

from __future__ import annotations

import tensorflow as tf

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7


class Adam:
    """The moments of some weights."""

    def __init__(self, weights: list[tf.Variable]):
        self.weights = weights
        self.slots = [[tf.Variable(tf.zeros_like(w)) for _ in range(2)] for w in weights]
        self.powers = [tf.Variable(1.0) for _ in range(2)]

    def apply(self, gradients: list[tf.Tensor], rate: float) -> None:
        """One update."""
        for power, beta in zip(self.powers, (BETA_1, BETA_2), strict=True):
            power.assign(power * beta)
        for weight, (m, v), gradient in zip(self.weights, self.slots, gradients, strict=True):
            tf.raw_ops.ResourceApplyAdam(
                var=weight.handle, m=m.handle, v=v.handle, beta1_power=self.powers[0],
                beta2_power=self.powers[1], lr=rate, beta1=BETA_1, beta2=BETA_2, epsilon=EPSILON,
                grad=gradient,
            )  # fmt: skip
