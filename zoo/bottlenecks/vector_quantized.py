"""Vectors from a learned codebook, on one level or several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from zoo.bottlenecks.base import Code
from zoo.bottlenecks.quantized import Quantized, counts, squares
from zoo.noise import Noise
from zoo.registry import register
from zoo.serialization import at_step, positive_int, scalar, scalar_config
from zoo.trainer.replicas import gather

_ROUNDS = 10  # of k-means
_USED = 1e-3  # an entry with fewer vectors than this keeps its place


@register("vector_quantized", kind="bottleneck")
class VectorQuantized(Quantized):
    """z_q = e_k with k = argmin_j ||z - e_j||.

    van den Oord et al., "Neural Discrete Representation Learning", 2017, equation 3, with entries that are
    moving averages of the vectors that chose them (appendix A.1), in the place of the codebook loss:

        N_k <- d N_k + (1 - d) n_k,  m_k <- d m_k + (1 - d) sum z,  e_k = m_k / N_k

    and the commitment beta ||z - sg(e_k)||^2, summed over the code as log p(x|z) is over the event. With
    several levels each quantises what the levels before have left (Zeghidour et al., "SoundStream", 2021).

    The book begins as k-means of the first batch. An entry that is chosen less than `restart` times as often
    as the mean one becomes a vector of the batch and counts as the mean one does. (Averages that begin at 0,
    as pythae's, throw entries that the first batch does not choose far away, where nothing finds them.)

    Args:
        units: dimensions of a code vector.
        codes: entries of the book of each level.
        levels: how many books.
        beta: weight of the commitment, a number or a Keras schedule of the training step.
        decay: d, from 0 to 1.
        restart: share of the mean entry's vectors below which an entry is dead; 0 for no restart.
        **kwargs: as in `Quantized`.

    Example:
        >>> model = zoo.create("vq_vae", (6,), latents=2, places=3, codes=8, hidden=(8,))
        >>> model.compile("adam")
        >>> x = np.random.default_rng(0).random((128, 6), np.float32)
        >>> history = model.fit(x, epochs=2, verbose=0).history
        >>> sorted(history), model.encode(x).shape
        (['commitment', 'loss', 'perplexity', 'reconstruction', 'usage'], (128, 3, 2))
    """

    fixed = ("codes", "levels")
    # On a processor XLA takes ten times as long for a step: measured on a grid of 16 places and on 4 places.
    jit_friendly = False

    def __init__(
        self,
        units: int,
        codes: int = 512,
        levels: int = 1,
        beta: Any = 0.25,
        decay: float = 0.99,
        restart: float = 0.03,
        **kwargs: Any,
    ):
        super().__init__(units, **kwargs)
        self.codes = positive_int(codes, "codes")
        self.levels = positive_int(levels, "levels")
        self.beta = scalar(beta, "beta", minimum=0)
        self.decay: Any = scalar(decay, "decay", minimum=0)
        self.restart: Any = scalar(restart, "restart", minimum=0)
        for name in ("decay", "restart"):
            if not isinstance(getattr(self, name), float) or getattr(self, name) >= 1:
                raise ValueError(
                    f"{name} must be a number from 0 to below 1; received {getattr(self, name)!r}."
                )

    @property
    def vocabulary(self) -> int:
        """The entries of a book."""
        return self.codes

    def build(self, features_shape: Sequence[int | None]) -> None:
        """Create the books and their averages."""
        fixed: Any = {"trainable": False, "aggregation": "only_first_replica"}
        books = (self.levels, self.codes, self.units)
        self.books = self.add_weight(name="books", shape=books, initializer="normal", **fixed)
        self.shares = self.add_weight(name="shares", shape=books[:2], initializer="zeros", **fixed)
        self.begun = self.add_weight(name="begun", shape=(), initializer="zeros", **fixed)
        super().build(features_shape)

    def quantise(self, raw: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """See `Quantized.quantise`: level by level."""
        codes, index = _quantised(raw, tf.convert_to_tensor(self.books), self.levels)
        return codes[-1], index

    def look_up(self, index: tf.Tensor) -> tf.Tensor:
        """The sum of the entries that the levels' indices name."""
        books = tf.unstack(tf.convert_to_tensor(self.books))
        found = [tf.gather(book, tf.gather(index, i, axis=-1)) for i, book in enumerate(books)]
        return tf.add_n(found)

    def draw(self, features: tf.Tensor, noise: Noise, step: tf.Tensor, training: bool) -> Code:
        """See `Bottleneck.draw`; in training the averages move, unless the bottleneck is frozen."""
        raw = self.raw(features, training)
        books = tf.convert_to_tensor(self.books)
        if training and self.trainable:
            vectors = tf.reshape(gather(tf.stop_gradient(raw)), (-1, self.units))
            # The same numbers on every replica.
            random = Noise(noise.seed, noise.count, tag=noise.tag)
            books, shares = tf.cond(
                self.begun.value > 0,
                lambda: (books, tf.convert_to_tensor(self.shares)),
                lambda: self._first(vectors, random.fold("first")),
            )
            self._move(vectors, books, shares, random.fold("restart"))
        codes, index = _quantised(tf.stop_gradient(raw), books, self.levels)
        commitment = at_step(self.beta, step) * tf.add_n([squares(raw - code) for code in codes])
        return self.code_of(raw, codes[-1], index, {"commitment": commitment})

    def _first(self, vectors: tf.Tensor, random: Noise) -> tuple[tf.Tensor, tf.Tensor]:
        """Books by k-means of the vectors, level by level, and the share of each entry."""
        books, shares = [], []
        for level in range(self.levels):
            book, count = _k_means(vectors, self.codes, random.fold(level))
            books.append(book)
            shares.append(count / tf.cast(tf.shape(vectors)[0], tf.float32))
            vectors -= tf.gather(book, nearest(vectors, book))
        return tf.stack(books), tf.stack(shares)

    def _move(self, vectors: tf.Tensor, books: tf.Tensor, shares: tf.Tensor, random: Noise) -> None:
        """One step of the averages, and new places for dead entries."""
        moved, kept = [], []
        rows = tf.cast(tf.shape(vectors)[0], tf.float32)
        least = _USED / self.codes
        for level in range(self.levels):
            book, share = books[level], shares[level]
            index = nearest(vectors, book)
            sums = tf.math.unsorted_segment_sum(vectors, index, self.codes)
            total = self.decay * share[:, None] * book + (1 - self.decay) * sums / rows
            share = self.decay * share + (1 - self.decay) * counts(index, self.codes) / rows
            mean = total / tf.maximum(share, least)[:, None]
            new = tf.where(share[:, None] > least, mean, book)
            if self.restart:
                dead = share < self.restart / self.codes
                place = tf.cast(random.fold(level).uniform(self.codes) * rows, tf.int32)
                new = tf.where(dead[:, None], tf.gather(vectors, place), new)
                share = tf.where(dead, 1.0 / self.codes, share)
            moved.append(new)
            kept.append(share)
            vectors -= tf.gather(book, index)
        self.books.assign(tf.stack(moved))
        self.shares.assign(tf.stack(kept))
        self.begun.assign(1.0)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "codes": self.codes,
            "levels": self.levels,
            "beta": scalar_config(self.beta),
            "decay": self.decay,
            "restart": self.restart,
        }


def nearest(vectors: tf.Tensor, book: tf.Tensor) -> tf.Tensor:
    """argmin_j ||v - e_j||, the entry that is nearest to each vector.

    Args:
        vectors: v, (..., units).
        book: e, (entries, units).

    Returns:
        The numbers of the entries, (...,) int32.

    Example:
        >>> from zoo.bottlenecks.vector_quantized import nearest
        >>> nearest(np.float32([[1000.1], [1000.9]]), np.float32([[1000], [1001]])).numpy().tolist()
        [0, 1]
    """
    # Far from 0 the terms below are large numbers whose difference float32 cannot tell.
    middle = tf.reduce_mean(book, axis=0)
    vectors, book = vectors - middle, book - middle
    squares = tf.reduce_sum(tf.square(book), axis=1)
    distance = squares - 2 * tf.tensordot(vectors, book, [[-1], [1]])
    return tf.argmin(distance, axis=-1, output_type=tf.int32)


def _quantised(raw: tf.Tensor, books: tf.Tensor, levels: int) -> tuple[list[tf.Tensor], tf.Tensor]:
    """The code after each level, (..., units) each, and the indices, (..., levels)."""
    codes, chosen = [], []
    code = tf.zeros_like(raw)
    for level in range(levels):
        index = nearest(raw - code, books[level])
        code += tf.gather(books[level], index)
        codes.append(code)
        chosen.append(index)
    return codes, tf.stack(chosen, axis=-1)


def _k_means(vectors: tf.Tensor, codes: int, random: Noise) -> tuple[tf.Tensor, tf.Tensor]:
    """Centres of k-means, (codes, units), and how many vectors each has."""
    first = _spread(vectors, codes, random.fold("spread"))
    # So that two centres at one vector part.
    first += 1e-3 * tf.math.reduce_std(vectors) * random.fold("part").normal(codes, first.shape[1])

    def moved(turn: tf.Tensor, book: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        index = nearest(vectors, book)
        sums = tf.math.unsorted_segment_sum(vectors, index, codes)
        size = counts(index, codes)[:, None]
        return turn + 1, tf.where(size > 0, sums / tf.maximum(size, 1.0), book)

    _, book = tf.while_loop(lambda turn, _: turn < _ROUNDS, moved, [0, first])
    return book, counts(nearest(vectors, book), codes)


def _spread(vectors: tf.Tensor, codes: int, random: Noise) -> tf.Tensor:
    """Vectors that lie far apart: each is drawn by its squared distance from those before it.

    Arthur & Vassilvitskii, "k-means++", 2007. Where all are taken, they serve twice.
    """
    rows = tf.shape(vectors)[0]
    uniform = random.uniform(codes)

    def another(place: tf.Tensor, found: tf.Tensor, left: tf.Tensor) -> tuple[tf.Tensor, ...]:
        even = tf.ones_like(left)
        chances = tf.cumsum(tf.where(tf.reduce_sum(left) > 0, left, even))
        chosen = tf.searchsorted(chances / chances[-1], uniform[place, None])[0]
        vector = vectors[tf.minimum(chosen, rows - 1)]
        found = tf.where(tf.range(codes)[:, None] == place, vector, found)
        distance = tf.reduce_sum(tf.math.squared_difference(vectors, vector), axis=1)
        return place + 1, found, tf.minimum(left, distance)

    start = [0, tf.zeros((codes, vectors.shape[1])), tf.fill([rows], 1e30)]  # far from none
    return tf.while_loop(lambda place, *_: place < codes, another, start)[1]


@register("residual_quantized", kind="bottleneck")
class ResidualQuantized(VectorQuantized):
    """`VectorQuantized` with several levels: z_q = sum_l e_l, each level the nearest entry to what is left.

    Zeghidour et al., "SoundStream", 2021, algorithm 1; Lee et al., "Autoregressive Image Generation using
    Residual Quantization", 2022, share one book among the levels.

    Args:
        units: dimensions of a code vector.
        codes: entries of the book of each level.
        levels: how many books.
        **kwargs: as in `VectorQuantized`.

    Example:
        >>> model = zoo.create("rq_vae", (6,), latents=2, places=3, codes=4, levels=2, hidden=(8,))
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> model.bottleneck.indices(model.encode(x)).shape
        TensorShape([20, 3, 2])
    """

    def __init__(self, units: int, codes: int = 256, levels: int = 4, **kwargs: Any):
        super().__init__(units, codes=codes, levels=levels, **kwargs)
