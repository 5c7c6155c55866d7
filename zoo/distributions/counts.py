"""Likelihoods of whole numbers: counts, tokens, and pixels of some levels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import tensorflow as tf
import tensorflow_probability as tfp

from zoo.distributions.likelihoods import Likelihood, limited
from zoo.registry import one_of, register
from zoo.serialization import whole_number
from zoo.tfp import tfd

# A mean of e^15, three millions: beyond it a decoder that is not trained yet would overflow.
LOG_MEAN_LIMIT = 15.0
# A dispersion of e^10 is as good as infinite, a Poisson.
LOG_DISPERSION_LIMIT = 10.0
DISPERSIONS = ("shared", "each")
_STIRLING = 8.0  # from which count on TFP's remainder of Stirling's formula is exact


class _Counts(Likelihood):
    """Counts, whose mean is e to the power of what the decoder gives; the encoder sees log(1 + x)."""

    bounds = (0.0, float("inf"))
    only_whole = True

    def __init__(self, reduction: str = "sum", **kwargs: Any):
        if kwargs.pop("activation", None) not in (None, "exponential"):
            raise ValueError(
                f"The likelihood {type(self).zoo_name!r} has the activation 'exponential'; leave it out."
            )
        super().__init__(reduction, "exponential", **kwargs)

    def seen(self, inputs: tf.Tensor) -> tf.Tensor:
        """log(1 + x): counts of a few thousands among many zeros are far apart for a network.

        What noise brought below 0 counts as 0.
        """
        return tf.math.log(1.0 + tf.maximum(inputs, 0.0))  # ONNX and LiteRT have no log1p

    def base(self, output: tf.Tensor) -> tfd.Distribution:
        """The distribution of every element, batch shape (batch, *event)."""
        raise NotImplementedError(f"{type(self).__name__} must define base(output).")

    def mean(self, output: tf.Tensor) -> tf.Tensor:
        """E[x|z], (batch, *event) float32."""
        mean: Any = self.base(tf.cast(output, tf.float32)).mean()
        return mean

    def distribution(self, output: tf.Tensor) -> tfd.Distribution:
        """Independent over the event."""
        base = self.base(tf.cast(output, tf.float32))
        return tfd.Independent(base, len(output.shape) - 1)

    def elementwise(self, output: tf.Tensor, inputs: tf.Tensor) -> tf.Tensor:
        """-log p of every element, in nats."""
        return -self.base(output).log_prob(inputs)


class ExactPoisson(tfd.Poisson):
    """Poisson(e^l) whose log_prob keeps its digits where counts are large.

    With d = l - log x, and r(x) = log x! - (x log x - x + log(2 pi x) / 2), Stirling's remainder,

        log p = -x (e^d - 1 - d) - log(2 pi x) / 2 - r(x)

    from x = 8 on, whose terms are no larger than their sum. x l - e^l - log x! is a difference of numbers of
    which float32 keeps seven digits: at a mean and a count of three millions it is off by 1 of 8 nats.

    Its arguments are those of `tfd.Poisson`.

    Example:
        >>> from zoo.distributions.counts import ExactPoisson
        >>> round(float(ExactPoisson(log_rate=np.float32(np.log(3e6))).log_prob(3e6)), 3)
        -8.376
    """

    def _log_prob(self, value: tf.Tensor) -> tf.Tensor:
        rate: Any = self.log_rate
        large: Any = tf.maximum(value, _STIRLING)
        apart: Any = rate - tf.math.log(large)
        deviance = large * (tf.math.expm1(apart) - apart)
        rest = 0.5 * tf.math.log(2 * math.pi * large) + tfp.math.log_gamma_correction(large)
        small = value * rate - tf.exp(rate) - tf.math.lgamma(value + 1.0)
        return tf.where(value < _STIRLING, small, -deviance - rest)


@register("poisson", kind="likelihood")
class PoissonLikelihood(_Counts):
    """Poisson(e^l) of what the decoder gives, l: counts whose variance is their mean.

    -log p = e^l - x l + log x!

    Example:
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,), likelihood="poisson")
        >>> x = np.random.default_rng(0).poisson(3.0, (20, 6))  # integers are taken as they are
        >>> bool(np.all(model.reconstruct(x) > 0))
        True
    """

    def base(self, output: tf.Tensor) -> tfd.Distribution:
        """Poisson(e^l)."""
        return ExactPoisson(log_rate=limited(output, LOG_MEAN_LIMIT))


@register("negative_binomial", kind="likelihood")
class NegativeBinomialLikelihood(_Counts):
    """Counts of mean m and variance m + m^2 / theta: a Poisson whose rate has a Gamma of shape theta.

    -log p = log x! + log G(theta) - log G(x + theta)
             - theta log(theta / (theta + m)) - x log(m / (theta + m))

    with m = e^l of what the decoder gives. The form of scVI (Lopez et al., "Deep generative modeling for
    single-cell transcriptomics", 2018, methods) and of scvi-tools' `NegativeBinomial(mu, theta)`, whose
    decoder gives shares of a row's total; give that total as a condition (`conditional_vae`) where it varies.

    Args:
        dispersion: "shared", one theta for each element of x, a weight (scvi-tools' "gene"), or "each", for
            each element of each example, from the decoder ("gene-cell").
        reduction: as in `Likelihood`.

    Example:
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,), likelihood="negative_binomial")
        >>> x = np.random.default_rng(0).negative_binomial(2, 0.3, (20, 6))
        >>> model.reconstruct(x).shape, model.likelihood.dispersion
        ((20, 6), 'shared')
    """

    fixed = ("dispersion",)

    def __init__(self, dispersion: str = "shared", reduction: str = "sum", **kwargs: Any):
        super().__init__(reduction, **kwargs)
        self.dispersion = one_of(dispersion, "dispersion", DISPERSIONS)
        self.outputs_per_element = 2 if dispersion == "each" else 1

    def build(self, input_shape: Any) -> None:
        """Create the shared dispersion, 1 for each element at first."""
        if self.dispersion == "shared":
            shape = tuple(input_shape[1:])
            self.log_dispersion = self.add_weight(
                name="log_dispersion", shape=shape, initializer="zeros"
            )
        self.built = True

    def base(self, output: tf.Tensor) -> tfd.Distribution:
        """NegativeBinomial of mean e^l and dispersion theta."""
        if self.dispersion == "each":
            output, log_dispersion = tf.split(output, 2, axis=-1)
        else:
            log_dispersion = tf.convert_to_tensor(self.log_dispersion)
        log_dispersion = limited(log_dispersion, LOG_DISPERSION_LIMIT)
        logits = limited(output, LOG_MEAN_LIMIT) - log_dispersion
        return tfd.NegativeBinomial(total_count=tf.exp(log_dispersion), logits=logits)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = super().get_config()
        config.pop("activation")
        return {**config, "dispersion": self.dispersion}


@register("categorical", kind="likelihood")
class CategoricalLikelihood(Likelihood):
    """One of some levels for every element of x: tokens, or pixels.

    -log p = -log softmax(l)_x, with a logit for each level from the decoder.

    Tokens are whole numbers 0 .. levels - 1, of shape (n, places); the encoder sees them one-hot,
    (places, levels), and the decoder gives the same shape, so that recurrent networks and convolutions take
    them as a series. Of several tokens at a place, (n, places, channels), the levels of each channel stand
    beside each other, (places, channels * levels). Pixels (``pixels=True``) are k / (levels - 1), as bytes
    divided by 255 are for 256 levels; numbers in between count as the nearest level, and the encoder sees x
    as it is (van den Oord et al., "Pixel Recurrent Neural Networks", 2016, section 3).

    Args:
        levels: how many.
        pixels: whether x holds pixels in [0, 1], and not tokens.
        reduction: as in `Likelihood`.

    Example:
        >>> likelihood = {"name": "categorical", "levels": 5}
        >>> model = zoo.create("vae", (7,), latents=2, hidden=(4,), likelihood=likelihood)
        >>> tokens = np.random.default_rng(0).integers(0, 5, (20, 7))
        >>> found = model.reconstruct(tokens)  # the likeliest token at every place
        >>> found.shape, bool(np.isin(found, range(5)).all())
        ((20, 7), True)
    """

    fixed = ("levels", "pixels")

    def __init__(
        self, levels: int = 256, pixels: bool = False, reduction: str = "sum", **kwargs: Any
    ):
        kwargs.pop("activation", None)
        super().__init__(reduction, **kwargs)
        self.levels = whole_number(levels, "levels", 2)
        self.pixels = bool(pixels)
        self.only_whole = not self.pixels
        self.mean_has_gradient = self.pixels
        self.bounds = (0.0, 1.0) if self.pixels else (0.0, levels - 1.0)

    def is_of_counts(self, event_shape: Sequence[int]) -> bool:
        """Whether these are tokens, which nothing divides."""
        del event_shape
        return not self.pixels

    def build(self, input_shape: Any) -> None:
        """Note whether the last axis of x (batch, *event) is one of channels."""
        self.has_channels = self._has_channels(input_shape[1:])
        super().build(input_shape)

    def _has_channels(self, event_shape: Sequence[int]) -> bool:
        return self.pixels or len(event_shape) > 1

    def decoder_shape(self, event_shape: Sequence[int]) -> tuple[int, ...]:
        """(places, levels) for tokens; the levels of each channel beside each other where there are some."""
        if self._has_channels(event_shape):
            return (*event_shape[:-1], event_shape[-1] * self.levels)
        return (*event_shape, self.levels)

    def encoder_shape(self, event_shape: Sequence[int]) -> tuple[int, ...]:
        """That of the decoder for tokens."""
        return tuple(event_shape) if self.pixels else self.decoder_shape(event_shape)

    def seen(self, inputs: tf.Tensor) -> tf.Tensor:
        """Tokens one-hot; pixels as they are."""
        if self.pixels:
            return inputs
        one_hot = tf.one_hot(self._index(inputs), self.levels)
        event: Any = tuple(inputs.shape[1:])
        places = self.encoder_shape(event)
        return tf.reshape(one_hot, tf.concat([tf.shape(inputs)[:1], places], axis=0))

    def mean(self, output: tf.Tensor) -> tf.Tensor:
        """E[x|z] of pixels, and the likeliest token of tokens, (batch, *event) float32."""
        distribution = self.distribution(output)
        mean: Any = distribution.mean() if self.pixels else distribution.mode()
        return mean

    def distribution(self, output: tf.Tensor) -> tfd.Distribution:
        """Independent over the event, of the values that x has; those between two count as the nearer."""
        step = 1.0 / (self.levels - 1) if self.pixels else 1.0
        values = tf.range(self.levels, dtype=tf.float32) * step
        logits = self._logits(tf.cast(output, tf.float32))
        member = tfd.FiniteDiscrete(values, logits=logits, atol=0.5 * step, rtol=0.0)
        return tfd.Independent(member, len(logits.shape) - 2)

    def elementwise(self, output: tf.Tensor, inputs: tf.Tensor) -> tf.Tensor:
        """-log p of every element, in nats."""
        return tf.nn.sparse_softmax_cross_entropy_with_logits(
            labels=self._index(inputs), logits=self._logits(output)
        )

    def _logits(self, output: tf.Tensor) -> tf.Tensor:
        """(batch, *event, levels)."""
        if not self.has_channels:
            return output
        width: Any = output.shape[-1]
        channels = width // self.levels
        shape = tf.concat([tf.shape(output)[:-1], [channels, self.levels]], axis=0)
        logits = tf.reshape(output, shape)
        return tf.ensure_shape(logits, (*output.shape[:-1], channels, self.levels))

    def _index(self, inputs: tf.Tensor) -> tf.Tensor:
        scale = self.levels - 1.0 if self.pixels else 1.0
        return tf.cast(tf.round(inputs * scale), tf.int32)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = super().get_config()
        config.pop("activation")
        return {**config, "levels": self.levels, "pixels": self.pixels}
