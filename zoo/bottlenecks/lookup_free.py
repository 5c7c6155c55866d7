"""Codes of one bit a unit: a large codebook of which nothing is learned or stored."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from zoo.bottlenecks.base import Code
from zoo.bottlenecks.quantized import Normalised, mixed_radix, squares
from zoo.noise import Noise
from zoo.registry import register
from zoo.serialization import at_step, number, scalar, scalar_config
from zoo.trainer.replicas import gather

_BITS = 8  # whose joint entropy is computed; 2^8 entries for each vector of the batch
_MOST = 30  # bits of an index


@register("lookup_free", kind="bottleneck")
class LookupFree(Normalised):
    """z_q = sign(z), 2^units entries.

    Yu et al., "Language Model Beats Diffusion", 2024, section 3.1. Adds

        beta ||z - sg(z_q)||^2 + entropy (E[H(p(c|z))] - diversity H(E[p(c|z)]))

    with p(c|z) in proportion to exp(-||z - c||^2): the first term makes each vector choose one entry, the
    second makes the batch use all of them. Entropies are in nats, summed over the places of a code. That of
    the mean is computed in groups of at most 8 bits and added up, an upper bound of the joint one from 9
    units on.

    Units are normalised over the batch before their sign is taken. At the start all chances are 1/2 and the
    entropy of the mean has no gradient, so that without it every vector of a unit went to the one side: at 8
    bits of 49 places of MNIST 7 % of the entries were left after 600 steps.

    Args:
        units: bits of an index.
        beta: weight of the commitment, a number or a Keras schedule of the training step.
        entropy: weight of the entropies, likewise.
        diversity: weight of the entropy of the mean among them, a number.
        **kwargs: as in `Quantized`.

    Example:
        >>> model = zoo.create("lfq_vae", (6,), latents=4, places=3, hidden=(8,))
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> model.bottleneck.vocabulary, np.unique(model.encode(x)).tolist()
        (16, [-1.0, 1.0])
    """

    def __init__(
        self,
        units: int = 10,
        beta: Any = 0.25,
        entropy: Any = 0.1,
        diversity: float = 1.0,
        **kwargs: Any,
    ):
        super().__init__(units, **kwargs)
        if self.units > _MOST:
            raise ValueError(
                f"lookup_free has at most {_MOST} bits in an index; received {units} units. Take more places."
            )
        self.beta = scalar(beta, "beta", minimum=0)
        self.entropy = scalar(entropy, "entropy", minimum=0)
        self.diversity = number(diversity, "diversity", minimum=0)
        self._steps = np.array(mixed_radix([2] * self.units), np.int32)

    @property
    def vocabulary(self) -> int:
        """2^units."""
        return 2**self.units

    def quantise(self, raw: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """See `Quantized.quantise`."""
        above = raw > 0
        bits = tf.cast(above, tf.int32)
        code = tf.where(above, tf.ones_like(raw), -tf.ones_like(raw))
        return code, tf.reduce_sum(bits * self._steps, axis=-1, keepdims=True)

    def look_up(self, index: tf.Tensor) -> tf.Tensor:
        """See `Quantized.look_up`: the bits of the index."""
        return tf.cast(tf.math.floormod(index // self._steps, 2), tf.float32) * 2.0 - 1.0

    def draw(self, features: tf.Tensor, noise: Noise, step: tf.Tensor, training: bool) -> Code:
        """See `Bottleneck.draw`."""
        del noise
        raw = self.raw(features, training)
        code, index = self.quantise(raw)
        sure, varied = self.entropies(raw)
        weight = at_step(self.entropy, step)
        losses = {
            "commitment": at_step(self.beta, step) * squares(raw - code),
            "confidence": weight * sure,
            "diversity": -weight * self.diversity * varied,
        }
        return self.code_of(raw, code, index, losses)

    def entropies(self, raw: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """H(p(c|z)) summed over the places, (batch,), and H of the mean over the batch times the places."""
        logits = 4.0 * raw  # ||z + 1||^2 - ||z - 1||^2 of each bit
        entropy = tf.nn.softplus(logits) - logits * tf.sigmoid(logits)
        sure = tf.reduce_sum(entropy, axis=list(range(1, len(raw.shape))))
        chances = tf.sigmoid(tf.reshape(gather(logits), (-1, self.units)))
        varied = tf.constant(0.0)
        for first in range(0, self.units, _BITS):
            shares = tf.reduce_mean(_joint(chances[:, first : first + _BITS]), axis=0)
            varied -= tf.reduce_sum(tf.math.xlogy(shares, shares + 1e-12))
        places = float(np.prod(self.code_shape[:-1], initial=1))
        return sure, places * varied

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "beta": scalar_config(self.beta),
            "entropy": scalar_config(self.entropy),
            "diversity": self.diversity,
        }


def _joint(chances: tf.Tensor) -> tf.Tensor:
    """(n, bits) chances of 1 -> (n, 2^bits) chances of each combination."""
    joint = tf.ones_like(chances[:, :1])
    for bit in tf.unstack(chances, axis=1):
        joint = tf.concat([joint * (1 - bit[:, None]), joint * bit[:, None]], axis=1)
    return joint
