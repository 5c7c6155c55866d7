"""The k n largest units of a batch of n, and a threshold that does the same for a single row."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from zoo.bottlenecks.base import Code, DenseBottleneck
from zoo.noise import Noise
from zoo.registry import register
from zoo.selection import kth_largest
from zoo.serialization import number
from zoo.trainer.replicas import gather


@register("batch_top_k", kind="bottleneck")
class BatchTopK(DenseBottleneck):
    """z = relu(W^T h + b) with the k n largest of all units of a batch of n rows kept, the others 0.

    Bussmann et al., "BatchTopK Sparse Autoencoders", 2024, section 3. A row may have more than k where others
    have fewer. Once trained, z = v 1[v > theta], so that a row's code does not depend on its batch: theta is
    the mean of the smallest value that batches of training kept, weighed by momentum and without bias from
    its start. `begin_at` puts it somewhere before the first step, as `zoo.recipes.dictionaries.start` does
    from data. Before either there is no theta, and to ask for a code outside of training raises a ValueError:
    any guess would give rows of another norm as many units as chance has it.

    Args:
        units: dimensions of the code.
        k: units kept of a row on average, above 0; need not be whole.
        momentum: of the running mean.
        **kwargs: as in `DenseBottleneck`.

    Example:
        >>> bottleneck = zoo.bottlenecks.BatchTopK(8, k=2)
        >>> bottleneck.build((None, 4))
        >>> x = np.random.default_rng(0).normal(size=(50, 4)).astype("float32")
        >>> code = bottleneck.draw(x, noise=None, step=0, training=True).value
        >>> int(np.count_nonzero(code))  # a row's share is 2
        100
        >>> int(np.count_nonzero(bottleneck.encode(x)))  # all above the smallest that was kept
        99
    """

    # Selection costs as much with XLA as without; products of this size cost more.
    jit_friendly = False

    def __init__(self, units: int, k: float = 32, momentum: float = 0.8, **kwargs: Any):
        super().__init__(units, **kwargs)
        self.k = number(k, "k")
        if not 0 < self.k <= units:
            raise ValueError(
                f"k must be above 0 and at most the number of units, {units}; received {k!r}."
            )
        if not 0 <= momentum < 1:
            raise ValueError(f"momentum must be in [0, 1); received {momentum!r}.")
        self.momentum = float(momentum)

    def build(self, features_shape: Any) -> None:
        """Create the weights, and the running sums of which the threshold is made."""
        super().build(features_shape)
        fixed: dict[str, Any] = {"shape": (), "initializer": "zeros", "trainable": False}
        self.sums = self.add_weight(name="sums", dtype="float32", autocast=False, **fixed)
        self.share = self.add_weight(name="share", dtype="float32", autocast=False, **fixed)

    @property
    def threshold(self) -> tf.Tensor:
        """theta, a scalar float32; 0 where there is none yet."""
        return tf.math.divide_no_nan(
            tf.convert_to_tensor(self.sums), tf.convert_to_tensor(self.share)
        )

    def begin_at(self, threshold: float) -> None:
        """Choose what the threshold is before the first step, at least 0; it weighs as one batch does."""
        self.share.assign(1.0 - self.momentum)
        self.sums.assign((1.0 - self.momentum) * max(threshold, 0.0))

    def encode(self, features: tf.Tensor) -> tf.Tensor:
        """The code of every row by itself, (batch, units) float32."""
        return self._above(tf.nn.relu(self.numbers(features)))

    def draw(self, features: tf.Tensor, noise: Noise, step: tf.Tensor, training: bool) -> Code:
        """See `Bottleneck.draw`; the threshold of a batch of training is its own, and is remembered.

        Not so once the bottleneck is frozen: its codes stay where they are.
        """
        del noise, step
        training = training and self.trainable
        raw = self.numbers_of_few(features, self.k) if training else self.numbers(features)
        values = tf.nn.relu(raw)
        if not training:
            return Code(self._above(values), raw=raw)
        together = gather(tf.stop_gradient(values))
        numbers = tf.reshape(together, (-1,))
        rows = tf.cast(tf.shape(together)[0], tf.float32)
        kept = tf.clip_by_value(tf.cast(tf.round(self.k * rows), tf.int32), 1, tf.size(numbers))
        smallest = kth_largest(numbers, kept, share=self.k / self.units)[0]
        rate = 1.0 - self.momentum
        self.sums.assign(self.momentum * self.sums + rate * smallest)
        self.share.assign(self.momentum * self.share + rate)
        return Code(tf.where(values >= smallest, values, 0.0), raw=raw)

    def _above(self, values: tf.Tensor) -> tf.Tensor:
        with tf.init_scope():  # the weight's value, in a graph that is being made too
            known = float(tf.convert_to_tensor(self.share)) > 0
        if not known:
            raise ValueError(
                "This batch top-k has no threshold yet, so that rows have no code by themselves. Train the "
                "model, or call zoo.recipes.dictionaries.start(model, x), which takes it from data."
            )
        return tf.where(values > self.threshold, values, 0.0)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "k": self.k, "momentum": self.momentum}
