"""A KL term held at a capacity that grows: the annealed VAE's regularizer."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

import zoo


@zoo.register("kl_capacity")
class KLCapacity(zoo.regularizers.KL):
    """|E_x KL(q(z|x) || p(z)) - C|, the mean over the global batch.

    Burgess et al., "Understanding Disentangling in beta-VAE", 2018, equation 8.

    Args:
        capacity: C in nats, a number of at least 0 or a Keras schedule of the training step.
        weight: gamma, a number or a schedule.
        estimator: of the divergence, as in `zoo.regularizers.KL`.
        name: name of the metric.

    Example:
        >>> capacity = zoo.recipes.LinearSchedule(0.0, 25.0, steps=1000)
        >>> model = zoo.create(
        ...     "vae", (6,), latents=2, hidden=(4,), beta=0.0,
        ...     regularizers=[{"name": "kl_capacity", "capacity": capacity}],
        ... )
        >>> model.compile()
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> found = model.evaluate(x, return_dict=True, verbose=0)
        >>> np.allclose(found["kl_capacity"], found["kl"], rtol=1e-4)  # C is 0 at the first step
        True
    """

    def __init__(
        self,
        capacity: Any = 25.0,
        *,
        weight: Any = 100.0,
        estimator: str = "auto",
        name: str | None = None,
    ):
        super().__init__(weight, estimator, name)
        self.capacity = zoo.scalar(capacity, "capacity of kl_capacity", minimum=0)

    def penalty(self, forward: zoo.ForwardPass, training: bool = False) -> tf.Tensor:
        """A scalar, in nats."""
        divergence = tf.reduce_mean(zoo.gather(super().penalty(forward, training)))
        return tf.abs(divergence - zoo.at_step(self.capacity, forward.step))

    def holds_down(self, step: int) -> bool:
        """Whether the capacity is still rising, or is to be next to nothing."""
        steps = tf.constant(step), tf.constant(self.LATER)
        now, later = (float(zoo.at_step(self.capacity, at)) for at in steps)
        return now < max(later, self.NOTHING)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "capacity": zoo.scalar_config(self.capacity)}
