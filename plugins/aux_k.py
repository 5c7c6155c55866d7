"""A second chance for units that no longer fire."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

import zoo


@zoo.register("aux_k")
class AuxK(zoo.Regularizer):
    """||e - e_hat||^2 / Var(e), e_hat the error e = x - x_hat as the dead units would explain it.

    e_hat is decoded, without b, from the k largest positive raw codes of units that are dead: that did not
    fire in the last `dead_after` rows of training. A unit fires where its code is not 0. e is held
    constant. 0 while no unit is dead (Gao et al., "Scaling and evaluating sparse autoencoders", 2024,
    appendix A.2).

    A unit whose raw code is negative on all data gets nothing of it; `zoo.recipes.dictionaries.resample`
    starts such a unit anew.

    Args:
        k: dead units that explain; None for half the numbers of an example.
        dead_after: rows of training, at least 1. The default acts in runs of an epoch too, and a unit of a
            feature rarer than 1 in 10,000 is called dead now and then.
        weight: a number or a Keras schedule of the training step.
        name: name of the metric.

    Attributes:
        quiet: (units,) rows of training since each unit fired.

    Example:
        >>> model = zoo.create("top_k_sae", (6,), latents=12, target_l0=3)
        >>> term = model.regularizers[0]
        >>> (term.name, term.k, term.dead_after, round(term.weight, 4))
        ('aux_k', None, 10000, 0.0312)
    """

    sees_model = True

    def __init__(
        self,
        k: int | None = None,
        dead_after: int = 10_000,
        *,
        weight: Any = 1 / 32,
        name: str | None = None,
    ):
        super().__init__(weight, name)
        self.k = None if k is None else zoo.positive_int(k, "k of aux_k")
        self.dead_after = zoo.positive_int(dead_after, "dead_after of aux_k")

    def build(self, event_shape: tuple[int, ...] = (), units: int = 0) -> None:
        """Create the counters."""
        self.quiet = self.add_weight(
            name="quiet", shape=(units,), initializer="zeros", trainable=False
        )
        super().build(event_shape, units)

    def check(self, model: zoo.Autoencoder) -> None:
        """There must be atoms, and a raw code."""
        if not isinstance(model.decoder, zoo.networks.Dictionary):
            raise ValueError(
                "The regularizer 'aux_k' needs a decoder zoo.networks.Dictionary; received "
                f"{type(model.decoder).__name__}."
            )
        if isinstance(
            model.bottleneck, zoo.bottlenecks.Stochastic | zoo.bottlenecks.CategoricalStyle
        ):
            raise ValueError(
                "The regularizer 'aux_k' needs a sparse bottleneck, such as 'top_k'; received "
                f"{type(model.bottleneck).__name__}."
            )
        if self.k is not None and self.k > model.units:
            raise ValueError(
                f"k of aux_k must be at most the number of units, {model.units}; received {self.k}."
            )

    @property
    def dead(self) -> tf.Tensor:
        """(units,) booleans."""
        return tf.convert_to_tensor(self.quiet) >= self.dead_after

    def penalty(self, forward: zoo.ForwardPass, training: bool = False) -> tf.Tensor:
        """(batch,)."""
        decoder: Any = self.model.decoder
        dead, scale = self.dead, tf.convert_to_tensor(decoder.offset.scale)
        if training:
            self._count(forward.code)
        target = forward.inputs if forward.target is None else forward.target
        decoded: Any = forward.decoded
        error = tf.stop_gradient(target - tf.cast(decoded, tf.float32)) / scale
        # Most steps have no dead unit, and nothing to select or to decode.
        estimate = tf.cond(
            tf.reduce_any(dead),
            lambda: decoder.write(self._largest(forward, dead), few=training) / scale,
            lambda: tf.zeros_like(error),
        )
        axes = list(range(1, len(error.shape)))
        rows = zoo.gather(error)
        variance = tf.reduce_mean(tf.reduce_sum(tf.square(rows - tf.reduce_mean(rows, 0)), axes))
        left = tf.reduce_sum(tf.square(error - estimate), axes)
        share = tf.math.divide_no_nan(left, variance)
        return tf.where(tf.reduce_any(dead), share, tf.zeros_like(share))

    def _largest(self, forward: zoo.ForwardPass, dead: tf.Tensor) -> tf.Tensor:
        """The k largest positive raw codes of dead units, (batch, units), 0 elsewhere."""
        raw = forward.code if forward.raw is None else forward.raw
        values = tf.where(dead, tf.nn.relu(raw), 0.0)
        size = 1
        for side in self.model.event_shape:
            size *= side
        k = min(max(size // 2, 1) if self.k is None else self.k, self.model.units)
        return zoo.keep_largest(values, k)

    def _count(self, code: tf.Tensor) -> None:
        fired = tf.reduce_any(tf.not_equal(zoo.gather(code), 0.0), axis=0)
        rows = tf.cast(tf.shape(zoo.gather(code[:, :1]))[0], tf.float32)
        self.quiet.assign(tf.where(fired, 0.0, self.quiet + rows))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "k": self.k, "dead_after": self.dead_after}
