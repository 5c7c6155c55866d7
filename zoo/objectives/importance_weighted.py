"""Importance-weighted bounds: IWAE, MIWAE, CIWAE and PIWAE, with three gradients for the encoder."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from zoo.distributions import base_distribution, is_location_scale
from zoo.forward import ForwardPass
from zoo.objectives.base import Objective, refuse_measures
from zoo.registry import one_of, register
from zoo.serialization import positive_int, scalar
from zoo.tfp import tfd

if TYPE_CHECKING:
    from zoo.autoencoder import Autoencoder
    from zoo.bottlenecks import Code

GRADIENTS = ("standard", "stl", "dreg")
_LARGEST = 60.0  # of the logarithm of a factor: exp of it and of minus it are float32 numbers


@register("importance_weighted", kind="objective")
class ImportanceWeighted(Objective):
    """Minus a bound on log p(x) of M groups of K draws z_mk ~ q(z|x) each.

    With the log weights l_mk = log p(x|z_mk) + log p(z_mk) - log q(z_mk|x) the bound is

        1/M sum_m [(1 - mix) log 1/K sum_k exp(l_mk) + mix 1/K sum_k l_mk]

    IWAE: one group, mix 0 (Burda et al., "Importance Weighted Autoencoders", 2016, equation 8). MIWAE:
    several groups; CIWAE: a mix of IWAE and ELBO; PIWAE: the encoder is trained with MIWAE, all else with the
    IWAE bound of all M K draws (Rainforth et al., "Tighter Variational Bounds are Not Necessarily Better",
    2018, section 5): more draws make the encoder's gradient noisier, and the decoder's better. The number of
    draws M K is the bottleneck's `samples`. What is reported as loss is minus the bound itself (of PIWAE:
    that of all draws), whatever the gradient.

    Gradients of the encoder: "standard" is that of the bound. "stl" leaves out the score d log q / d phi, of
    mean zero for one draw (Roeder et al., "Sticking the Landing", 2017); for K > 1 it is biased. "dreg" is
    unbiased for every K, and its signal does not fall with K: with normalised weights w, each draw's path
    counts w^2 in the place of w (Tucker et al., "Doubly Reparameterized Gradient Estimators", 2019, equation
    8). All else is trained with the standard gradient.

    Args:
        groups: M, of which the bottleneck's samples are a multiple.
        mix: from 0 to 1, the share of the ELBO.
        pooled: whether all but the encoder is trained with all draws as one group.
        gradient: "standard", "stl" or "dreg".

    Example:
        >>> model = zoo.create("iwae", (6,), latents=2, hidden=(4,), samples=5, gradient="dreg")
        >>> model.compile("adam")
        >>> x = np.random.default_rng(0).random((64, 6), np.float32)
        >>> sorted(model.fit(x, verbose=0).history)
        ['loss', 'reconstruction']
    """

    def __init__(
        self,
        groups: int = 1,
        mix: float = 0.0,
        pooled: bool = False,
        gradient: str = "standard",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.groups = positive_int(groups, "groups")
        share = scalar(mix, "mix", minimum=0)
        if not isinstance(share, float) or share > 1:
            raise ValueError(f"mix must be a number from 0 to 1; received {mix!r}.")
        self.mix: float = share
        self.pooled = bool(pooled)
        self.gradient = one_of(gradient, "gradient", GRADIENTS)

    def check(self, model: Autoencoder) -> None:
        """Refuse a model without densities, a KL term beside the bound, and what a gradient cannot do."""
        from zoo.regularizers import KL

        posterior = model.example_posterior()
        if posterior is None or model.prior_distribution() is None:
            raise ValueError(
                "The objective 'importance_weighted' needs a stochastic bottleneck and a prior that has a "
                "density. Set prior='normal'."
            )
        refuse_measures(model, "importance_weighted")
        if any(isinstance(r, KL) for r in model.regularizers):
            raise ValueError(
                "The objective 'importance_weighted' holds p(z) / q(z|x); leave the regularizer 'kl' out."
            )
        if model.bottleneck.samples % self.groups:
            raise ValueError(
                f"samples must be a multiple of groups={self.groups}; received {model.bottleneck.samples}."
            )
        if self._fixed and not is_location_scale(posterior):
            raise ValueError(
                "pooled=True and the gradients 'stl' and 'dreg' need a posterior of a location and a scale, "
                "such as 'normal'. Take gradient='standard' and pooled=False."
            )
        if self._gated and model.regularizers:
            raise ValueError(
                "pooled=True and gradient='dreg' weigh what reaches the encoder, the terms of regularizers "
                f"too; received {', '.join(r.name for r in model.regularizers)}. Leave them out."
            )

    @property
    def _fixed(self) -> bool:
        """Whether the score d log q / d phi is left out, or weighed by itself."""
        return self.pooled or self.gradient != "standard"

    @property
    def _gated(self) -> bool:
        return self.pooled or self.gradient == "dreg"

    def received(self, code: Code) -> Code:
        """The code behind a `Gate`, where the encoder's gradient is not that of the bound."""
        if not self._gated:
            return code
        gate = Gate()
        return code._replace(value=gate.passed(code.value), notes={**code.notes, "gate": gate})

    def terms(self, forward: ForwardPass) -> dict[str, tf.Tensor]:
        """Minus the bound, and the mean reconstruction."""
        reconstruction, code = forward.reconstruction(), forward.code
        posterior = held_fixed(forward.posterior) if self._fixed else forward.posterior
        log_weights = forward.prior.log_prob(code) - posterior.log_prob(code) - reconstruction
        log_weights = tf.reshape(log_weights, (-1, forward.samples))
        groups = 1 if self.pooled else self.groups
        bound = tf.reduce_mean(self._bounds(log_weights, groups), axis=1)
        known = tf.stop_gradient(log_weights)
        if self._gated:
            forward.notes["gate"].open(self._log_factors(known))
        if self.pooled and self.gradient == "standard":
            score = forward.posterior.log_prob(tf.stop_gradient(code))
            shares = tf.exp(self._log_shares(known, self.groups, False))
            scores = tf.reduce_sum(shares * tf.reshape(score, tf.shape(shares)), axis=1)
            bound -= scores - tf.stop_gradient(scores)  # 0, with the gradient of the score
        return {
            "loss": -forward.mean(bound, "bound"),
            "reconstruction": forward.mean(reconstruction, "reconstruction"),
        }

    def _bounds(self, log_weights: tf.Tensor, groups: int) -> tf.Tensor:
        """(examples, M K) log weights -> (examples, M) bounds."""
        grouped, draws = _grouped(log_weights, groups)
        tight = tf.reduce_logsumexp(grouped, axis=2) - math.log(draws)
        if self.mix == 0:
            return tight
        return (1 - self.mix) * tight + self.mix * tf.reduce_mean(grouped, axis=2)

    def _log_factors(self, log_weights: tf.Tensor) -> tf.Tensor:
        """The logarithm of what the encoder is to receive of a draw, over what the decoder hands on."""
        wanted = self._log_shares(log_weights, self.groups, self.gradient == "dreg")
        given = self._log_shares(log_weights, 1 if self.pooled else self.groups, False)
        return tf.clip_by_value(wanted - given, -_LARGEST, _LARGEST)

    def _log_shares(self, log_weights: tf.Tensor, groups: int, squared: bool) -> tf.Tensor:
        """The logarithm of d bound / d l_mk, (examples, M K); the normalised weights may be squared."""
        grouped, draws = _grouped(log_weights, groups)
        normalised = tf.nn.log_softmax(grouped, axis=2) * (2.0 if squared else 1.0)
        if self.mix > 0:
            even = tf.fill(tf.shape(grouped), math.log(self.mix / draws))
            tight = math.log(1 - self.mix) if self.mix < 1 else -math.inf
            normalised = tf.reduce_logsumexp(tf.stack([normalised + tight, even]), axis=0)
        return tf.reshape(normalised - math.log(groups), tf.shape(log_weights))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "groups": self.groups,
            "mix": self.mix,
            "pooled": self.pooled,
            "gradient": self.gradient,
        }


class Gate:
    """Lets a code through as it is, and multiplies its gradient by factors that are known later.

    The gradient is computed when the loss is there, and so is the factor by then. A second decoder pass, by
    which the two gradients could be had one after the other, would cost about as much as the first.
    """

    def __init__(self) -> None:
        self._log_factors: tf.Tensor | None = None

    def passed(self, code: tf.Tensor) -> tf.Tensor:
        """The code, (rows, *code)."""

        @tf.custom_gradient
        def identity(values: tf.Tensor) -> tuple[tf.Tensor, Any]:
            return tf.identity(values), self._weighed

        passed: Any = identity(code)  # the decorator takes the gradient away
        return passed

    def open(self, log_factors: tf.Tensor) -> None:
        """Set the factors, (examples, draws), in the order of the rows."""
        self._log_factors = log_factors

    def _weighed(self, upstream: tf.Tensor) -> tf.Tensor:
        if self._log_factors is None:
            raise ValueError("A gate was asked for a gradient before its factors were set.")
        axes = [1] * (len(upstream.shape) - 1)
        return upstream * tf.reshape(tf.exp(self._log_factors), (-1, *axes))


def held_fixed(posterior: tfd.Distribution) -> tfd.Distribution:
    """A posterior of a location and a scale, through which no gradient reaches them."""
    base: Any = base_distribution(posterior)
    fixed = type(base)(tf.stop_gradient(base.loc), tf.stop_gradient(base.scale))
    return tfd.Independent(fixed, len(base.loc.shape) - len(posterior.batch_shape))


def _grouped(log_weights: tf.Tensor, groups: int) -> tuple[tf.Tensor, int]:
    """(examples, M K) -> (examples, M, K), and K."""
    samples: Any = log_weights.shape[1]
    return tf.reshape(log_weights, (-1, groups, samples // groups)), samples // groups
