"""Regularizers with a critic: a network that is trained against the model."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from zoo.forward import ForwardPass
from zoo.regularizers.base import Regularizer
from zoo.serialization import positive_int
from zoo.trainer.optimizers import Adam


class AdversarialRegularizer(Regularizer):
    """A regularizer that owns critic networks and their optimizer.

    A training step takes one step of the model on the sum of all terms, then `critic_steps` steps of
    each critic on its `critic_loss`, with the critic's own optimizer. Critics' weights are never part of
    the model's own update. They and the optimizer are saved and restored with the model.

    Args:
        weight: as in `Regularizer`.
        learning_rate: of the critic's Adam, a number above 0 or a Keras schedule of the critic's steps.
        beta_1: Adam's first decay rate.
        critic_steps: critic updates for each update of the model.
        name: name of the metric; the critic's loss is reported as ``<name>_critic``.

    A plugin implements `penalty`, `critic_loss` and `build`, which assigns the networks and ends with
    ``super().build(event_shape, units)``; `critic_layers` names the layers that belong to the critic.

    Example:
        >>> import tensorflow as tf
        >>> class Critic(zoo.AdversarialRegularizer):  # tells codes from uniform numbers
        ...     def build(self, event_shape=(), units=0):
        ...         self.critic = keras.Sequential([keras.Input((units,)), keras.layers.Dense(1)])
        ...         super().build(event_shape, units)
        ...     def penalty(self, forward, training=False):
        ...         return tf.nn.softplus(-self.critic(forward.vectors)[:, 0])
        ...     def critic_loss(self, forward):
        ...         uniform = forward.noise.uniform(tf.shape(forward.vectors)[0], 2)
        ...         real, fake = self.critic(uniform), self.critic(forward.vectors)
        ...         return tf.reduce_mean(tf.nn.softplus(-real) + tf.nn.softplus(fake))
        >>> model = zoo.create("autoencoder", (6,), latents=2, hidden=(4,), regularizers=[Critic()])
        >>> model.compile()
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> history = model.fit(x, verbose=0)
        >>> sorted(history.history)
        ['critic', 'critic_critic', 'loss', 'reconstruction']
    """

    def __init__(
        self,
        weight: Any = 1.0,
        learning_rate: Any = 2e-4,
        beta_1: float = 0.5,
        critic_steps: int = 1,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(weight, name, **kwargs)
        if isinstance(learning_rate, dict):
            learning_rate = keras.saving.deserialize_keras_object(learning_rate)
        schedule = isinstance(learning_rate, keras.optimizers.schedules.LearningRateSchedule)
        if not schedule and not (isinstance(learning_rate, int | float) and learning_rate > 0):
            raise ValueError(
                f"learning_rate of {self.name}'s critic must be a number above 0 or a Keras schedule; "
                f"received {learning_rate!r}."
            )
        self.critic_steps = positive_int(critic_steps, "critic_steps")
        rate: Any = learning_rate  # a schedule too, which Keras does not say
        self.optimizer = Adam(rate, beta_1=beta_1)

    @property
    def critic_layers(self) -> list[keras.Layer]:
        """The layers that the critic's optimizer trains; by default every layer that is an attribute."""
        return list(self._layers)

    @property
    def critic_variables(self) -> list[keras.Variable]:
        """The trainable variables of the critic."""
        return [v for layer in self.critic_layers for v in layer.trainable_variables]

    def critic_loss(self, forward: ForwardPass) -> tf.Tensor:
        """What the critic minimises, a scalar; `forward` counts as constant here."""
        raise NotImplementedError(f"{type(self).__name__} must define critic_loss(forward).")

    def build(self, event_shape: tuple[int, ...] = (), units: int = 0) -> None:
        """Build the optimizer; the networks must be built before."""
        super().build(event_shape, units)
        self.optimizer.build(self.critic_variables)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        optimizer = self.optimizer.get_config()
        return {
            **super().get_config(),
            "learning_rate": optimizer["learning_rate"],
            "beta_1": optimizer["beta_1"],
            "critic_steps": self.critic_steps,
        }
