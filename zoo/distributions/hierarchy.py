"""Codes of several levels, each given those above it: a density, and the prior that is learned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from zoo.distributions.families import loc_and_scale
from zoo.distributions.priors import UnscaledPrior
from zoo.noise import Noise
from zoo.registry import register
from zoo.serialization import positive_int
from zoo.tfp import tfd

# From the number of a level, 0 for the lowest, and the code of all levels above it to p(z_l | above).
Level = Callable[[int, tf.Tensor], tfd.Normal]


class Hierarchy(tfd.Distribution):
    """p(z) = prod_l p(z_l | z_(l+1) .. z_L), with the levels side by side in one code, the lowest first.

    Args:
        levels: L, of equal numbers of units.
        units: of all levels together.
        level: gives the distribution of a level.
        batch_shape: of the distributions that `level` gives, without their units.
        path: the draw that this was made along, and the distributions of its levels, lowest first; the
            divergence from another hierarchy is then known level by level.

    Example:
        >>> from tensorflow_probability import distributions as tfd
        >>> from zoo.distributions.hierarchy import Hierarchy
        >>> def level(number, above):  # the lower one lies around the higher one
        ...     return tfd.Normal(np.zeros(1, "float32"), 1.0) if number else tfd.Normal(above, 0.1)
        >>> pair = Hierarchy(2, 2, level)
        >>> pair.sample(5, seed=0).shape, pair.event_shape
        (TensorShape([5, 2]), TensorShape([2]))
    """

    def __init__(
        self,
        levels: int,
        units: int,
        level: Level,
        batch_shape: Any = (),
        path: tuple[tf.Tensor, Sequence[tfd.Normal]] | None = None,
    ):
        self.levels = levels
        self.units = units
        self.level = level
        self.path = path
        self._rows = batch_shape
        super().__init__(
            dtype=tf.float32,
            reparameterization_type=tfd.FULLY_REPARAMETERIZED,
            validate_args=False,
            allow_nan_stats=True,
            name="Hierarchy",
        )

    def along(self, code: tf.Tensor) -> list[tfd.Normal]:
        """The distributions of all levels given a code, lowest first."""
        units: Any = code
        size = self.units // self.levels
        return [
            self.level(number, units[..., (number + 1) * size :]) for number in range(self.levels)
        ]

    def level_log_probs(self, code: tf.Tensor) -> list[tf.Tensor]:
        """Log p(z_l | above) of every level, lowest first."""
        parts = tf.split(code, self.levels, axis=-1)
        return [
            tf.reduce_sum(level.log_prob(part), axis=-1)
            for level, part in zip(self.along(code), parts, strict=True)
        ]

    def _log_prob(self, value: tf.Tensor) -> tf.Tensor:
        return tf.add_n(self.level_log_probs(value))

    def _sample_n(self, n: Any, seed: Any = None) -> tf.Tensor:
        seeds = tfp.random.split_seed(seed, n=self.levels)
        above = tf.zeros(tf.concat([[n], self._batch_shape_tensor(), [0]], axis=0))
        for number in reversed(range(self.levels)):
            level = self.level(number, above)
            drawn = level.sample(n if number == self.levels - 1 else (), seed=seeds[number])
            above = tf.concat([drawn, above], axis=-1)
        return above

    @classmethod
    def _parameter_properties(cls, dtype: Any, num_classes: Any = None) -> dict[str, Any]:
        return {}

    def _batch_shape(self) -> tf.TensorShape:
        return tf.TensorShape(self._rows)

    def _batch_shape_tensor(self) -> tf.Tensor:
        top: Any = self.level(self.levels - 1, _NOTHING)
        return tf.shape(top.loc)[:-1]

    def _event_shape(self) -> tf.TensorShape:
        return tf.TensorShape([self.units])

    def _event_shape_tensor(self) -> tf.Tensor:
        return tf.constant([self.units])


_NOTHING: Any = None


@tfd.RegisterKL(Hierarchy, Hierarchy)
def kl_along_the_draw(q: Hierarchy, p: Hierarchy, name: str | None = None) -> tf.Tensor:
    """sum_l KL(q(z_l | above, x) || p(z_l | above)) along the draw z that q was made with.

    Unbiased, and of less variance than log q(z|x) - log p(z) at the same draw (Sønderby et al., "Ladder
    Variational Autoencoders", 2016, equation 6).

    Args:
        q: the posterior, made along a draw.
        p: the prior.
        name: unused.

    Returns:
        (batch,) nats.

    Raises:
        NotImplementedError: where q was made along none, so that the divergence is to be sampled.
    """
    del name
    total: Any = sum(kl_of_levels(q, p))
    return total


def kl_of_levels(q: Hierarchy, p: Hierarchy) -> list[tf.Tensor]:
    """The terms of `kl_along_the_draw`, lowest level first, (batch,) each."""
    if q.path is None or p.levels != q.levels:
        raise NotImplementedError(
            "A hierarchy that was made along no draw has no closed divergence."
        )
    code, levels = q.path
    return [
        tf.reduce_sum(tfd.kl_divergence(own, other), axis=-1)
        for own, other in zip(levels, p.along(code), strict=True)
    ]


class Levels(keras.layers.Layer):
    """A network for each level: from what is above it, and a context, to a location and a scale.

    Args:
        levels: how many.
        units: of all levels together.
        hidden: units of the hidden layer of each network.
        context: width of what every level is given beside the levels above, 0 for nothing; the top level is
            then N(0, I).
    """

    def __init__(self, levels: int, units: int, hidden: int, context: int = 0, **kwargs: Any):
        super().__init__(dtype="float32", **kwargs)
        dense = keras.layers.Dense
        self.size = units // levels
        self.inner = [dense(hidden, activation="relu", dtype="float32") for _ in range(levels)]
        self.outer = [dense(2 * self.size, dtype="float32") for _ in range(levels)]
        self.top = levels - 1
        self.context = context
        if context == 0:
            self.inner.pop()
            self.outer.pop()

    def build(self, input_shape: Any = None) -> None:
        """Create the networks."""
        del input_shape
        for number, (inner, outer) in enumerate(zip(self.inner, self.outer, strict=True)):
            inner.build((None, self.context + (self.top - number) * self.size))
            outer.build((None, inner.units))
        self.built = True

    def level(self, number: int, above: tf.Tensor | None, context: Any = None) -> tfd.Normal:
        """The distribution of a level.

        Args:
            number: of the level, 0 for the lowest.
            above: (..., batch, units of the levels above), None or none for the top level.
            context: (batch, width), or None.

        Returns:
            Normal, batch shape (..., batch, units of a level).
        """
        if number == self.top and context is None:
            return tfd.Normal(tf.zeros(self.size), tf.ones(self.size))
        given: Any = above
        if number == self.top:
            given = context
        elif context is not None:
            shape = tf.concat([tf.shape(given)[:-1], [context.shape[-1]]], axis=0)
            given = tf.concat([tf.broadcast_to(context, shape), given], axis=-1)
        return tfd.Normal(*loc_and_scale(self.outer[number](self.inner[number](given))))


@register("hierarchical", kind="prior")
class HierarchicalPrior(UnscaledPrior):
    """p(z) = N(z_L; 0, I) prod_(l < L) N(z_l; m_l(above), diag s_l(above)^2), learned with the model.

    Rezende et al., "Stochastic Backpropagation and Approximate Inference in Deep Generative Models", 2014,
    equation 3; every level sees all those above it, as in Vahdat & Kautz, "NVAE", 2020, section 3.

    Args:
        levels: L, of equal numbers of units.
        hidden: units of the hidden layer of each level's network.

    Example:
        >>> model = zoo.create("hierarchical_vae", (6,), latents=2, levels=2, hidden=(4,))
        >>> model.prior_distribution().event_shape, model.generate(3, seed=0).shape
        (TensorShape([4]), (3, 6))
    """

    fixed = ("levels", "hidden")

    def __init__(self, levels: int = 2, hidden: int = 64, **kwargs: Any):
        super().__init__(**kwargs)
        self.levels = positive_int(levels, "levels")
        self.hidden = positive_int(hidden, "hidden")

    def build(self, input_shape: Any = None) -> None:
        """Create the networks of the levels for codes of shape (batch, units).

        Raises:
            ValueError: for codes that have no such levels.
        """
        code_shape = tuple(input_shape[1:])
        if len(code_shape) != 1 or code_shape[0] % self.levels:
            raise ValueError(
                f"The prior 'hierarchical' of {self.levels} levels needs codes of one axis whose units are "
                f"a multiple of it; received codes of shape {code_shape}."
            )
        self.networks = Levels(self.levels, code_shape[0], self.hidden, name="levels")
        self.networks.build()
        super().build(input_shape)

    def distribution(self, *code_shape: int, condition: Any = None) -> Hierarchy:
        """The hierarchy, event shape (units,)."""
        del condition
        return Hierarchy(self.levels, code_shape[0], self.networks.level)

    def sample(self, noise: Noise, batch: Any, *code_shape: int) -> tf.Tensor:
        """Draws from the top level downwards, (batch, units) float32."""
        return draw_down(self.levels, code_shape[0], self.networks.level, noise, batch)[0]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "levels": self.levels, "hidden": self.hidden}


def draw_down(
    levels: int, units: int, level: Level, noise: Noise, rows: Any
) -> tuple[tf.Tensor, list[tfd.Normal]]:
    """A draw from the top level downwards, and the distributions of its levels, lowest first.

    Args:
        levels: L.
        units: of all levels together.
        level: as in `Hierarchy`.
        noise: a stream of its own.
        rows: of the batch.

    Returns:
        (rows, units) float32, and L distributions.
    """
    above, found = tf.zeros((rows, 0)), []
    for number in reversed(range(levels)):
        member: Any = level(number, above)
        standard = noise.fold(number).normal(rows, units // levels)
        above = tf.concat([member.loc + member.scale * standard, above], axis=-1)
        found.insert(0, member)
    return above, found
