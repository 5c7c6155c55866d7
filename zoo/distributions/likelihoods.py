"""Likelihoods p(x|z), by name: from the decoder's output to a distribution and a loss."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from zoo.distributions.divergences import base_distribution
from zoo.parts import Part
from zoo.registry import register
from zoo.serialization import scalar
from zoo.tfp import tfd

if TYPE_CHECKING:
    from zoo.autoencoder import Autoencoder

# A learned scale may neither vanish (the loss would fall without bound) nor explode.
LOG_SCALE_LIMIT = 6.0
LEARNED = ("learned", "each")
_FEW_COUNTS = 5  # the largest count of an example that is made up
_COUNTS = (
    tfd.Poisson,
    tfd.NegativeBinomial,
    tfd.Binomial,
    tfd.BetaBinomial,
    tfd.Multinomial,
    tfd.DirichletMultinomial,
    tfd.Geometric,
    tfd.Categorical,
    tfd.ZeroInflatedNegativeBinomial,
)


def _root(terms: tf.Tensor, axis: Sequence[int]) -> tf.Tensor:
    # The gradient of a root is infinite at 0.
    return tf.sqrt(tf.reduce_sum(terms, axis=axis) + 1e-12)


@tf.custom_gradient
def _cross_entropy(logits: tf.Tensor, targets: tf.Tensor) -> tuple[tf.Tensor, Any]:
    """The cross-entropy -x log p - (1 - x) log(1 - p), p = s(l), as relu(l) - x l - log max(p, 1 - p).

    The logarithm is one of numbers between 1/2 and 1, so that no logit is too large for it, and the gradient
    needs p alone: TensorFlow's softplus costs as much as all of this.
    """
    p = tf.sigmoid(logits)

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return upstream * (p - targets), -upstream * logits

    linear = tf.nn.relu(logits) - targets * logits
    return linear - tf.math.log(tf.maximum(p, 1.0 - p)), gradient


_REDUCTIONS = {"sum": tf.reduce_sum, "mean": tf.reduce_mean, "root": _root}


class Likelihood(Part):
    """Turns the decoder's output, (batch, *event), into p(x|z).

    Args:
        reduction: "sum" over the event, the evidence lower bound's convention and in nats, or "mean", as
            some papers have it (every other term then weighs as many times more as the event has
            dimensions), or "root", the square root of the sum: of squared errors, ||x - x_hat||_2.
        activation: applied to the decoder's output to give the location, for example "sigmoid".

    Subclasses give `distribution` and `elementwise`, and `bounds` where x has a range. One that needs several
    numbers for each element of x, such as a mean and a scale, sets `outputs_per_element`: the decoder then
    gives that many times the last axis of x. Networks that are named, and not made by hand, fit it.

    Attributes:
        bounds: the range of x, or None.
        outputs_per_element: numbers of the decoder for each element of x.
        only_whole: whether x must hold whole numbers; integers of any type are then taken as they are.
        draws: whether `generate` draws x by `draw`, in the place of its mean.
        mean_has_gradient: whether `mean` hands gradients on to the decoder; a likeliest value does not.
        has_density: whether the loss is -log p(x|z), up to a constant; else it is a measure of errors alone.

    Example:
        >>> import tensorflow as tf
        >>> from tensorflow_probability import distributions as tfd
        >>> @zoo.register("geometric", kind="likelihood")
        ... class Geometric(zoo.distributions.Likelihood):  # failures before a success, of logits
        ...     bounds = (0.0, float("inf"))
        ...     only_whole = True
        ...     def mean(self, output):
        ...         return tf.exp(-tf.cast(output, tf.float32))
        ...     def distribution(self, output):
        ...         return tfd.Independent(tfd.Geometric(logits=output), len(output.shape) - 1)
        ...     def elementwise(self, output, inputs):
        ...         return -tfd.Geometric(logits=output).log_prob(inputs)
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,), likelihood="geometric")
        >>> x = np.random.default_rng(0).geometric(0.3, (20, 6)) - 1
        >>> bool(np.all(model.reconstruct(x) > 0))
        True
    """

    bounds: tuple[float, float] | None = None
    outputs_per_element = 1
    only_whole = False
    draws = False
    mean_has_gradient = True
    has_density = True

    def __init__(self, reduction: str = "sum", activation: str | None = None, **kwargs: Any):
        super().__init__(dtype="float32", **kwargs)
        if reduction not in _REDUCTIONS:
            raise ValueError(f"reduction must be 'sum', 'mean' or 'root'; received {reduction!r}.")
        self.reduction = reduction
        self.activation: Any = keras.activations.get(activation)

    def mean(self, output: tf.Tensor) -> tf.Tensor:
        """E[x|z], (batch, *event) float32."""
        if self.outputs_per_element > 1:
            return self.distribution(tf.cast(output, tf.float32)).mean()
        return self.activation(tf.cast(output, tf.float32))

    def draw(self, output: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
        """An example of p(x|z) as `generate` gives it, where `draws` says so.

        Args:
            output: (batch, ...), what the decoder gave.
            uniform: (batch, *event) in (0, 1), a number for each element.

        Returns:
            (batch, *event) float32.
        """
        raise NotImplementedError(f"{type(self).__name__} must define draw(output, uniform).")

    def decoder_shape(self, event_shape: Sequence[int]) -> tuple[int, ...]:
        """The shape that the decoder must give for examples of a shape."""
        return (*event_shape[:-1], event_shape[-1] * self.outputs_per_element)

    def seen(self, inputs: tf.Tensor) -> tf.Tensor:
        """What the encoder is given of x, (batch, *event) float32: x itself, where numbers mean no more."""
        return inputs

    def encoder_shape(self, event_shape: Sequence[int]) -> tuple[int, ...]:
        """The shape of what `seen` gives for examples of a shape."""
        return tuple(event_shape)

    def is_of_counts(self, event_shape: Sequence[int]) -> bool:
        """Whether p(x|z) is of whole numbers that are counted, which are not to be divided.

        Args:
            event_shape: of one example.

        Returns:
            Whether the family of p(x|z) is one of counts.
        """
        output = tf.zeros((1, *self.decoder_shape(event_shape)))
        return isinstance(base_distribution(self.distribution(output)), _COUNTS)

    def possible(self, uniform: np.ndarray) -> np.ndarray:
        """Numbers that x may hold, for checks that need rows of some kind.

        Args:
            uniform: (rows, *event) in [0, 1).

        Returns:
            (rows, *event): the same, or small whole numbers within `bounds` where x is counted.
        """
        if not (self.only_whole or self.is_of_counts(uniform.shape[1:])):
            return uniform
        low, high = self.bounds or (0.0, math.inf)
        return np.floor(low + uniform * (min(high - low, _FEW_COUNTS) + 1)).astype(uniform.dtype)

    def distribution(self, output: tf.Tensor) -> tfd.Distribution:
        """p(x|z), batch shape (batch,), event shape (*event)."""
        raise NotImplementedError(f"{type(self).__name__} must define distribution(output).")

    def elementwise(self, output: tf.Tensor, inputs: tf.Tensor) -> tf.Tensor:
        """-log p of every element of x, (batch, *event) float32."""
        raise NotImplementedError(f"{type(self).__name__} must define elementwise(output, inputs).")

    def loss(
        self, output: tf.Tensor, inputs: tf.Tensor, mask: tf.Tensor | None = None
    ) -> tf.Tensor:
        """The reconstruction term of every example.

        Args:
            output: (batch, *event), what the decoder gave.
            inputs: (batch, *event) float32.
            mask: (batch, *event), 1 for the elements that count and 0 for missing ones; None where all do.

        Returns:
            (batch,) float32, -log p(x|z) of every element that counts, reduced over the event.
        """
        terms = self.elementwise(tf.cast(output, tf.float32), inputs)
        axes = list(range(1, len(terms.shape)))
        if mask is None:
            return _REDUCTIONS[self.reduction](terms, axis=axes)
        terms = tf.math.multiply_no_nan(terms, mask)
        if self.reduction == "mean":
            return tf.math.divide_no_nan(tf.reduce_sum(terms, axes), tf.reduce_sum(mask, axes))
        return _REDUCTIONS[self.reduction](terms, axis=axes)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        activation = keras.activations.serialize(self.activation)
        return {"name": self.name, "reduction": self.reduction, "activation": activation}


@register("bernoulli", kind="likelihood")
class BernoulliLikelihood(Likelihood):
    """Bernoulli(sigmoid(output)): the decoder gives logits.

    -log p = -x log s(l) - (1 - x) log(1 - s(l)). Values of x strictly between 0 and 1 are taken as
    probabilities; the loss is then a cross-entropy, and no log-likelihood of a binary picture.
    """

    bounds = (0.0, 1.0)

    def __init__(self, reduction: str = "sum", **kwargs: Any):
        if kwargs.pop("activation", None) not in (None, "sigmoid"):
            raise ValueError(
                "The likelihood 'bernoulli' has the activation 'sigmoid'; leave it out."
            )
        super().__init__(reduction, "sigmoid", **kwargs)

    def check(self, model: Autoencoder) -> None:
        """Refuse a decoder that ends in a sigmoid: under a second one nothing is darker than .5."""
        last = last_activation(model.decoder)
        if last in (keras.activations.sigmoid, keras.activations.softmax):
            raise ValueError(
                f"The decoder ends in a {last.__name__}, and the likelihood 'bernoulli' applies a sigmoid "
                "to it. Leave the activation out of the decoder, or take likelihood='squared_error'."
            )

    def distribution(self, output: tf.Tensor) -> tfd.Distribution:
        """Independent Bernoulli over the event."""
        logits = tf.cast(output, tf.float32)
        return _independent(tfd.Bernoulli(logits=logits, dtype=tf.float32), logits)

    def elementwise(self, output: tf.Tensor, inputs: tf.Tensor) -> tf.Tensor:
        """Cross-entropy of every element, in nats."""
        loss: Any = _cross_entropy(output, inputs)  # the decorator takes the gradient away
        return loss


@register("squared_error", kind="likelihood")
class SquaredErrorLikelihood(Likelihood):
    """(x - x_hat)^2 without a constant: -log N(x; x_hat, 1/2) less its normaliser.

    The lecture's, the L_P paper's and the sparse VAE's reconstruction term.
    """

    def distribution(self, output: tf.Tensor) -> tfd.Distribution:
        """N(x_hat, 1/2), whose -log density is the loss up to a constant."""
        mean = self.mean(output)
        return _independent(tfd.Normal(mean, math.sqrt(0.5)), mean)

    def elementwise(self, output: tf.Tensor, inputs: tf.Tensor) -> tf.Tensor:
        """Squared error of every element."""
        return tf.math.squared_difference(inputs, self.activation(output))


class ScaledLikelihood(Likelihood):
    """A likelihood with one scale for all elements, fixed or learned, or one for each.

    Args:
        scale: a number above 0; "learned" (its logarithm is one weight, kept within +-6); or "each", a
            learned one for each element of x, as columns of a table need.
        reduction: as in `Likelihood`.
        activation: as in `Likelihood`.
    """

    def __init__(
        self,
        scale: float | str = 1.0,
        reduction: str = "sum",
        activation: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(reduction, activation, **kwargs)
        if reduction == "root":
            raise ValueError(
                "reduction='root' is for squared errors: -log p of a density may be negative. Take "
                "likelihood='squared_error', or reduction='sum' or 'mean'."
            )
        number: Any = 1.0 if scale in LEARNED else scalar(scale, "scale")
        if not (isinstance(number, float) and number > 0):
            raise ValueError(
                f"scale must be a number above 0, 'learned' or 'each'; received {scale!r}."
            )
        self.scale = scale

    def build(self, input_shape: Any) -> None:
        """Create the scale's weight where it is learned."""
        if self.scale in LEARNED:
            shape = tuple(input_shape[1:]) if self.scale == "each" else ()
            self.log_scale = self.add_weight(name="log_scale", shape=shape, initializer="zeros")
        self.built = True

    def checked_option(self, name: str, value: Any) -> Any:
        """As `Part.checked_option`; a learned scale has a weight, which a number has not."""
        value = super().checked_option(name, value)
        if name == "scale" and value != self.scale and {value, self.scale} & {*LEARNED}:
            raise ValueError(
                "scale of a likelihood is learned or a number from the start; received the other later. "
                "Create a new model with it."
            )
        return value

    def current_scale(self) -> Any:
        """The scale as it stands, a scalar, or one for each element."""
        if self.scale in LEARNED:
            # A tensor: among several devices the variable itself would be taken for a captured one.
            return tf.exp(limited(tf.convert_to_tensor(self.log_scale), LOG_SCALE_LIMIT))
        return self.scale

    def base(self, mean: tf.Tensor) -> tfd.Distribution:
        """The distribution of every element around its location."""
        raise NotImplementedError(f"{type(self).__name__} must define base(mean).")

    def distribution(self, output: tf.Tensor) -> tfd.Distribution:
        """Independent over the event."""
        mean = self.mean(output)
        return _independent(self.base(mean), mean)

    def elementwise(self, output: tf.Tensor, inputs: tf.Tensor) -> tf.Tensor:
        """-log p of every element, in nats."""
        return -self.base(self.activation(output)).log_prob(inputs)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "scale": self.scale}


@register("normal", kind="likelihood")
class NormalLikelihood(ScaledLikelihood):
    """N(x_hat, scale^2), the scale fixed or learned."""

    def base(self, mean: tf.Tensor) -> tfd.Distribution:
        """N(mean, scale^2)."""
        return tfd.Normal(mean, self.current_scale())


@register("laplace", kind="likelihood")
class LaplaceLikelihood(ScaledLikelihood):
    """Laplace(x_hat, scale): absolute instead of squared error, the scale fixed or learned."""

    def base(self, mean: tf.Tensor) -> tfd.Distribution:
        """Laplace(mean, scale)."""
        return tfd.Laplace(mean, self.current_scale())


def limited(value: tf.Tensor, limit: float) -> tf.Tensor:
    """A value clipped to +-limit; the gradient passes where a step down it leads back inside.

    Example:
        >>> from zoo.distributions.likelihoods import limited
        >>> limited(np.float32([-9.0, 2.0]), 6.0).numpy().tolist()
        [-6.0, 2.0]
    """

    @tf.custom_gradient
    def clipped(value: tf.Tensor) -> tuple[tf.Tensor, Any]:
        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            outward = ((value >= limit) & (upstream < 0)) | ((value <= -limit) & (upstream > 0))
            return tf.where(outward, tf.zeros_like(upstream), upstream)

        return tf.clip_by_value(value, -limit, limit), gradient

    found: Any = clipped(value)  # the decorator takes the gradient away
    return found


def _independent(base: tfd.Distribution, like: tf.Tensor) -> tfd.Distribution:
    return tfd.Independent(base, len(like.shape) - 1)


def last_activation(network: keras.Layer) -> Any:
    """The activation of a network's last layer that has one, layers that only change the shape left out.

    None where there is no such layer, or the network does not say what it is made of.
    """
    shapes = (keras.layers.Reshape, keras.layers.Flatten, keras.layers.Cropping2D)
    layers = [la for la in getattr(network, "layers", []) if not isinstance(la, shapes)]
    if not layers:
        return getattr(network, "activation", None)
    return last_activation(layers[-1])
