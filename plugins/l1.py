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

    Example:
        >>> model = zoo.create(
        ...     "autoencoder", (6,), latents=2, hidden=(4,), regularizers=[{"name": "l1", "weight": 0.1}]
        ... )
        >>> model.compile()
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> penalty = model.evaluate(x, return_dict=True, verbose=0)["l1"]
        >>> np.allclose(penalty, np.abs(model.encode(x)).sum(axis=1).mean(), rtol=1e-4)
        True
    """

    def penalty(self, forward: zoo.ForwardPass, training: bool = False) -> tf.Tensor:
        """(batch,)."""
        return tf.reduce_sum(tf.abs(forward.vectors), axis=-1)
