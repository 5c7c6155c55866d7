"""A prior that depends on the condition."""

from __future__ import annotations

import math
from typing import Any

import keras
import tensorflow as tf

from zoo.distributions.priors import PriorDraw, UnscaledPrior
from zoo.noise import Noise
from zoo.registry import register
from zoo.tfp import tfd


@register("conditional_normal", kind="prior")
class ConditionalNormalPrior(UnscaledPrior):
    """p(z|c) = N(A c + a, diag exp(B c + b)^2), learned with the model; N(0, I) for every c at first.

    Sohn et al., "Learning Structured Output Representation", 2015, section 4.1, with a linear layer in the
    place of the paper's network: for one-hot labels it is as general as any.

    Example:
        >>> model = zoo.create(
        ...     "conditional_vae", (6,), condition=3, latents=2, hidden=(4,), prior="conditional_normal"
        ... )
        >>> model.prior_distribution(np.eye(3, dtype="float32")).batch_shape
        TensorShape([3])
    """

    sees_model = True

    def build(self, input_shape: Any = None) -> None:
        """Create the linear layer.

        Raises:
            ValueError: in a model that declares no condition.
        """
        declared = self.model.intake.condition
        if declared is None:
            raise ValueError(
                "The prior 'conditional_normal' needs a model that declares a condition, such as "
                "'conditional_vae'."
            )
        self.width = declared.width
        units = math.prod(input_shape[1:])
        self.linear = keras.layers.Dense(2 * units, kernel_initializer="zeros", dtype="float32")
        self.linear.build((None, self.width))
        super().build(input_shape)

    def distribution(self, *code_shape: int, condition: Any = None) -> tfd.Distribution:
        """p(z|c), batch shape (batch,), event shape (*code); without a condition that of c = 0."""
        if condition is None:
            condition = tf.zeros((1, self.width))
        loc, log_scale = tf.split(self.linear(condition), 2, axis=-1)
        loc, log_scale = (tf.reshape(value, (-1, *code_shape)) for value in (loc, log_scale))
        return tfd.Independent(tfd.Normal(loc, tf.exp(log_scale)), len(code_shape))

    def draw(
        self,
        noise: Noise,
        batch: Any,
        *code_shape: int,
        label: Any = None,
        training: bool = False,
        condition: Any = None,
    ) -> PriorDraw:
        """See `Prior.draw`."""
        if label is not None:
            super().draw(noise, batch, *code_shape, label=label)  # refuses it
        base: Any = self.distribution(*code_shape, condition=condition).distribution
        return PriorDraw(None, base.loc + base.scale * noise.normal(batch, *code_shape))
