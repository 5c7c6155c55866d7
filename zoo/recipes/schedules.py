"""Schedules of the training step that Keras lacks, for weights, p, k and learning rates."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from zoo.serialization import number, scalar, scalar_config, serializable
from zoo.values import positive_int

_Schedule = keras.optimizers.schedules.LearningRateSchedule


@serializable
class LinearSchedule(_Schedule):
    """start + (end - start) * min(step / steps, 1): a straight line, then constant.

    The k of the k-sparse autoencoder falls so over the first half of its epochs (Makhzani & Frey,
    "k-Sparse Autoencoders", on scheduling the sparsity level); a KL term is warmed up so from 0.

    Args:
        start: value at step 0.
        end: value from step `steps` on.
        steps: training steps until then, at least 1.

    Example:
        >>> schedule = zoo.recipes.LinearSchedule(0.0, 4.0, steps=100)
        >>> [float(schedule(step)) for step in (0, 50, 100, 1000)]
        [0.0, 2.0, 4.0, 4.0]
        >>> model = zoo.create("beta_vae", (6,), latents=2, hidden=(4,), beta=schedule)
    """

    def __init__(self, start: float, end: float, steps: int):
        self.start = number(start, "start")
        self.end = number(end, "end")
        self.steps = positive_int(steps, "steps")

    def __call__(self, step: Any) -> tf.Tensor:
        """The value after `step` training steps, a float32 scalar."""
        share = tf.minimum(tf.cast(step, tf.float32) / self.steps, 1.0)
        return self.start + (self.end - self.start) * share

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"start": self.start, "end": self.end, "steps": self.steps}


@serializable
class WarmUp(_Schedule):
    """value * min(step / steps, 1): from 0 to a value or to another schedule.

    Args:
        value: what is reached, a number or a Keras schedule, which is asked for the same step.
        steps: training steps until then, at least 1.

    Example:
        >>> schedule = zoo.recipes.WarmUp(4.0, steps=100)
        >>> [float(schedule(step)) for step in (0, 50, 100, 1000)]
        [0.0, 2.0, 4.0, 4.0]
    """

    def __init__(self, value: Any, steps: int):
        self.value = scalar(value, "value")
        self.steps = positive_int(steps, "steps")

    def __call__(self, step: Any) -> tf.Tensor:
        """The value after `step` training steps, a float32 scalar."""
        target = self.value(step) if isinstance(self.value, _Schedule) else self.value
        return tf.cast(target, tf.float32) * tf.minimum(tf.cast(step, tf.float32) / self.steps, 1.0)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"value": scalar_config(self.value), "steps": self.steps}


@serializable
class CyclicWarmUp(_Schedule):
    """A sawtooth that climbs from 0 to `value` over `ramp` of each cycle and stays there for the rest.

    Fu et al., "Cyclical Annealing Schedule: A Simple Approach to Mitigating KL Vanishing", 2019,
    equations 6 and 7.

    Args:
        value: the highest value.
        steps: training steps of a cycle, at least 1.
        ramp: share of a cycle that climbs, above 0 and at most 1.
        cycles: number of cycles, after which the value stays.

    Example:
        >>> schedule = zoo.recipes.CyclicWarmUp(1.0, steps=100, ramp=0.5, cycles=2)
        >>> [float(schedule(step)) for step in (0, 25, 75, 100, 125, 1000)]
        [0.0, 0.5, 1.0, 0.0, 0.5, 1.0]
    """

    def __init__(self, value: float, steps: int, ramp: float = 0.5, cycles: int = 4):
        self.value = number(value, "value")
        self.steps = positive_int(steps, "steps")
        self.ramp = number(ramp, "ramp")
        self.cycles = positive_int(cycles, "cycles")
        if not 0 < self.ramp <= 1:
            raise ValueError(f"ramp must lie in (0, 1]; received {ramp!r}.")

    def __call__(self, step: Any) -> tf.Tensor:
        """The value after `step` training steps, a float32 scalar."""
        step = tf.cast(step, tf.float32)
        share = tf.math.floormod(step, float(self.steps)) / self.steps / self.ramp
        share = tf.where(step < float(self.steps * self.cycles), tf.minimum(share, 1.0), 1.0)
        return self.value * share

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "value": self.value,
            "steps": self.steps,
            "ramp": self.ramp,
            "cycles": self.cycles,
        }
