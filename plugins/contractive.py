"""The contractive autoencoder's penalty."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

import zoo
from zoo import positive_int


@zoo.register("contractive")
class Contractive(zoo.Regularizer):
    """||J||_F^2 with J = dE(x) / dx, the Jacobian of the code without noise (Rifai et al. 2011, equation 4).

    For one sigmoid layer it is sum_j (z_j (1 - z_j))^2 sum_i W_ij^2. For any other encoder the exact
    norm costs a gradient for each unit; with random u ~ N(0, I) the estimate ||J^T u||^2, whose
    expectation is ||J||_F^2, costs one (Hutchinson 1990).

    Args:
        probes: random vectors u to average over; None for the exact norm.
        weight: a number or a Keras schedule of the training step.
        name: name of the metric.

    Example:
        >>> model = zoo.create(
        ...     "linear_autoencoder", (6,), latents=2, regularizers=[{"name": "contractive", "probes": None}]
        ... )
        >>> model.compile()
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> penalty = model.evaluate(x, return_dict=True, verbose=0)["contractive"]
        >>> kernel = model.bottleneck.weights[0]  # the Jacobian of a linear encoder
        >>> np.allclose(penalty, np.sum(np.square(kernel)), rtol=1e-4)
        True
    """

    def __init__(self, probes: int | None = 1, *, weight: Any = 0.1, name: str | None = None):
        super().__init__(weight, name)
        self.probes = None if probes is None else positive_int(probes, "probes of contractive")

    def penalty(self, forward: zoo.ForwardPass, training: bool = False) -> tf.Tensor:
        """(batch,)."""
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(forward.inputs)
            code = zoo.as_vectors(forward.encode(forward.inputs, training=False))
            outputs = self._outputs(code, forward)
        gradients = [tape.gradient(output, forward.inputs) for output in outputs]
        if any(gradient is None for gradient in gradients):
            raise ValueError(
                "The regularizer 'contractive' needs a code with a gradient for x, and this one, as a "
                "quantized code, has none. Leave it out, or take another bottleneck."
            )
        squares = [_squares(gradient) for gradient in gradients]
        return tf.add_n(squares) / (self.probes or 1)

    def _outputs(self, code: tf.Tensor, forward: zoo.ForwardPass) -> list[tf.Tensor]:
        """Every unit, or random sums of the units, each (batch,)."""
        if self.probes is None:
            return tf.unstack(code, axis=-1)
        shape = (tf.shape(code)[0], code.shape[-1])
        directions = [forward.noise.fold(index).normal(*shape) for index in range(self.probes)]
        return [tf.reduce_sum(code * direction, axis=-1) for direction in directions]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "probes": self.probes}


def _squares(gradient: Any) -> tf.Tensor:
    return tf.reduce_sum(tf.square(gradient), axis=list(range(1, len(gradient.shape))))
