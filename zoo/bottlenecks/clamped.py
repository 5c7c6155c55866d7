"""Codes of batches in which one factor varies: the units of the others are clamped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from zoo.bottlenecks.base import Code
from zoo.bottlenecks.stochastic import Stochastic
from zoo.networks.with_condition import WithCondition
from zoo.noise import Noise
from zoo.registry import register
from zoo.serialization import at_step, positive_int, scalar, scalar_config
from zoo.trainer.refusals import held
from zoo.trainer.replicas import gather

if TYPE_CHECKING:
    from zoo.autoencoder import Autoencoder

_MIXED = (
    "A batch of {x} varies several factors; a clamped code needs batches of one. Give a stream of such "
    "batches, as zoo.data.sprite_scenes, or arrays in that order with shuffle=False and their batch_size."
)


@register("clamped", kind="bottleneck")
class Clamped(Stochastic):
    """z ~ N(loc(x), scale(x)^2), where the units of factors that do not vary in a batch are clamped.

    Kulkarni et al., "Deep Convolutional Inverse Graphics Network", 2015, sections 3.1 and 3.2. Every factor
    has units of its own, and the model's condition names the factor that varies in a batch. With m the mean
    of z over the batch, the decoder is given z in the units of that factor and m in the others. In the
    backward pass these get, in the place of every other gradient of the loss, that of

        pull ||z - m||^2 / 2

    with m held: their difference to the mean. So the reconstruction and the KL term train the units of the
    factor alone, though the value of the KL term counts all.

    All this is of training. A batch of labels -1 clamps nothing; nor do evaluation, `encode` and the other
    uses, where each example stands for itself and no label is needed. With several replicas the mean is that
    of the global batch.

    Args:
        sizes: units of each factor, in the order of the labels.
        pull: weight of the pull to the mean, 1/100 in the paper; a number or a Keras schedule of the
            training step.
        **kwargs: as in `zoo.bottlenecks.DenseBottleneck`.

    Example:
        >>> model = zoo.create("dc_ign", (6,), sizes=(2, 1), networks="mlp", hidden=(8,))
        >>> x = np.random.default_rng(0).random((64, 6), np.float32)
        >>> model.compile("adam")
        >>> factor = np.repeat([0, 1], 32)  # batches of 32 rows
        >>> sorted(model.fit(x, factor, shuffle=False, verbose=0).history)
        ['kl', 'loss', 'pull', 'reconstruction']
        >>> model.encode(x).shape
        (64, 3)
    """

    fixed = ("sizes", "samples")
    infers_condition = True
    # XLA leaves assertions out, and a batch of several factors would pass.
    jit_possible = False

    def __init__(self, sizes: Sequence[int], pull: Any = 0.01, **kwargs: Any):
        self.sizes = tuple(positive_int(size, "sizes") for size in sizes)
        super().__init__(sum(self.sizes), family="normal", samples=1, **kwargs)
        self.pull = scalar(pull, "pull", minimum=0)

    def build(self, features_shape: Sequence[int | None]) -> None:
        """Create the dense layer, which is not given the condition behind the features."""
        width: Any = features_shape[-1]
        super().build((*features_shape[:-1], width - len(self.sizes)))

    def check(self, model: Autoencoder) -> None:
        """The condition is the factor, and reaches the bottleneck behind the features."""
        declared = model.intake.condition
        if declared is None or declared.declared != len(self.sizes):
            raise ValueError(
                f"The bottleneck 'clamped' of {len(self.sizes)} factors needs a model with "
                f"condition={len(self.sizes)}; received {model.condition!r}."
            )
        if not isinstance(model.encoder, WithCondition):
            raise ValueError(
                "The bottleneck 'clamped' needs to see the condition. Wrap the encoder in "
                "zoo.networks.WithCondition."
            )

    def numbers(self, features: tf.Tensor) -> tf.Tensor:
        """What the dense layer gives for the features alone, (batch, outputs) float32."""
        return super().numbers(self._parted(features)[0])

    def draw(self, features: tf.Tensor, noise: Noise, step: tf.Tensor, training: bool) -> Code:
        """See `Bottleneck.draw`; the term "pull" is 0 outside training."""
        if not training:
            free = super().draw(features, noise, step, training)
            return free._replace(losses={"pull": tf.zeros_like(free.value[:, 0])})
        factor = tf.cast(self._parted(features)[1], tf.float32)
        everyone = gather(factor)
        same = tf.reduce_all(tf.equal(everyone, everyone[:1]))
        with tf.control_dependencies([held("training", same, _MIXED)]):
            factor = tf.identity(factor)
        named = tf.reduce_sum(factor, axis=-1, keepdims=True)
        active = factor @ self._members + (1 - named)
        parameters = self._parameters(features)
        z, _ = self.family.draw(parameters, noise)
        mean = tf.stop_gradient(tf.reduce_mean(gather(z), axis=0, keepdims=True))
        apart = tf.reduce_sum((1 - active) * tf.square(z - mean), axis=-1)
        passed = [active * value + (1 - active) * tf.stop_gradient(value) for value in parameters]
        return Code(
            active * z + (1 - active) * mean,
            self.family.member(tuple(passed)),
            losses={"pull": at_step(self.pull, step) * apart / 2},
        )

    def _parted(self, features: tf.Tensor) -> list[tf.Tensor]:
        """The features of the encoder's network, and the condition that stands behind them."""
        return tf.split(features, [-1, len(self.sizes)], axis=-1)

    @property
    def _members(self) -> np.ndarray:
        """(factors, units), 1 where the unit is of the factor."""
        return np.repeat(np.eye(len(self.sizes), dtype=np.float32), self.sizes, axis=1)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = super().get_config()
        own = {"sizes": self.sizes, "pull": scalar_config(self.pull)}
        return {k: v for k, v in config.items() if k not in ("units", "family", "samples")} | own
