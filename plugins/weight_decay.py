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

    Example:
        >>> model = zoo.create(
        ...     "linear_autoencoder", (6,), latents=2, regularizers=[{"name": "weight_decay", "weight": 0.1}]
        ... )
        >>> model.compile()
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> penalty = model.evaluate(x, return_dict=True, verbose=0)["weight_decay"]
        >>> kernels = [w for w in model.get_weights() if w.ndim == 2]
        >>> np.allclose(penalty, sum(np.sum(w**2) for w in kernels), rtol=1e-4)
        True
    """

    of_rows = False

    def penalty(self, forward: zoo.ForwardPass, training: bool = False) -> tf.Tensor:
        """A scalar."""
        kernels = [tf.cast(kernel, tf.float32) for kernel in forward.kernels]
        return tf.add_n([tf.reduce_sum(tf.square(kernel)) for kernel in kernels])
