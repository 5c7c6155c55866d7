"""The k-sparse code: all but the k largest units set to zero."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from zoo.bottlenecks.base import Code, DenseBottleneck
from zoo.noise import Noise
from zoo.registry import one_of, register
from zoo.selection import keep_largest
from zoo.serialization import at_step, number, positive_int, scalar, scalar_config


@register("top_k", kind="bottleneck")
class TopK(DenseBottleneck):
    """z = W^T x + b with all but the k largest units set to 0.

    Makhzani & Frey, "k-Sparse Autoencoders", section 2.1. Codes are encoded with alpha * k units kept,
    which the paper finds better than k for classification. Units that tie with the k-th are kept too. With
    activation="relu" a unit is on only where it is above 0 (Gao et al., "Scaling and evaluating sparse
    autoencoders", 2024, section 2.3).

    Args:
        units: dimensions of the code.
        k: units kept in training, from 1 to `units`; or a Keras schedule of the training step, such as
            `zoo.recipes.LinearSchedule`, for the paper's falling sparsity.
        alpha: units kept at encoding are round(alpha * k), at least 1 and at most `units`.
        select: what is compared: "value", or "magnitude" for a code of both signs.
        **kwargs: as in `DenseBottleneck`.

    Example:
        >>> bottleneck = zoo.bottlenecks.TopK(8, k=2)
        >>> bottleneck.build((None, 4))
        >>> int(np.count_nonzero(bottleneck.encode(np.ones((1, 4), "float32"))))
        2
    """

    # Selection costs as much with XLA as without; products of this size cost more.
    jit_friendly = False
    row_wise = True

    def __init__(
        self, units: int, k: Any = 25, alpha: float = 1.0, select: str = "value", **kwargs: Any
    ):
        super().__init__(units, **kwargs)
        self.select = one_of(select, "select", ("value", "magnitude"))
        self.k = scalar(k, "k", minimum=1)
        self.alpha = number(alpha, "alpha", minimum=1)
        if isinstance(self.k, float):
            self.k = units_kept(int(self.k) if self.k.is_integer() else self.k, units)

    def build(self, features_shape: Any) -> None:
        """Create the weights, and the k that is in force, which a saved model keeps."""
        super().build(features_shape)
        if not isinstance(self.k, int):
            # Encoding after training uses the k that training ended with.
            self.last_k = self.add_weight(
                name="last_k", shape=(), dtype="int32", initializer="ones", trainable=False
            )

    def checked_option(self, name: str, value: Any) -> Any:
        """As `Part.checked_option`; a schedule has a weight, which a number has not."""
        value = super().checked_option(name, value)
        if name == "k" and isinstance(value, int) != isinstance(self.k, int):
            raise ValueError(
                "k of top_k is a number or a schedule from the start; received the other later. Create a new "
                "model with it."
            )
        return value

    def encode(self, features: tf.Tensor) -> tf.Tensor:
        """The code with round(alpha * k) units kept, (batch, units) float32."""
        return self._keep_largest(self.numbers(features), self._encoding_k())

    def draw(self, features: tf.Tensor, noise: Noise, step: tf.Tensor, training: bool) -> Code:
        """See `Bottleneck.draw`."""
        del noise
        raw = self.numbers_of_few(features, self.k) if training else self.numbers(features)
        if not training:
            return Code(self._keep_largest(raw, self._encoding_k()), raw=raw)
        k = at_step(self.k, step)
        if not isinstance(self.k, int):
            self.last_k.assign(tf.cast(tf.round(k), tf.int32))
        return Code(self._keep_largest(raw, k), raw=raw)

    def _encoding_k(self) -> Any:
        if isinstance(self.k, int):
            return self.k * self.alpha
        return tf.cast(self.last_k.value, tf.float32) * self.alpha

    def _keep_largest(self, code: tf.Tensor, k: Any) -> tf.Tensor:
        if isinstance(k, int | float):
            count = min(max(round(k), 1), self.units)
        else:
            count = tf.clip_by_value(tf.cast(tf.round(k), tf.int32), 1, self.units)
        size = tf.abs(code) if self.select == "magnitude" else code
        return keep_largest(code, count, by=size)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "k": scalar_config(self.k),
            "alpha": self.alpha,
            "select": self.select,
        }


def units_kept(k: Any, units: int) -> int:
    """How many units of a code are kept, as a whole number from 1 to `units`.

    Raises:
        ValueError: for another one.

    Example:
        >>> from zoo.bottlenecks.top_k import units_kept
        >>> units_kept(3, 12)
        3
    """
    k = positive_int(k, "k")
    if k > units:
        raise ValueError(f"k must be at most the number of units, {units}; received k={k}.")
    return k
