"""Units with a gate that decides whether they are on, and a magnitude that says how much."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from zoo.bottlenecks.base import Code, DenseBottleneck
from zoo.noise import Noise
from zoo.registry import register


@register("gated", kind="bottleneck")
class GatedCode(DenseBottleneck):
    """z = 1[pi > 0] relu(exp(r) W^T h + b_mag) with the gates pi = W^T h + b.

    Rajamanoharan et al., "Improving Dictionary Learning with Gated Sparse Autoencoders", 2024, equations 6
    and 7. No gradient passes the gates: the regularizer "gate" trains them.

    Its options are those of `DenseBottleneck`.

    Example:
        >>> bottleneck = zoo.bottlenecks.GatedCode(8)
        >>> bottleneck.build((None, 4))
        >>> x = np.random.default_rng(0).normal(size=(50, 4)).astype("float32")
        >>> np.allclose(bottleneck.encode(x), np.maximum(bottleneck.numbers(x), 0))  # at first
        True
    """

    def build(self, features_shape: Any) -> None:
        """Create the dense layer, r and b_mag."""
        super().build(features_shape)
        own: dict[str, Any] = {"shape": (self.units,), "dtype": "float32", "autocast": False}
        self.log_gain = self.add_weight(name="log_gain", initializer="zeros", **own)
        self.bias = self.add_weight(name="bias", initializer="zeros", **own)

    def encode(self, features: tf.Tensor) -> tf.Tensor:
        """The code, (batch, units) float32."""
        return self._code(self.numbers(features))

    def draw(self, features: tf.Tensor, noise: Noise, step: tf.Tensor, training: bool) -> Code:
        """See `Bottleneck.draw`; the raw code is pi."""
        del noise, step, training
        raw = self.numbers(features)
        return Code(self._code(raw), raw=raw)

    def _code(self, raw: tf.Tensor) -> tf.Tensor:
        linear = raw - tf.cast(self.dense.bias, tf.float32) if self.dense.use_bias else raw
        size = tf.nn.relu(tf.exp(tf.convert_to_tensor(self.log_gain)) * linear + self.bias)
        return tf.where(raw > 0, size, 0.0)
