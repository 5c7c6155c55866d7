"""The L_P norm of the code."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

import zoo
from zoo import at_step, scalar, scalar_config

FORMS = ("power", "norm", "difference", "direction")
EPSILON = 1e-5
TINY = 1e-12  # the gradient of a root at 0


@zoo.register("lp_norm")
class LpNorm(zoo.Regularizer):
    """The L_P norm of the code, for sparse codes with 0 < p < 1.

    With s = sum_i z_i^2 (z_i^2 + 1e-5)^(p/2 - 1), which is sum_i |z_i|^p made smooth at zero, the penalty is

        s                       form "power", the text's (Callahan, "The L_P Autoencoder", section II)
        s^(1/p)                 form "norm", its p-th root
        s^(1/p) - ||z||_2       form "difference", the author's code: zero for one-sparse codes only
        s of z / ||z||_2        form "direction": 1 for one-sparse codes, n^(1 - p/2) for n equal units

    "power" and "norm" are also lowered by a smaller code, which the decoder makes good: with few latents that
    is what they do (docs/results/lp_autoencoder.md, LP-DIR). "direction" does not see how long a code is.
    What lowers it with two latents is one unit that is far larger than the other on all examples.

    Args:
        p: power, above 0; a number or a Keras schedule of the training step.
        form: see above.
        weight: alpha, a number or a schedule.
        name: name of the metric.

    Example:
        >>> model = zoo.create(
        ...     "autoencoder", (6,), latents=2, hidden=(4,), regularizers=[{"name": "lp_norm", "p": 1.0}]
        ... )
        >>> model.compile()
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> penalty = model.evaluate(x, return_dict=True, verbose=0)["lp_norm"]
        >>> np.allclose(penalty, np.abs(model.encode(x)).sum(axis=1).mean(), atol=1e-2)
        True
    """

    def __init__(
        self, p: Any = 0.5, *, form: str = "power", weight: Any = 0.01, name: str | None = None
    ):
        super().__init__(weight, name)
        if form not in FORMS:
            raise ValueError(
                f"form of lp_norm must be one of {', '.join(FORMS)}; received {form!r}."
            )
        self.p = scalar(p, "p of lp_norm")
        if isinstance(self.p, float) and self.p <= 0:
            raise ValueError(f"p of lp_norm must be above 0; received {p!r}.")
        self.form = form

    def penalty(self, forward: zoo.ForwardPass, training: bool = False) -> tf.Tensor:
        """(batch,)."""
        p = tf.maximum(at_step(self.p, forward.step), 1e-3)
        squares = tf.square(forward.vectors)
        length = tf.reduce_sum(squares, axis=-1, keepdims=True) + TINY
        if self.form == "direction":
            squares = squares / length
        # Units that are off count for nothing, and the gradient is finite everywhere.
        power = tf.reduce_sum(squares * tf.pow(squares + EPSILON, p / 2 - 1), axis=-1)
        if self.form in ("power", "direction"):
            return power
        norm = tf.pow(power + TINY, 1 / p)
        if self.form == "norm":
            return norm
        return norm - tf.sqrt(length[:, 0])

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "p": scalar_config(self.p), "form": self.form}
