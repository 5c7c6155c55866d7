"""Parts to configuration and back, and numbers that may be schedules."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import keras
import tensorflow as tf

from zoo import registry
from zoo.values import positive_int, whole_number  # noqa: F401  (beside `scalar`, for parts)

PACKAGE = "zoo"
C = TypeVar("C", bound=type)
Schedule = keras.optimizers.schedules.LearningRateSchedule
Scalar = float | Schedule | keras.Variable | tf.Variable


def serializable(cls: C) -> C:
    """Class decorator: lets Keras save and load the class as ``zoo>ClassName``."""
    return cast("C", keras.saving.register_keras_serializable(PACKAGE)(cls))


def part(identifier: Any, kind: str, base: type) -> Any:
    """A part from whatever names it.

    Args:
        identifier: None, an instance of `base`, a registered name, or a dict of a name and its options.
        kind: kind of part, as in `zoo.register`.
        base: the class it must be an instance of.

    Returns:
        An instance of `base`, or None for None.

    Raises:
        ValueError: where the identifier is none of these.
    """
    if identifier is None or isinstance(identifier, base):
        return identifier
    if isinstance(identifier, type) and issubclass(identifier, base):
        return identifier()
    named = {"name": identifier} if isinstance(identifier, str) else identifier
    if isinstance(named, Mapping) and isinstance(named.get("name"), str):
        made = registry.get(kind=kind, **named)
        # One of Keras's is a regularizer too, see `zoo.regularizers.KerasRegularizer`.
        if isinstance(made, base | keras.regularizers.Regularizer):
            return made
        raise ValueError(
            f"The {kind} {named['name']!r} must give a {base.__name__}; it gives {made!r}."
        )
    raise ValueError(
        f"Expected a {kind} as a {base.__name__}, a name or a dict with 'name'; received "
        f"{identifier!r}.{registry.suggest(str(identifier), registry.names(kind))}"
    )


class MissingPartError(ValueError):
    """A saved model needs a part that no installed package brings."""


def serialize_part(instance: Any) -> dict[str, Any] | None:
    """A part as a dict that `deserialize_part` builds it from; registered parts go by their name."""
    if instance is None:
        return None
    name = vars(type(instance)).get("zoo_name")
    if name is None:
        saved: Any = keras.saving.serialize_keras_object(instance)
    else:
        saved = {"zoo_name": name, "config": instance.get_config()}
    # A plugin's get_config need not know of it.
    return saved if instance.trainable else {**saved, "frozen": True}


def deserialize_part(config: dict[str, Any] | None, kind: str) -> Any:
    """The inverse of `serialize_part`.

    Raises:
        ValueError: where no installed package brings the part, with its name.
    """
    if config is None:
        return None
    instance = _deserialized(config, kind)
    if config.get("frozen"):
        instance.trainable = False
    return instance


def scalar(value: Any, name: str, minimum: float | None = None) -> Scalar:
    """Check a number that may be a Keras schedule of the training step, or a variable.

    Args:
        value: number, `LearningRateSchedule` or the serialized form of one, or a scalar variable, whose value
            is asked for in every step and is saved as a number.
        name: what to call it in an error.
        minimum: the smallest number that is allowed.

    Returns:
        A float, the schedule or the variable.

    Raises:
        ValueError: for anything else, NaN and infinity included.

    Example:
        >>> zoo.scalar(1, "weight", minimum=0)
        1.0
        >>> schedule = zoo.scalar(zoo.recipes.WarmUp(4.0, steps=100), "weight")
        >>> zoo.scalar(-1, "weight", minimum=0)
        Traceback (most recent call last):
            ...
        ValueError: weight must be ...
    """
    if isinstance(value, dict):
        value = keras.saving.deserialize_keras_object(value)
    if isinstance(value, Schedule):
        return value
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    bound = "" if minimum is None else f" of at least {minimum:g}"
    if not abs(number) < float("inf") or (minimum is not None and number < minimum):
        raise ValueError(
            f"{name} must be a finite number{bound} or a Keras schedule; received {value!r}."
        )
    if isinstance(value, keras.Variable | tf.Variable):
        setting: Any = value
        setting.is_setting = True  # of the user: no part counts it among its weights
        return value
    return number


def number(value: Any, name: str, minimum: float | None = None) -> float:
    """As `scalar`, for a number that nothing asks for at a step: a schedule or a variable is refused.

    Example:
        >>> from zoo.serialization import number
        >>> number(2, "alpha", minimum=1)
        2.0
        >>> number(zoo.recipes.WarmUp(4.0, steps=100), "alpha")
        Traceback (most recent call last):
            ...
        ValueError: alpha must be a number, not a schedule or a variable; received ...
    """
    found = scalar(value, name, minimum)
    if not isinstance(found, float):
        raise ValueError(
            f"{name} must be a number, not a schedule or a variable; received {type(value).__name__}."
        )
    return found


def scalar_config(value: Scalar) -> Any:
    """`value` for a configuration.

    Example:
        >>> zoo.scalar_config(0.5)
        0.5
        >>> config = zoo.scalar_config(zoo.recipes.WarmUp(4.0, steps=100))
        >>> float(zoo.at_step(zoo.scalar(config, "weight"), 50))
        2.0
    """
    if isinstance(value, Schedule):
        return keras.saving.serialize_keras_object(value)
    return float(value) if isinstance(value, keras.Variable | tf.Variable) else value


def at_step(value: Scalar, step: tf.Tensor) -> Any:
    """The number that `value` has after `step` training steps.

    Example:
        >>> zoo.at_step(0.5, step=10)
        0.5
        >>> float(zoo.at_step(zoo.recipes.WarmUp(4.0, steps=100), step=50))
        2.0
    """
    if isinstance(value, Schedule):
        return tf.cast(value(step), tf.float32)
    if isinstance(value, keras.Variable | tf.Variable):
        return tf.cast(tf.convert_to_tensor(value), tf.float32)
    return value


@contextmanager
def policy(precision: str | None) -> Iterator[None]:
    """Keras's global dtype policy for the layers that are made in the block; None leaves it as it is."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(before if precision is None else precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


@contextmanager
def weights_drawn_by(seed: Any) -> Iterator[None]:
    """Let a seed decide what Keras draws for layers without a seed of their own.

    Keras takes the seeds of initializers and dropout from Python's `random`, which is as before afterwards.
    """
    if not isinstance(seed, int):  # None, or what the model's function refuses
        yield
        return
    before = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)


def _deserialized(config: dict[str, Any], kind: str) -> Any:
    if "zoo_name" not in config:
        return keras.saving.deserialize_keras_object(config)
    try:
        cls = registry.lookup(config["zoo_name"], kind)
    except ValueError as error:
        raise MissingPartError(
            f"The saved model needs the {kind} plugin {config['zoo_name']!r}, which is not there: "
            f"install or import the package that registers it, then load again. ({error})"
        ) from error
    return cls.from_config(config["config"])
