"""A prior over the indices of a quantized code: each given those before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from zoo.distributions.fitted import FittedPrior, maximise
from zoo.noise import Noise
from zoo.registry import register
from zoo.serialization import positive_int

if TYPE_CHECKING:
    from zoo.autoencoder import Autoencoder

_MOST = 1 << 16  # entries that logits are computed for


@register("autoregressive", kind="prior")
class AutoregressivePrior(FittedPrior):
    """p(k) = prod_t p(k_t | k_1 .. k_(t-1)) over the indices of a code, by a small causal transformer.

    van den Oord et al., "Neural Discrete Representation Learning", 2017, section 3.3, with attention (Vaswani
    et al., 2017, section 3, normalised before each part) in the place of a PixelCNN: it takes grids, vectors
    and levels alike. Places are taken row by row, the levels of a place after each other.

    Args:
        width: units of a layer, a multiple of `heads`.
        layers: blocks of attention and a fully connected layer.
        heads: of the attention.
        steps: of the training by `fit`, whose weights are those under which held-out codes are most likely.
        vocabulary: entries that an index names, which `fit` finds.
        length: indices of a code, likewise.
        **kwargs: as in `FittedPrior`.

    Example:
        >>> model = zoo.create("fsq_vae", (6,), sizes=(3, 3), places=2, hidden=(8,))
        >>> x = np.random.default_rng(0).random((100, 6), np.float32)
        >>> fitted = model.fit_prior("autoregressive", x, width=8, layers=1, heads=2, steps=10)
        >>> fitted.generate(3, seed=0).shape
        (3, 6)
    """

    fixed = ("width", "layers", "heads", "steps", "vocabulary", "length")
    of_indices = True
    sees_model = True

    def __init__(
        self,
        width: int = 64,
        layers: int = 2,
        heads: int = 4,
        steps: int = 2000,
        vocabulary: int | None = None,
        length: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.width = positive_int(width, "width")
        self.layers = positive_int(layers, "layers")
        self.heads = positive_int(heads, "heads")
        self.steps = positive_int(steps, "steps")
        if self.width % self.heads:
            raise ValueError(f"width must be a multiple of heads={heads}; received {width}.")
        self.vocabulary = vocabulary
        self.length = length

    @property
    def has_density(self) -> bool:
        """False: a code is one of finitely many and has a probability, not a density."""
        return False

    def check(self, model: Autoencoder) -> None:
        """The model's codes must have indices, as quantized ones have."""
        found = model.bottleneck.vocabulary
        if found != self.vocabulary:
            raise ValueError(
                f"This prior was fitted to indices of {self.vocabulary} entries; the model's bottleneck has "
                f"{found or 'none'}. Fit one to it with fit_prior."
            )

    def build(self, input_shape: Any = None) -> None:
        """Create the transformer."""
        self.refuse_unfitted(self.vocabulary)
        length: Any = self.length
        shape = (self.vocabulary, self.width)
        self.embedding = self.add_weight(name="embedding", shape=shape, initializer="normal")
        self.start = self.add_weight(name="start", shape=(self.width,), initializer="normal")
        shape = (length, self.width)
        self.places = self.add_weight(name="places", shape=shape, initializer="normal")
        self.blocks = [_Block(self.width, self.heads) for _ in range(self.layers)]
        for block in self.blocks:
            block.build((None, length, self.width))
        self.last = keras.layers.LayerNormalization(dtype="float32")
        self.last.build((None, length, self.width))
        self.logits = keras.layers.Dense(self.vocabulary, dtype="float32")
        self.logits.build((None, length, self.width))
        super().build(input_shape)

    def log_likelihood(self, index: tf.Tensor) -> tf.Tensor:
        """Log p(k) of (rows, length) int32 indices, (rows,) nats."""
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(index, self._predicted(index))
        return -tf.reduce_sum(losses, axis=1)

    def sample(self, noise: Noise, batch: Any, *code_shape: int) -> tf.Tensor:
        """Draws, one index after the other, (batch, *code) float32."""
        length: Any = self.length
        uniform = noise.uniform(batch, length)

        def drawn(place: tf.Tensor, index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            chances = tf.nn.softmax(self._predicted(index)[:, place])
            below = tf.cumsum(chances, axis=1) < uniform[:, place, None]
            chosen = tf.reduce_sum(tf.cast(below, tf.int32), axis=1)
            chosen = tf.minimum(chosen, int(self.vocabulary or 1) - 1)
            here = tf.range(length) == place
            return place + 1, tf.where(here, chosen[:, None], index)

        index = tf.zeros((batch, length), tf.int32)
        _, index = tf.while_loop(lambda place, _: place < length, drawn, [0, index])
        levels = self.model.bottleneck.levels
        code = self.model.bottleneck.look_up(tf.reshape(index, (-1, *code_shape[:-1], levels)))
        return tf.reshape(code, (-1, *code_shape))

    def fit(self, codes: np.ndarray, seed: int = 0) -> None:
        """Train the transformer on the indices of codes.

        Args:
            codes: (rows, *code), or the indices themselves, (rows, ..., levels) int32: of codes of several
                levels they are not found again, since other entries may have nearly the same sum.
            seed: of the batches, and of the codes that are held out.

        Raises:
            ValueError: for codes that are not quantized.
        """
        bottleneck = self.model.bottleneck
        if bottleneck.vocabulary is None or bottleneck.vocabulary > _MOST:
            received = bottleneck.vocabulary or type(bottleneck).__name__
            raise ValueError(
                f"The prior 'autoregressive' needs a quantized code of at most {_MOST} entries, as that of "
                f"'vq_vae'; received {received}."
            )
        index = codes if codes.dtype.kind == "i" else bottleneck.indices(tf.constant(codes)).numpy()
        index = index.reshape(len(codes), -1)
        self.found(vocabulary=bottleneck.vocabulary, length=index.shape[1])
        if not self.built:
            self.build((None, *codes.shape[1:]))
        report = maximise(
            self.log_likelihood,
            self.trainable_variables,
            index,
            steps=self.steps,
            seed=seed,
            batch_size=64,
        )
        self.found(report=report)

    def _predicted(self, index: tf.Tensor) -> tf.Tensor:
        """Logits of every index given those before it, (rows, length, vocabulary)."""
        before = tf.gather(self.embedding.value, index[:, :-1])
        start = tf.broadcast_to(self.start.value, (tf.shape(index)[0], 1, self.width))
        hidden = tf.concat([start, before], axis=1) + self.places.value
        for block in self.blocks:
            hidden = block(hidden)
        return self.logits(self.last(hidden))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "width": self.width,
            "layers": self.layers,
            "heads": self.heads,
            "steps": self.steps,
            "vocabulary": self.vocabulary,
            "length": self.length,
        }


class _Block(keras.layers.Layer):
    """h + attention(h), then h + two fully connected layers, each of the normalised h."""

    def __init__(self, width: int, heads: int):
        super().__init__(name="block", dtype="float32")
        norm, dense = keras.layers.LayerNormalization, keras.layers.Dense
        attention: Any = keras.layers.MultiHeadAttention
        self.attention = attention(heads, width // heads, dtype="float32")
        self.before = [norm(dtype="float32"), norm(dtype="float32")]
        self.inner = dense(4 * width, activation="gelu", dtype="float32")
        self.outer = dense(width, dtype="float32")

    def build(self, input_shape: Any) -> None:
        for layer in (*self.before, self.inner):
            layer.build(input_shape)
        self.outer.build((*input_shape[:-1], 4 * input_shape[-1]))
        self.attention.build(input_shape, input_shape)
        self.built = True

    def call(self, hidden: tf.Tensor) -> tf.Tensor:
        first, second = self.before
        normed = first(hidden)
        hidden += self.attention(normed, normed, use_causal_mask=True)
        return hidden + self.outer(self.inner(second(hidden)))
