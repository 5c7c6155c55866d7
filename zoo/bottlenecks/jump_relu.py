"""Units that are off up to a threshold of their own, which is learned."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from zoo.bottlenecks.base import Code, DenseBottleneck
from zoo.noise import Noise
from zoo.registry import one_of, register
from zoo.serialization import number

KERNELS = {
    "rectangle": lambda u: tf.cast(tf.abs(u) < 0.5, tf.float32),
    "triangle": lambda u: tf.maximum(1.0 - tf.abs(u), 0.0),
    "epanechnikov": lambda u: 0.75 * tf.maximum(1.0 - tf.square(u), 0.0),
}


def heaviside(
    values: tf.Tensor, thresholds: Any, bandwidth: float, kernel: str = "rectangle"
) -> Any:
    """H(v - theta) whose gradient in theta is -1/eps K((v - theta)/eps), and 0 in v.

    The mean of that gradient over values with a smooth density p is the derivative of the mean of H,
    -p(theta), up to the kernel's blur (Rajamanoharan et al. 2024, equations 9 and 12).

    Args:
        values: (batch, units).
        thresholds: theta, (units,).
        bandwidth: eps.
        kernel: K, a key of `KERNELS`, each with the integral 1.

    Returns:
        (batch, units) of 0 and 1.

    Example:
        >>> import tensorflow as tf
        >>> from zoo.bottlenecks.jump_relu import heaviside
        >>> theta = tf.constant([1.0])
        >>> with tf.GradientTape() as tape:
        ...     tape.watch(theta)
        ...     gates = heaviside(tf.constant([[0.9], [1.1], [3.0]]), theta, bandwidth=0.5)
        >>> gates[:, 0].numpy().tolist(), tape.gradient(gates, theta).numpy().tolist()
        ([0.0, 1.0, 1.0], [-4.0])
    """
    density = KERNELS[kernel]

    @tf.custom_gradient
    def of(v: tf.Tensor, theta: tf.Tensor) -> tuple[tf.Tensor, Any]:
        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            near = density((v - theta) / bandwidth) / bandwidth
            return tf.zeros_like(v), tf.reduce_sum(-near * upstream, axis=0)

        return tf.cast(v > theta, tf.float32), gradient

    return of(values, thresholds)


@register("jump_relu", kind="bottleneck")
class JumpReLU(DenseBottleneck):
    """z = v H(v - theta) with v = W^T h + b, and theta_j >= 0 learned for each unit.

    Rajamanoharan et al., "Jumping Ahead: Improving Reconstruction Fidelity with JumpReLU Sparse
    Autoencoders", 2024, equations 3 and 11. The gradient in theta is v times that of the gate,

        d z / d theta = -(v / eps) K((v - theta) / eps)

    where equation 11 has theta / eps: both are -theta p(theta) in the mean, for v of a smooth density p and a
    small eps. Its gates are noted, for the penalty "l0". Code and gates in training are those of inference.

    Args:
        units: dimensions of the code.
        threshold: of all units at the start, at least 0.
        bandwidth: eps, above 0, in units of v.
        surrogate: K: "rectangle" (the paper's), "triangle" or "epanechnikov".
        **kwargs: as in `DenseBottleneck`.

    Example:
        >>> bottleneck = zoo.bottlenecks.JumpReLU(8, threshold=1.0)
        >>> bottleneck.build((None, 4))
        >>> code = bottleneck.encode(np.random.default_rng(0).normal(size=(50, 4)))
        >>> bool(np.all((code == 0) | (code > 1)))
        True
    """

    has_gates = True
    fixed = ("threshold",)

    def __init__(
        self,
        units: int,
        threshold: float = 0.1,
        bandwidth: float = 0.1,
        surrogate: str = "rectangle",
        **kwargs: Any,
    ):
        super().__init__(units, **kwargs)
        self.threshold = number(threshold, "threshold", minimum=0)
        self.bandwidth = number(bandwidth, "bandwidth", minimum=0)
        if self.bandwidth == 0:
            raise ValueError("bandwidth must be above 0; received 0.")
        self.surrogate = one_of(surrogate, "surrogate", KERNELS)

    def build(self, features_shape: Any) -> None:
        """Create the dense layer and the thresholds."""
        super().build(features_shape)
        begin: Any = keras.initializers.Constant(self.threshold)
        self.thresholds = self.add_weight(
            name="thresholds",
            shape=(self.units,),
            initializer=begin,
            constraint="non_neg",
            dtype="float32",
            autocast=False,
        )

    def begin_at(self, threshold: float) -> None:
        """Choose where the thresholds of all units begin, at least 0."""
        self.thresholds.assign(tf.fill((self.units,), max(threshold, 0.0)))

    def encode(self, features: tf.Tensor) -> tf.Tensor:
        """The code, (batch, units) float32."""
        raw = self.numbers(features)
        return tf.where(raw > tf.convert_to_tensor(self.thresholds), raw, 0.0)

    def draw(self, features: tf.Tensor, noise: Noise, step: tf.Tensor, training: bool) -> Code:
        """See `Bottleneck.draw`; the gates and thresholds are noted."""
        del noise, training
        raw, thresholds = self.numbers(features), tf.convert_to_tensor(self.thresholds)
        gates = heaviside(raw, thresholds, self.bandwidth, self.surrogate)
        return Code(raw * gates, raw=raw, notes={"gates": gates, "thresholds": thresholds})

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "threshold": self.threshold,
            "bandwidth": self.bandwidth,
            "surrogate": self.surrogate,
        }
