"""The squared norm of a model's weights."""

from __future__ import annotations

import tensorflow as tf

import zoo


@zoo.register("weight_decay")
class WeightDecay(zoo.Regularizer):
    """sum_l ||W_l||_F^2 over the kernels of the model, biases left out (Krogh & Hertz 1992, equation 1).

    Args:
        weight: lambda, a number or a Keras schedule of the training step.
        name: name of the metric.
    """

    of_rows = False

    def penalty(self, forward: zoo.ForwardPass, training: bool = False) -> tf.Tensor:
        """A scalar."""
        kernels = [tf.cast(kernel, tf.float32) for kernel in forward.kernels]
        return tf.add_n([tf.reduce_sum(tf.square(kernel)) for kernel in kernels])
