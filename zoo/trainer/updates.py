"""One step of an optimizer, the same on any number of replicas."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


def apply_gradients(
    optimizer: keras.optimizers.Optimizer, gradients: list, variables: list
) -> None:
    """Update the variables; every replica holds its share of the gradient of the global batch."""
    if tf.distribute.get_strategy().num_replicas_in_sync > 1:
        gradients = _global_gradients(optimizer, gradients)
    optimizer.apply(gradients, variables)


def apply_finite_gradients(
    optimizer: keras.optimizers.Optimizer, gradients: list, variables: list
) -> tf.Tensor:
    """Update the variables unless the gradient holds NaN or infinity.

    Returns:
        1.0 where the update was left out, else 0.0.
    """
    finite = tf.math.is_finite(tf.linalg.global_norm(gradients))
    tf.cond(finite, lambda: _applied(optimizer, gradients, variables), lambda: tf.constant(0))
    return 1.0 - tf.cast(finite, tf.float32)


def _applied(optimizer: keras.optimizers.Optimizer, gradients: list, variables: list) -> tf.Tensor:
    optimizer.apply(gradients, variables)
    return tf.constant(0)


def _global_gradients(optimizer: keras.optimizers.Optimizer, gradients: list) -> list:
    """Gradients that Keras's own sum over the replicas makes those of the global batch.

    Keras clips every replica's gradient before it sums them, so that two devices differ from one, and may ask
    each replica by itself whether a scaled gradient is finite. Here the sum comes first where the optimizer
    clips or scales; each replica then hands Keras its share of the result.
    """
    scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    inner: Any = optimizer.inner_optimizer if scaled else optimizer
    clips = (inner.clipnorm, inner.clipvalue, inner.global_clipnorm)
    if not scaled and all(clip is None for clip in clips):
        return gradients
    context = tf.distribute.get_replica_context()
    there = [gradient for gradient in gradients if gradient is not None]  # of weights that are used
    summed = context.all_reduce(tf.distribute.ReduceOp.SUM, there)
    # Keras divides by it, and clips what is left.
    scale = optimizer.dynamic_scale.value if scaled else inner.loss_scale_factor or 1.0
    clipped = [g * scale for g in inner._clip_gradients([gradient / scale for gradient in summed])]
    if scaled:  # what is not finite must stay so: it leaves the update out
        clipped = [
            tf.where(tf.math.is_finite(g), c, g) for g, c in zip(summed, clipped, strict=True)
        ]
    shares = iter(gradient / context.num_replicas_in_sync for gradient in clipped)
    return [None if gradient is None else next(shares) for gradient in gradients]
