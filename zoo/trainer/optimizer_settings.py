"""What may be set of an optimizer after `compile`: it acts from the next step on, or is refused."""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

# What a step reads as a number or a word while it is traced. Variables are read in every step.
_PLAIN = (numbers.Number, str, type(None))


def settings(optimizer: keras.Optimizer) -> list[tuple[str, Any]]:
    """The public settings of an optimizer, and of what stands in it: a schedule, other optimizers.

    Args:
        optimizer: of Keras.

    Returns:
        (name, value) of each; of a learning rate, which object it is.

    Example:
        >>> from zoo.trainer.optimizer_settings import settings
        >>> optimizer = keras.optimizers.SGD(0.1)
        >>> before = settings(optimizer)
        >>> optimizer.clipnorm = 1.0
        >>> set(settings(optimizer)) - set(before)
        {('clipnorm', 1.0)}
    """
    rate = vars(optimizer).get("_learning_rate")
    found = [*_plain(optimizer), ("learning_rate", id(rate))]
    if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
        found += _plain(rate)
    for inner in _inner(optimizer):
        found += settings(inner)
    return found


def leaves(optimizer: keras.Optimizer) -> list[keras.Optimizer]:
    """The optimizers that change weights: those within one that scales the loss or shares the weights out.

    Example:
        >>> from zoo.trainer.optimizer_settings import leaves
        >>> scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(name="sgd"))
        >>> [leaf.name for leaf in leaves(scaled)]
        ['sgd']
    """
    inner = _inner(optimizer)
    return [leaf for each in inner for leaf in leaves(each)] if inner else [optimizer]


def configs(optimizers: Iterable[keras.Optimizer]) -> list[dict[str, Any]]:
    """The configuration of each of the `leaves`, for `refuse_other_variables`; also within a trace."""
    with tf.init_scope():
        return [leaf.get_config() for optimizer in optimizers for leaf in leaves(optimizer)]


def refuse_other_variables(
    optimizers: Iterable[keras.Optimizer], before: Sequence[Mapping[str, Any]]
) -> None:
    """Refuse settings that are not allowed, or need other variables than the optimizer was built with.

    Args:
        optimizers: as they are now.
        before: what `configs` gave when their variables were made.

    Raises:
        ValueError: for the first such setting.
    """
    every = [leaf for optimizer in optimizers for leaf in leaves(optimizer)]
    for leaf, old, new in zip(every, before, configs(every), strict=True):
        changed = [name for name in new if new[name] != old.get(name)]
        if not changed:
            continue
        with tf.init_scope():
            kept, wanted = (_variables_of(leaf, dict(config)) for config in (old, new))
        if kept != wanted:
            told = ", ".join(f"{name}={new[name]!r}" for name in changed)
            raise ValueError(
                f"The optimizer lacks variables for what was set after compile(): received {told}. Call "
                "compile() with a new optimizer."
            )


def _inner(optimizer: Any) -> list[Any]:
    """The optimizers of a `MultiOptimizer`, and that of a `LossScaleOptimizer`."""
    scaled = getattr(optimizer, "inner_optimizer", None)
    return list(getattr(optimizer, "optimizers", ())) if scaled is None else [scaled]


def _plain(thing: Any) -> list[tuple[str, Any]]:
    return [
        (name, value)
        for name, value in vars(thing).items()
        if name[0] != "_" and isinstance(value, _PLAIN)
    ]


def _variables_of(optimizer: Any, config: dict[str, Any]) -> int:
    """How many variables an optimizer of a configuration has, for weights of two ranks.

    The learning rate does not count: as a schedule it needs none.
    """
    made = type(optimizer).from_config(config)
    made.build([keras.Variable(tf.zeros((1,) * rank)) for rank in (1, 2)])
    return sum(variable.name != "learning_rate" for variable in made.variables)
