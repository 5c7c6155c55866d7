"""Codes from a book that gradients train, on a grid, and the model that has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

import zoo


@zoo.register("codebook", kind="bottleneck")
class Codebook(zoo.bottlenecks.Bottleneck):
    """z_q = e_k with k = argmin_j ||z - e_j||, at every place of the features.

    van den Oord et al., "Neural Discrete Representation Learning", 2017, equation 3: adds

        ||sg(z) - e_k||^2 + beta ||z - sg(e_k)||^2

    summed over the code, to the loss; the gradient passes from z_q to z as it is.

    Args:
        units: dimensions of a code vector, as many as the features have channels.
        codes: entries of the codebook.
        beta: weight of the commitment.
        **kwargs: as in `zoo.bottlenecks.Bottleneck`.
    """

    def __init__(self, units: int, codes: int = 64, beta: float = 0.25, **kwargs: Any):
        super().__init__(units, **{"grid": True, **kwargs})
        self.codes = zoo.positive_int(codes, "codes")
        self.beta = zoo.scalar(beta, "beta", minimum=0)

    def build(self, features_shape: Sequence[int | None]) -> None:
        """Create the codebook."""
        self.codebook = self.add_weight(
            name="codebook", shape=(self.codes, self.units), initializer="random_normal"
        )
        super().build(features_shape)

    def encode(self, features: tf.Tensor) -> tf.Tensor:
        """The nearest entries, (batch, *code) float32."""
        return self._nearest(tf.cast(features, tf.float32))[0]

    def draw(self, features: Any, noise: zoo.Noise, step: Any, training: bool) -> zoo.Code:
        """See `zoo.bottlenecks.Bottleneck.draw`; the indices are noted."""
        del noise, step, training
        raw = tf.cast(features, tf.float32)
        chosen, index = self._nearest(raw)
        axes = list(range(1, len(raw.shape)))
        codebook = tf.reduce_sum(tf.square(tf.stop_gradient(raw) - chosen), axes)
        commitment = self.beta * tf.reduce_sum(tf.square(raw - tf.stop_gradient(chosen)), axes)
        return zoo.Code(
            raw + tf.stop_gradient(chosen - raw),
            raw=raw,
            notes={"index": index},
            losses={"codebook": codebook, "commitment": commitment},
        )

    def _nearest(self, raw: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        book = tf.convert_to_tensor(self.codebook)
        distance = tf.reduce_sum(tf.square(book), axis=1) - 2 * tf.tensordot(raw, book, [[-1], [1]])
        index = tf.argmin(distance, axis=-1)
        return tf.gather(book, index), index

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "codes": self.codes, "beta": self.beta}


@zoo.register("codebook_vae", kind="model")
def codebook_vae(
    input_shape: Sequence[int], latents: int = 8, codes: int = 64, filters: int = 16, seed: int = 0
) -> zoo.Autoencoder:
    """VQ-VAE with a codebook loss (van den Oord et al. 2017, equation 3), on a grid a quarter as wide.

    Minimises

        -log p(x|z_q) + ||sg(z) - e||^2 + beta ||z - sg(e)||^2

    Args:
        input_shape: shape of one example, (h, w, channels) with sides that 4 divides.
        latents: dimensions of a code vector.
        codes: entries of the codebook.
        filters: of the convolutions.
        seed: of the order of the data.
    """
    conv, up = keras.layers.Conv2D, keras.layers.Conv2DTranspose
    return zoo.Autoencoder(
        input_shape,
        encoder=keras.Sequential(
            [conv(filters, 4, 2, "same", activation="relu"), conv(latents, 4, 2, "same")]
        ),
        bottleneck={"name": "codebook", "units": latents, "codes": codes},
        decoder=keras.Sequential(
            [up(filters, 4, 2, "same", activation="relu"), up(input_shape[-1], 4, 2, "same")]
        ),
        seed=seed,
    )
