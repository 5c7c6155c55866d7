"""The squared norm of a model's weights."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

import zoo
from zoo import suggest

OF = ("model", "decoder")


@zoo.register("weight_decay")
class WeightDecay(zoo.Regularizer):
    """sum_l ||W_l||_F^2 over the kernels of the networks, biases left out (Krogh & Hertz 1992, equation 1).

    The networks are encoder, bottleneck and decoder; what a prior or a likelihood learns is no kernel.

    Args:
        of: whose kernels, those of the "model" or of its "decoder".
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

    fixed = ("of",)
    of_rows = False
    sees_model = True

    def __init__(self, of: str = "model", *, weight: Any = 1.0, name: str | None = None):
        super().__init__(weight, name)
        if of not in OF:
            raise ValueError(f"Unknown of={of!r} of weight_decay.{suggest(of, OF)}")
        self.of = of

    def check(self, model: zoo.Autoencoder) -> None:
        """There are kernels."""
        if self.of == "decoder" and not _kernels(model.decoder.trainable_variables):
            raise ValueError(
                "weight_decay of the decoder needs a decoder with kernels of its own; that of this model has "
                "none. Leave of='decoder' out, or take other networks than 'tied'."
            )

    def penalty(self, forward: zoo.ForwardPass, training: bool = False) -> tf.Tensor:
        """A scalar."""
        kernels = forward.kernels
        if self.of == "decoder":
            kernels = _kernels(self.model.decoder.trainable_variables)
        return tf.add_n([tf.reduce_sum(tf.square(tf.cast(k, tf.float32))) for k in kernels])

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "of": self.of}


def _kernels(variables: Any) -> list[Any]:
    """As `forward.kernels` has them: of two axes and more, and no bias, as that of a GRU is."""
    return [v for v in variables if len(v.shape) > 1 and not v.name.endswith("bias")]
