"""A sparse dictionary with learned thresholds and an auxiliary loss for dead units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

import zoo

WIDTH = 0.1


@tf.custom_gradient
def _step(values: tf.Tensor, thresholds: tf.Tensor) -> tuple[tf.Tensor, Any]:
    """1 above the threshold, with the rectangle kernel's estimate of the threshold's gradient."""

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        near = tf.cast(tf.abs(values - thresholds) < WIDTH / 2, tf.float32)
        return tf.zeros_like(values), tf.reduce_sum(-near / WIDTH * upstream, axis=0)

    return tf.cast(values > thresholds, tf.float32), gradient


@zoo.register("jump_relu", kind="bottleneck")
class JumpReLU(zoo.bottlenecks.DenseBottleneck):
    """z = v H(v - theta) with v = W x + b and a learned theta for every unit.

    Rajamanoharan et al., "Jumping Ahead", 2024, equations 3 and 9, and an auxiliary term that pulls the
    thresholds of units that are off in the whole batch down: mean_j [sum_i H_ij = 0] theta_j.

    Args:
        units: atoms of the dictionary.
        sparsity: weight of L0, the active units of an example.
        **kwargs: as in `zoo.bottlenecks.DenseBottleneck`.
    """

    def __init__(self, units: int, sparsity: Any = 0.01, **kwargs: Any):
        super().__init__(units, **kwargs)
        self.sparsity = zoo.scalar(sparsity, "sparsity", minimum=0)

    def build(self, features_shape: Sequence[int | None]) -> None:
        """Create the dense layer and the thresholds."""
        self.thresholds = self.add_weight(
            name="thresholds", shape=(self.units,), initializer=keras.initializers.Constant(0.05)
        )
        super().build(features_shape)

    def encode(self, features: tf.Tensor) -> tf.Tensor:
        """The code, (batch, units) float32."""
        values = self.numbers(features)
        return values * _step(values, tf.convert_to_tensor(self.thresholds))

    def draw(self, features: Any, noise: zoo.Noise, step: Any, training: bool) -> zoo.Code:
        """See `zoo.bottlenecks.Bottleneck.draw`; the gates are noted."""
        del noise, training
        values, thresholds = self.numbers(features), tf.convert_to_tensor(self.thresholds)
        gates = _step(values, thresholds)
        used = tf.reduce_max(zoo.gather(gates), axis=0)
        return zoo.Code(
            values * gates,
            raw=values,
            notes={"gates": gates, "thresholds": thresholds},
            losses={
                "sparsity": zoo.at_step(self.sparsity, step) * tf.reduce_sum(gates, axis=-1),
                "dead": tf.reduce_mean((1 - tf.stop_gradient(used)) * thresholds),
            },
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "sparsity": zoo.scalar_config(self.sparsity)}


@zoo.register("jump_relu_dictionary", kind="model")
def jump_relu_dictionary(
    input_shape: Sequence[int], latents: int = 32, sparsity: Any = 0.01, seed: int = 0
) -> zoo.Autoencoder:
    """A JumpReLU sparse autoencoder of vectors (Rajamanoharan et al. 2024).

    Minimises

        ||x - D z||^2 + sparsity ||z||_0 + dead units' thresholds

    Args:
        input_shape: (d,).
        latents: atoms.
        sparsity: weight of L0, a number or a Keras schedule.
        seed: of the order of the data.
    """
    return zoo.Autoencoder(
        input_shape,
        encoder=keras.layers.Identity(),
        bottleneck={"name": "jump_relu", "units": latents, "sparsity": sparsity},
        decoder=keras.layers.Dense(input_shape[0]),
        likelihood="squared_error",
        seed=seed,
    )
