"""Total correlation of the code, by a density-ratio critic: the FactorVAE's regularizer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

import zoo
from zoo import gather

from .critics import Critic


@zoo.register("total_correlation")
class TotalCorrelation(Critic):
    """KL(q(z) || prod_j q(z_j)) (Kim & Mnih, "Disentangling by Factorising", 2018, equations 2 and 3).

    A critic D tells codes from codes whose units are permuted over the batch, each on its own; then

        TC = E_q(z)[log D(z) - log(1 - D(z))]

    which is the mean of the critic's logits.

    Args:
        weight: gamma, a number or a Keras schedule of the training step.
        hidden: units of the critic's hidden layers; the paper's has six of 1000.
        norm: as in `Critic`.
        learning_rate: of the critic's Adam.
        **options: as in `zoo_plugins.critics.Critic`, but for `form`: the model takes the density ratio.

    Example:
        >>> critic = zoo.get("total_correlation", hidden=(8,), weight=5.0)
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,), regularizers=[critic])
        >>> model.compile()
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> "total_correlation" in model.evaluate(x, return_dict=True, verbose=0)
        True
    """

    def __init__(
        self,
        weight: Any = 10.0,
        hidden: Sequence[int] = (256, 256, 256),
        norm: str = "none",
        learning_rate: Any = 1e-4,
        **options: Any,
    ):
        super().__init__(weight, hidden=hidden, norm=norm, learning_rate=learning_rate, **options)
        if self.form != "non_saturating":
            raise ValueError(
                "The regularizer 'total_correlation' reads a density ratio from its critic, which no other "
                f"form gives; received form={self.form!r}. Leave form out."
            )

    def check(self, model: zoo.Autoencoder) -> None:
        """A code of one unit has no correlation."""
        if model.units < 2:
            raise ValueError(
                "The regularizer 'total_correlation' needs at least 2 latents; received 1."
            )

    def build(self, event_shape: tuple[int, ...] = (), units: int = 0) -> None:
        """Create the critic."""
        self.critic = self.network((units,))
        super().build(event_shape, units)

    def penalty(self, forward: zoo.ForwardPass, training: bool = False) -> tf.Tensor:
        """(batch,), in nats; the mean estimates the total correlation."""
        return self.once("joint", forward, lambda: self.critic(forward.vectors, training=training))[
            :, 0
        ]

    def critic_loss(self, forward: zoo.ForwardPass) -> tf.Tensor:
        """A scalar, in nats."""

        def judge() -> tf.Tensor:
            return self.critic(self.blurred(forward.vectors, forward, "joint"), training=True)

        return self.separate(
            self.once("joint", forward, judge), self.critic(self.permuted(forward), training=True)
        )

    def permuted(self, forward: zoo.ForwardPass) -> tf.Tensor:
        """The codes of the global batch, the rows of each unit in an order of its own, (batch, units)."""
        code = gather(forward.vectors)
        # Drawn where the rows are, so that the order does not depend on the number of replicas.
        uniform = forward.noise.fold("order").uniform(tf.shape(forward.code)[0], code.shape[-1])
        order = tf.argsort(gather(uniform), axis=0)
        return tf.transpose(tf.gather(tf.transpose(code), tf.transpose(order), batch_dims=1))
