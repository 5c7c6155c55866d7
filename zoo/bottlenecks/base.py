"""What every bottleneck is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from zoo.noise import Noise
from zoo.serialization import positive_int


class Bottleneck(keras.layers.Layer):
    """Turns features, (batch, features), into a code, (batch, units).

    One dense layer computes all that the code needs, so that a Gaussian posterior's two heads are one
    matrix product.

    Args:
        units: dimensions of the code.
        activation: of the dense layer.
        use_bias: whether the dense layer has a bias.
        kernel_initializer: of the dense layer.
    """

    outputs_per_unit = 1
    samples = 1
    heavy_tailed = False
    jit_friendly = True

    def __init__(
        self,
        units: int,
        activation: str | None = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.units = positive_int(units, "latents")
        self.dense = keras.layers.Dense(
            self.units * self.outputs_per_unit,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            dtype=self.dtype_policy,
        )
        self.dense.trainable = self.trainable

    def build(self, features_shape: Sequence[int | None]) -> None:
        """Create the dense layer's weights."""
        self.dense.build((None, features_shape[-1]))
        self.built = True

    def encode(self, features: tf.Tensor) -> tf.Tensor:
        """The code without noise, (batch, units) float32: what `Autoencoder.encode` returns."""
        return tf.cast(self.dense(features), tf.float32)

    def posterior(self, features: tf.Tensor) -> tfd.Distribution | None:
        """q(z|x), batch shape (batch,), event shape (units,); None where the code is no random variable."""
        del features
        return None

    def draw(self, features: tf.Tensor, noise: Noise, step: tf.Tensor, training: bool) -> Draw:
        """The code to decode, with noise where the bottleneck has any.

        Args:
            features: (batch, features).
            noise: a stream for this bottleneck.
            step: training steps taken, scalar int64.
            training: whether this is a training step.

        Returns:
            The code, (batch * samples, units) float32, and the posterior it was drawn from.
        """
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "units": self.units,
            "activation": keras.activations.serialize(self.dense.activation),
            "use_bias": self.dense.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.dense.kernel_initializer),
        }


class Draw(NamedTuple):
    """A code and the posterior it was drawn from, None where there is none."""

    code: tf.Tensor
    posterior: tfd.Distribution | None
