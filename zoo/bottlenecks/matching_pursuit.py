"""Codes that are found atom by atom, each the one that explains most of what is left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tensorflow as tf

from zoo.bottlenecks.base import Bottleneck, Code
from zoo.bottlenecks.top_k import units_kept
from zoo.networks.dictionary import Dictionary
from zoo.noise import Noise
from zoo.registry import register

if TYPE_CHECKING:
    from zoo.autoencoder import Autoencoder


@register("matching_pursuit", kind="bottleneck")
class MatchingPursuit(Bottleneck):
    """Greedy steps: from r = h, k times j = argmax d_j . r, z_j = relu(d_j . r), r -= z_j d_j.

    An atom is taken at most once.

    Mallat & Zhang, "Matching Pursuits with Time-Frequency Dictionaries", 1993, section III; as an encoder
    Costa et al., "From Flat to Hierarchical: Extracting Sparse Representations with Matching Pursuit", 2025.
    The atoms are those of the decoder; which of them are taken passes no gradient, their values do.

    Args:
        units: dimensions of the code.
        k: atoms that a row takes; fewer where none points towards what is left.
        **kwargs: as in `Bottleneck`.

    Example:
        >>> model = zoo.create("matching_pursuit_sae", (6,), latents=12, target_l0=3)
        >>> code = model.encode(np.random.default_rng(0).random((20, 6), np.float32))
        >>> int(np.count_nonzero(code, axis=1).max())
        3
    """

    sees_model = True
    jit_friendly = False

    def __init__(self, units: int, k: int = 32, **kwargs: Any):
        super().__init__(units, **kwargs)
        self.k = units_kept(k, units)

    def check(self, model: Autoencoder) -> None:
        """The decoder's atoms must be those of the input, of norm 1; frozen codes need frozen atoms."""
        decoder = model.decoder
        if not (isinstance(decoder, Dictionary) and decoder.shared and decoder.unit_norm):
            raise ValueError(
                "The bottleneck 'matching_pursuit' needs a decoder zoo.networks.Dictionary(input_shape) with "
                f"unit_norm and shared; received {type(decoder).__name__}."
            )
        if decoder.trainable and not self.trainable:
            raise ValueError(
                "The codes of the bottleneck 'matching_pursuit' are found by the decoder's atoms, so that a "
                "frozen encoder alone does not keep them: set model.decoder.trainable = False too."
            )

    def encode(self, features: tf.Tensor) -> tf.Tensor:
        """The code, (batch, units) float32."""
        return self._pursue(features)[0]

    def draw(self, features: tf.Tensor, noise: Noise, step: tf.Tensor, training: bool) -> Code:
        """See `Bottleneck.draw`; the raw code is d_j . h."""
        del noise, step, training
        code, raw = self._pursue(features)
        return Code(code, raw=raw)

    def _pursue(self, features: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        features = tf.cast(features, tf.float32)
        decoder: Any = self.model.decoder
        atoms = tf.reshape(decoder.atoms, (self.units, features.shape[-1]))
        raw = tf.matmul(features, atoms, transpose_b=True)
        taken = self._taken(tf.stop_gradient(raw), tf.stop_gradient(atoms))
        rest, sizes = features, []
        for index in taken:
            atom = tf.gather(atoms, index)
            size = tf.nn.relu(tf.reduce_sum(rest * atom, axis=-1))
            rest = rest - size[:, None] * atom
            sizes.append(size)
        rows = tf.shape(features)[0]
        row = tf.repeat(tf.range(rows)[:, None], self.k, axis=1)
        places = tf.stack([row, tf.stack(taken, axis=1)], axis=-1)
        return tf.scatter_nd(places, tf.stack(sizes, axis=1), (rows, self.units)), raw

    def _taken(self, products: tf.Tensor, atoms: tf.Tensor) -> list[tf.Tensor]:
        """The atom that each row takes at each step, k times (batch,): by products with the Gram matrix."""
        gram = tf.matmul(atoms, atoms, transpose_b=True)
        free = tf.zeros_like(products)
        found = []
        for _ in range(self.k):
            index = tf.argmax(products + free, axis=-1, output_type=tf.int32)
            size = tf.nn.relu(tf.gather(products, index, axis=1, batch_dims=1))
            products = products - size[:, None] * tf.gather(gram, index)
            free = free + tf.one_hot(index, self.units, on_value=-1e30, off_value=0.0)
            found.append(index)
        return found

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "k": self.k}
