"""Random numbers that depend on a saved counter, a tag and an example's place in the batch.

Keras's `SeedGenerator` keeps a state that no checkpoint holds, and every replica of a strategy would draw
the same numbers from it. Here a draw is a function of (seed, step, tag, row of the global batch): a
resumed run goes on where it stopped, and one device, two devices and two machines draw the same noise for
the same example.
"""

from __future__ import annotations

import zlib
from typing import Any, NamedTuple

import tensorflow as tf

# Integer bits of Philox agree between compiled and uncompiled graphs and between devices; floats do not.
_SHIFT = 9
_SCALE = 2.0**-23


class Shares(NamedTuple):
    """A replica's share of a batch, int32 scalars: its rows, those of the replicas before it, and all."""

    own: tf.Tensor
    first: tf.Tensor
    total: tf.Tensor


class Noise:
    """A source of random numbers for one step; `fold` gives each user a stream of its own.

    Args:
        seed: the run's seed, a Python integer.
        count: scalar int64 tensor, the training step or the first row of an evaluation batch.
        replica: scalar int32 tensor, this replica's number; None where there is one replica.
        replicas: number of replicas that share the global batch.
        shares: how the batch is cut, where that is not into equal shares.
        tag: identifies the stream; set by `fold`.

    Example:
        >>> noise = zoo.Noise(seed=0, count=7).fold("bottleneck")
        >>> noise.normal(3, 2).shape
        TensorShape([3, 2])
        >>> np.array_equal(noise.uniform(3, 2), noise.uniform(3, 2))  # the same step, the same numbers
        True
    """

    def __init__(
        self,
        seed: int,
        count: tf.Tensor | int,
        replica: tf.Tensor | Any = None,
        replicas: int = 1,
        shares: Shares | None = None,
        tag: int = 0,
    ):
        self.seed = seed
        self.count = count
        self.replica = replica
        self.replicas = replicas
        self.shares = shares
        self.tag = tag

    @property
    def share(self) -> Any:
        """This replica's share of the global batch, a scalar: 1 on one replica."""
        if self.shares is None:
            return 1.0 / self.replicas
        total = tf.maximum(self.shares.total, 1)
        return tf.cast(self.shares.own, tf.float32) / tf.cast(total, tf.float32)

    def fold(self, name: str | int) -> Noise:
        """An independent stream for the part called `name`."""
        tag = zlib.crc32(str(name).encode(), self.tag)
        return Noise(self.seed, self.count, self.replica, self.replicas, self.shares, tag)

    def uniform(self, batch: tf.Tensor | int, *event: int | None) -> tf.Tensor:
        """Uniform numbers on (0, 1), both ends excluded.

        Args:
            batch: rows of this replica's batch.
            *event: the remaining dimensions, all known.

        Returns:
            (batch, *event) float32; row i of replica r is row r * batch + i of the global draw, or what
            `shares` makes of that.
        """
        word = tf.constant((self.seed << 32 ^ self.tag) & (2**63 - 1), tf.int64)
        seed = tf.stack([word, tf.cast(self.count, tf.int64)])
        rows, start = self._place(batch)
        shape: Any = (rows, *event)
        bits = tf.random.stateless_uniform(
            shape,
            seed,
            minval=None,  # pyright: ignore[reportArgumentType]  # the stubs have no full range
            maxval=None,
            dtype=tf.uint32,
            alg="philox",
        )
        if self.replicas > 1:
            bits = tf.slice(bits, [start, *[0] * len(event)], [batch, *event])
        mantissa = tf.cast(tf.bitwise.right_shift(bits, tf.constant(_SHIFT, tf.uint32)), tf.float32)
        return (mantissa + 0.5) * _SCALE

    def _place(self, batch: tf.Tensor | int) -> tuple[Any, Any]:
        """Rows of the global draw, and the first of them that is this replica's."""
        if self.replicas == 1:
            return batch, 0
        if self.shares is None:
            return batch * self.replicas, tf.cast(self.replica, tf.int32) * batch
        own, first, total = self.shares
        times = batch // tf.maximum(own, 1)  # several draws for each example
        return times * total, times * first

    def normal(self, batch: tf.Tensor | int, *event: int | None) -> tf.Tensor:
        """Standard normal numbers, (batch, *event) float32."""
        return tf.math.ndtri(self.uniform(batch, *event))

    def keep(self, rate: float, batch: tf.Tensor | int, *event: int | None) -> tf.Tensor:
        """A float32 mask of ones with probability 1 - rate, zeros otherwise, (batch, *event)."""
        return tf.cast(self.uniform(batch, *event) >= rate, tf.float32)
