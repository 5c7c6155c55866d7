"""How steep the decoder is at the codes."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

import zoo
from zoo import positive_int


@zoo.register("decoder_jacobian")
class DecoderJacobian(zoo.Regularizer):
    """||J||_F^2 with J = dD(z) / dz at the code of x, D(z) the mean of p(x|z).

    Ghosh et al., "From Variational to Deterministic Autoencoders", 2020, equation 11. The exact norm costs a
    gradient for each element of x; with random u ~ N(0, I) the estimate ||J^T u||^2, whose expectation is
    ||J||_F^2, costs one (Hutchinson 1990).

    Args:
        probes: random vectors u to average over.
        weight: a number or a Keras schedule of the training step.
        name: name of the metric.

    Example:
        >>> steep = {"name": "decoder_jacobian", "probes": 20}
        >>> model = zoo.create("linear_autoencoder", (6,), latents=2, regularizers=[steep])
        >>> model.compile()
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> penalty = model.evaluate(x, return_dict=True, verbose=0)["decoder_jacobian"]
        >>> kernel = model.decoder.weights[0]  # the Jacobian of a linear decoder
        >>> np.allclose(penalty, np.sum(np.square(kernel)), rtol=0.2)
        True
    """

    judges_pictures = True

    def __init__(self, probes: int = 1, *, weight: Any = 1e-3, name: str | None = None):
        super().__init__(weight, name)
        self.probes = positive_int(probes, "probes of decoder_jacobian")

    def penalty(self, forward: zoo.ForwardPass, training: bool = False) -> tf.Tensor:
        """(batch,)."""
        code = forward.code
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(code)
            picture = zoo.as_vectors(forward.decode(code))
            shape = (tf.shape(picture)[0], picture.shape[-1])
            directions = [forward.noise.fold(i).normal(*shape) for i in range(self.probes)]
            sums = [tf.reduce_sum(picture * direction) for direction in directions]
        gradients: list[Any] = [tape.gradient(total, code) for total in sums]
        squares = [tf.reduce_sum(tf.square(zoo.as_vectors(g)), axis=-1) for g in gradients]
        return tf.add_n(squares) / self.probes

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "probes": self.probes}
