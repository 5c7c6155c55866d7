"""What every quantized code is: at each place one of finitely many vectors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from zoo.bottlenecks.base import Code, DenseBottleneck
from zoo.noise import Noise
from zoo.serialization import positive_int
from zoo.trainer.replicas import gather

_MOMENTUM = 0.9


class Quantized(DenseBottleneck):
    """A code with an index at every place; the gradient passes from the quantized code to the raw one.

    A dense layer brings the features to the code's width: on a grid at every place; a vector of features
    gives as many code vectors as there are places. Beside its losses it reports `usage`, the share of the
    entries that occur in the batch, and `perplexity`, exp of the entropy of their shares: the number of
    entries where all occur alike, 1 where the code has collapsed. Both are means over the levels.

    A subclass gives `vocabulary`, `quantise`, `look_up` and `indices`, and `added` where it has losses.

    Args:
        units: dimensions of a code vector.
        places: code vectors of an example, where the features are one vector.
        **kwargs: as in `DenseBottleneck`.

    Attributes:
        levels: indices at one place.

    Example:
        >>> import tensorflow as tf
        >>> class Digit(zoo.bottlenecks.Quantized):  # of one unit, rounded to 0, 1 or 2
        ...     vocabulary = 3
        ...     def quantise(self, raw):
        ...         code = tf.clip_by_value(tf.round(raw), 0.0, 2.0)
        ...         return code, tf.cast(code, tf.int32)
        ...     def look_up(self, index):
        ...         return tf.cast(index, tf.float32)
        >>> encoder, decoder = zoo.networks.mlp([4]), zoo.networks.mlp([4], (6,))
        >>> model = zoo.Autoencoder((6,), encoder, Digit(1, places=5), decoder)
        >>> model.encode(np.zeros((2, 6), "float32")).shape
        (2, 5, 1)
    """

    fixed = ("places",)
    levels = 1

    def __init__(self, units: int, places: int = 1, **kwargs: Any):
        self.places = positive_int(places, "places")
        grid = bool(kwargs.get("grid", False))
        if grid and self.places > 1:
            raise ValueError(
                f"A grid of codes has the places of its features; received places={places}. Leave it out."
            )
        super().__init__(units, outputs=positive_int(units, "latents") * self.places, **kwargs)

    @property
    def vocabulary(self) -> int:
        """How many entries an index names."""
        raise NotImplementedError(f"{type(self).__name__} must define vocabulary.")

    def quantise(self, raw: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The nearest code, (..., units), and its indices, (..., levels) int32, for (..., units)."""
        raise NotImplementedError(f"{type(self).__name__} must define quantise(raw).")

    def look_up(self, index: tf.Tensor) -> tf.Tensor:
        """The code of indices: (..., levels) int32 -> (..., units) float32."""
        raise NotImplementedError(f"{type(self).__name__} must define look_up(index).")

    def indices(self, code: tf.Tensor) -> tf.Tensor:
        """The indices of quantized codes, (..., units) -> (..., levels) int32.

        Of several levels, what the code is quantized to again: other entries may be nearer to the sum. The
        draw of x notes its own under "index".
        """
        return self.quantise(code)[1]

    def added(self, raw: tf.Tensor, code: tf.Tensor) -> dict[str, tf.Tensor]:
        """Losses by name, with their weights in them."""
        del raw, code
        return {}

    def build(self, features_shape: Sequence[int | None]) -> None:
        """Create the dense layer; further weights are made by a subclass."""
        super().build(features_shape)
        if self.places > 1:
            self.code_shape = (self.places, self.units)

    def raw(self, features: tf.Tensor, training: bool = False) -> tf.Tensor:
        """The code before it is quantised, (batch, *code) float32."""
        del training
        return tf.reshape(self.numbers(features), (-1, *self.code_shape))

    def encode(self, features: tf.Tensor) -> tf.Tensor:
        """The quantized code, (batch, *code) float32."""
        return self.quantise(self.raw(features))[0]

    def draw(self, features: tf.Tensor, noise: Noise, step: tf.Tensor, training: bool) -> Code:
        """See `Bottleneck.draw`; the indices are noted."""
        del noise, step
        raw = self.raw(features, training)
        code, index = self.quantise(raw)
        return self.code_of(raw, code, index, self.added(raw, code))

    def code_of(
        self, raw: tf.Tensor, code: tf.Tensor, index: tf.Tensor, losses: dict[str, tf.Tensor]
    ) -> Code:
        """The `Code` of raw codes and what they were quantized to."""
        usage, perplexity = self.measured(index)
        return Code(
            raw + tf.stop_gradient(code - raw),
            raw=raw,
            notes={"index": index},
            losses=losses,
            measures={"usage": usage, "perplexity": perplexity},
        )

    def measured(self, index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Usage and perplexity of indices over the global batch, means over the levels."""
        index = tf.reshape(gather(index), (-1, self.levels))
        count = tf.cast(tf.shape(index)[0], tf.float32)
        shares = (
            tf.stack([counts(index[:, i], self.vocabulary) for i in range(self.levels)]) / count
        )
        entropy = -tf.reduce_sum(tf.math.xlogy(shares, shares), axis=1)
        return tf.reduce_mean(tf.cast(shares > 0, tf.float32)), tf.reduce_mean(tf.exp(entropy))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "places": self.places}


class Normalised(Quantized):
    """A quantized code whose units are normalised over the batch before they are quantised.

    A rule that cuts each unit at fixed places, and has no book that could move to where the units are, is
    left with few entries where all of a unit lies on one side of the cuts.
    """

    def __init__(self, units: int, **kwargs: Any):
        super().__init__(units, **kwargs)
        self.normalise = keras.layers.BatchNormalization(
            momentum=_MOMENTUM, center=False, scale=False, synchronized=True, dtype="float32"
        )

    def build(self, features_shape: Sequence[int | None]) -> None:
        """Create the dense layer and the normalisation."""
        super().build(features_shape)
        self.normalise.build((None, *self.code_shape))

    def raw(self, features: tf.Tensor, training: bool = False) -> tf.Tensor:
        """The normalised code before it is quantised, (batch, *code) float32."""
        return self.normalise(super().raw(features), training=training)


def squares(difference: tf.Tensor) -> tf.Tensor:
    """The squares of (batch, *code), summed to (batch,)."""
    return tf.reduce_sum(tf.square(difference), axis=list(range(1, len(difference.shape))))


def counts(index: tf.Tensor, entries: int) -> tf.Tensor:
    """How often each entry occurs in (n,) indices, (entries,) float32."""
    return tf.math.unsorted_segment_sum(tf.ones_like(index, tf.float32), index, entries)


def mixed_radix(sizes: Sequence[int]) -> list[int]:
    """What a step of each digit adds to the index that digits of these sizes make, the first the smallest."""
    return [math.prod(sizes[:place]) for place in range(len(sizes))]
