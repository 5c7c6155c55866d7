"""The L1 norm of the code."""

from __future__ import annotations

import tensorflow as tf

import zoo


@zoo.register("l1")
class L1(zoo.Regularizer):
    """sum_i |z_i|, the sparse autoencoder's penalty (Ng, "Sparse autoencoder", CS294A, 2011).

    Args:
        weight: a number or a Keras schedule of the training step.
        name: name of the metric.
    """

    def penalty(self, forward: zoo.ForwardPass, training: bool = False) -> tf.Tensor:
        """(batch,)."""
        return tf.reduce_sum(tf.abs(forward.vectors), axis=-1)
