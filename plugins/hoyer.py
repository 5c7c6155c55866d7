"""Hoyer's measure of sparsity, as a penalty that does not answer to the scale of the code."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

import zoo

EPSILON = 1e-12


@zoo.register("hoyer")
class Hoyer(zoo.Regularizer):
    """1 - h(z), with Hoyer's sparsity (Hoyer, "Non-negative Matrix Factorization", 2004, section 3.1).

        h(z) = (sqrt(n) - ||z||_1 / ||z||_2) / (sqrt(n) - 1)

    0 for a code with one active unit, 1 for one whose units are equal. Shrinking the code changes
    nothing, unlike with a norm. A code of zeros has no measure; its penalty is 0.

    Args:
        weight: a number or a Keras schedule of the training step.
        name: name of the metric.

    Example:
        >>> model = zoo.create("autoencoder", (6,), latents=3, hidden=(4,), regularizers=["hoyer"])
        >>> model.compile()
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> penalty = model.evaluate(x, return_dict=True, verbose=0)["hoyer"]
        >>> sparsity = zoo.evaluation.sparsity.hoyer(model.encode(x))
        >>> np.allclose(penalty, 1 - sparsity.mean(), atol=1e-3)
        True
    """

    def check(self, model: zoo.Autoencoder) -> None:
        """A code of one unit has no sparsity."""
        if model.units < 2:
            raise ValueError("The regularizer 'hoyer' needs at least 2 latents; received 1.")

    def penalty(self, forward: zoo.ForwardPass, training: bool = False) -> tf.Tensor:
        """(batch,), from 0 to 1."""
        units: Any = forward.vectors.shape[-1]
        root = units**0.5
        norm_1 = tf.reduce_sum(tf.abs(forward.vectors), axis=-1)
        square = tf.reduce_sum(tf.square(forward.vectors), axis=-1)
        norm_2 = tf.sqrt(tf.maximum(square, EPSILON))
        return tf.where(square > EPSILON, (norm_1 / norm_2 - 1) / (root - 1), 0.0)
