"""Codes whose units are rounded to a few levels each; no codebook is learned."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.bottlenecks.quantized import Normalised, mixed_radix
from zoo.registry import register
from zoo.values import whole_number

_MARGIN = 1e-3  # of the tanh, so that rounding never gives a level too many


@register("finite_scalar", kind="bottleneck")
class FiniteScalar(Normalised):
    """z_q = round(f(z)) unit by unit, f(z) = h tanh(z + tan(o / h)) - o, with L levels for a unit.

    Mentzer et al., "Finite Scalar Quantization: VQ-VAE Made Simple", 2024, section 3 and `bound` in appendix
    A.1: h = (L - 1) / 2, less a thousandth of it, and an offset o = 1/2 where L is even, by which one level
    more lies below 0 than above; the shift of z brings f(0) to 0 there too, or to -0.04 with two levels.
    Codes are scaled to [-1, 1]. There is no book and no loss; entries are all combinations.

    Units are normalised over the batch before tanh: without it a small network drove them all to one end
    within 90 steps, and one entry was left.

    Args:
        sizes: levels of each unit, 2 or more.
        **kwargs: as in `Quantized`, but for the units, which are as many as there are sizes.

    Example:
        >>> model = zoo.create("fsq_vae", (6,), sizes=(5, 4), places=3, hidden=(8,))
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> model.bottleneck.vocabulary, np.unique(model.encode(x)[..., 0] * 2).tolist()[-1] <= 2
        (20, True)
    """

    fixed = ("sizes",)

    def __init__(self, sizes: Sequence[int] = (8, 5, 5, 5), **kwargs: Any):
        self.sizes = tuple(whole_number(size, "sizes", 2) for size in sizes)
        units = kwargs.pop("units", len(self.sizes))
        if units != len(self.sizes):
            raise ValueError(
                f"finite_scalar has a unit for each of its {len(self.sizes)} sizes; received {units} units."
            )
        super().__init__(units, **kwargs)
        size = np.array(self.sizes)
        self._half = np.float32((size - 1) / 2 * (1 - _MARGIN))
        self._offset = np.float32(np.where(size % 2 == 0, 0.5, 0.0))
        self._shift = np.tan(self._offset / self._half)
        self._scale = np.float32(size // 2)
        self._steps = np.array(mixed_radix(self.sizes), np.int32)

    @property
    def vocabulary(self) -> int:
        """All combinations of levels."""
        return math.prod(self.sizes)

    def raw(self, features: tf.Tensor, training: bool = False) -> tf.Tensor:
        """f(z) of the normalised units, scaled, (batch, *code) float32."""
        values = super().raw(features, training)
        return (self._half * tf.tanh(values + self._shift) - self._offset) / self._scale

    def quantise(self, raw: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """See `Quantized.quantise`."""
        level = tf.round(raw * self._scale)
        digits = tf.cast(level + self._scale, tf.int32)
        return level / self._scale, tf.reduce_sum(digits * self._steps, axis=-1, keepdims=True)

    def look_up(self, index: tf.Tensor) -> tf.Tensor:
        """See `Quantized.look_up`: the digits of the index."""
        digits = tf.math.floormod(index // self._steps, np.array(self.sizes, np.int32))
        return tf.cast(digits, tf.float32) / self._scale - 1.0

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "sizes": self.sizes}
