"""A penalty whose weight is found in training, so that a stated number of units is active."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from zoo.forward import ForwardPass
from zoo.registry import register
from zoo.regularizers.base import Regularizer
from zoo.serialization import at_step, deserialize_part, number, part, serialize_part
from zoo.trainer.replicas import gather

if TYPE_CHECKING:
    from zoo.autoencoder import Autoencoder


@register("hold_l0")
class HoldL0(Regularizer):
    """A penalty, times a multiplier w over target; w rises while more than `target` units are active.

        log w <- log w + rate * learning_rate * clip(log(L0 / target), -1, 1)

    after every step, with L0 the mean number of units that are not 0: the method of multipliers for the
    constraint L0 = target. A second term, gain times the same difference, is added to log w and damps its
    swing. The optimizer's learning rate makes the multiplier as slow as the weights that it moves. w does not
    fall below `least`: a code that is sparser than asked for would let it fall without end, and it would take
    as long to come back. Where a smaller weight alone is slow to bring units back, `pull` times the same
    difference is added to w while L0 is below the target: the weight may then be negative, a reward.

    Args:
        target: active units of a code, above 0.
        penalty: what holds the units down: a regularizer, a name or a dict.
        rate: of the multiplier, in learning rates.
        gain: of the damping term.
        start: the multiplier before the first step, above 0.
        least: the smallest multiplier, above 0 and at most `start`.
        pull: see above; for penalties whose gradient moves thresholds alone, such as "l0".
        weight: as in `Regularizer`.
        name: name of the metric, which is w penalty / target.

    Attributes:
        log_multiplier: log w, saved with the model.

    Example:
        >>> term = {"name": "hold_l0", "target": 3, "penalty": {"name": "l1"}}
        >>> model = zoo.create("autoencoder", (6,), latents=8, hidden=(), regularizers=[term])
        >>> model.compile()
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> history = model.fit(x, verbose=0)  # all 8 units are active: the multiplier rises
        >>> round(float(np.exp(model.regularizers[0].log_multiplier) / 0.04), 4)
        1.0099
    """

    sees_model = True
    fixed = ("penalty", "start")

    def __init__(
        self,
        target: float = 32,
        penalty: Any = "l1",
        rate: float = 10.0,
        gain: float = 3.0,
        start: float = 0.04,
        least: float = 0.01,
        pull: float = 0.0,
        *,
        weight: Any = 1.0,
        name: str | None = None,
    ):
        super().__init__(weight, name)
        self.target = number(target, "target of hold_l0", minimum=0)
        self.start = number(start, "start of hold_l0", minimum=0)
        self.least = number(least, "least of hold_l0", minimum=0)
        if self.target == 0 or not 0 < self.least <= self.start:
            raise ValueError(
                "target and least of hold_l0 must be above 0, and start at least as large as least; received "
                f"{target!r}, {least!r} and {start!r}."
            )
        self.rate = number(rate, "rate of hold_l0", minimum=0)
        self.gain = number(gain, "gain of hold_l0", minimum=0)
        self.pull = number(pull, "pull of hold_l0", minimum=0)
        if isinstance(penalty, dict) and "name" not in penalty:
            penalty = deserialize_part(penalty, "regularizer")
        self.held: Regularizer = part(penalty, "regularizer", Regularizer)

    @property
    def changes(self) -> int:
        """See `Part`; those of the penalty count."""
        held = self.__dict__.get("held")
        return self.__dict__.get("changes", 0) + (0 if held is None else held.changes)

    def see(self, model: Autoencoder) -> None:
        """See `Part.see`."""
        super().see(model)
        self.held.see(model)

    def check(self, model: Autoencoder) -> None:
        """What the penalty asks for; and no more units than there are."""
        if self.target > model.units:
            raise ValueError(
                f"target of hold_l0 must be at most the number of units, {model.units}; received "
                f"{self.target:g}."
            )
        self.held.check(model)

    def build(self, event_shape: tuple[int, ...] = (), units: int = 0) -> None:
        """Create the multiplier, and what the penalty has."""
        begin: Any = keras.initializers.Constant(math.log(self.start))
        self.log_multiplier = self.add_weight(
            name="log_multiplier", shape=(), initializer=begin, trainable=False
        )
        self.held.build(event_shape, units)
        super().build(event_shape, units)

    def penalty(self, forward: ForwardPass, training: bool = False) -> tf.Tensor:
        """The penalty times w / target, in its shape."""
        log_weight, pull = tf.convert_to_tensor(self.log_multiplier), 0.0
        if training:
            active = tf.math.count_nonzero(gather(forward.vectors), axis=-1, dtype=tf.float32)
            over = tf.math.log(tf.maximum(tf.reduce_mean(active), 1e-3) / self.target)
            over = tf.clip_by_value(over, -1.0, 1.0)
            rate = self.rate * self._learning_rate()
            moved = tf.maximum(log_weight + rate * over, math.log(self.least))
            self.log_multiplier.assign(moved)
            log_weight = log_weight + self.gain * over
            pull = self.pull * tf.minimum(over, 0.0)
        weight = (tf.exp(log_weight) + pull) / self.target * at_step(self.held.weight, forward.step)
        return weight * self.held.penalty(forward, training)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "target": self.target,
            "penalty": serialize_part(self.held),
            "rate": self.rate,
            "gain": self.gain,
            "start": self.start,
            "least": self.least,
            "pull": self.pull,
        }

    def _learning_rate(self) -> Any:
        """The optimizer's; 0 for a model that is not compiled, which does not train."""
        optimizer = getattr(self.model, "optimizer", None)
        return tf.cast(0.0 if optimizer is None else optimizer.learning_rate, tf.float32)
