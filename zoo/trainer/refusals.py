"""Checks of batches within a graph, whose failure reaches the user as one line, as that of an array does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from zoo.data.checks import (
    Limits,
    fraction_line,
    kind_line,
    nonfinite_line,
    range_line,
    shape_line,
)
from zoo.trainer.byte_scale import ByteScale
from zoo.trainer.forms import as_array, is_sparse
from zoo.values import ColumnRule

PART = " of a batch"
# Stand in a line for the names of the data.
NAME, Y = "{x}", "{y}"
# Lines that are made of numbers when they fail.
_NONFINITE, _SHAPE = "not finite: ", "shape: "
# What TensorFlow makes of the assertion in `held`, and of an error in a Python function within a data set.
_HELD = re.compile(
    r"\[zoo (?P<door>training|evaluation):\] \[(?P<line>.*?)\] \[\[(?P<numbers>.*?)\]\]"
)
_RAISED = re.compile(r"RefusedBatch: (?P<line>.*)")


class RefusedBatch(ValueError):
    """A batch of a stream that does not fit the model.

    Args:
        line: what is said of it.
        door: "training" or "evaluation", whose data `NAME` and `Y` in the line stand for.
    """

    def __init__(self, line: str, door: str = "training"):
        super().__init__(line)
        self.door = door


@contextmanager
def plain_errors(training: str = "x", evaluation: str = "x") -> Iterator[None]:
    """Turns the error of a check within the graph into a ValueError of one line.

    Args:
        training: what the data of training steps are called.
        evaluation: what the data of evaluation steps are called.

    Raises:
        ValueError: with the message of the check that failed.
    """
    names = {"training": training, "evaluation": evaluation}
    try:
        yield
    except RefusedBatch as error:
        raise ValueError(_named(str(error), names[error.door])) from None
    except tf.errors.OpError as error:
        raised, found = _RAISED.search(error.message), _HELD.search(error.message)
        if raised is not None:
            raise ValueError(raised["line"]) from None
        if found is None:
            raise
        numbers = found["numbers"].split()
        raise ValueError(_line(found["line"], numbers, names[found["door"]])) from None


def _line(template: str, numbers: list[str], name: str) -> str:
    if template.startswith(_NONFINITE):
        count, *first = (int(float(number)) for number in numbers)
        return nonfinite_line(_named(template.removeprefix(_NONFINITE), name), count, first, PART)
    if template.startswith(_SHAPE):
        *sides, name_of = template.removeprefix(_SHAPE).split()
        shape = [int(float(number)) for number in numbers]
        return shape_line(_named(name_of, name), shape, tuple(map(int, sides)))
    line = _named(template.replace("\\'", "'"), name)
    for place, number in enumerate(numbers):
        line = line.replace(f"{{{place}}}", f"{float(number):g}")
    return line


def _named(line: str, name: str) -> str:
    return line.replace(NAME, name).replace(Y, "y" if name == "x" else f"y of {name}")


def held(
    door: str, condition: tf.Tensor, line: str, numbers: Callable[[], list[Any]] | None = None
) -> Any:
    """An assertion that `plain_errors` turns into its line, where `{x}` is the name of the data.

    Args:
        door: "training" or "evaluation".
        condition: scalar bool.
        line: what to say, with `{0}`, `{1}` where numbers stand.
        numbers: a function that gives these, called where the condition fails.

    Returns:
        True, once the assertion has held.

    Raises:
        ValueError: at once, where nothing is traced.
    """
    numbers = numbers or (lambda: [0.0])

    def shown() -> tf.Tensor:
        return tf.concat([tf.reshape(tf.cast(n, tf.float64), [-1]) for n in numbers()], axis=0)

    if tf.executing_eagerly():
        if not condition:
            raise ValueError(_line(line, [str(number) for number in shown().numpy()], "x"))
        return tf.constant(True)

    # A branch gives a value: what waits for an operation within a branch may run before it.
    def fails() -> tf.Tensor:
        told = [f"zoo {door}:", line, [shown()]]
        with tf.control_dependencies([tf.debugging.Assert(False, told, summarize=9)]):
            return tf.constant(False)

    return tf.cond(condition, lambda: tf.constant(True), fails)


def dense(x: Any, name: str, door: str) -> tf.Tensor:
    """X as a tensor, or a `RefusedBatch` where it is sparse, or stands for one in a model of Keras."""
    try:
        if is_sparse(x) or isinstance(x, keras.KerasTensor):
            x = as_array(x, name)
        return tf.convert_to_tensor(x)
    except ValueError as error:
        raise RefusedBatch(str(error), door) from None


def checked_tensor(
    x: Any, event_shape: tuple[int, ...], name: str, door: str, integers: bool = False
) -> tuple[tf.Tensor, list[Any]]:
    """X as a tensor that has the shape of examples and holds numbers.

    Args:
        x: (batch, *event).
        event_shape: of one example.
        name: of the data.
        door: see `held`.
        integers: whether whole numbers of any type are taken, which become float32.

    Returns:
        The tensor, and assertions about what is not known before the graph runs.

    Raises:
        RefusedBatch: for what is known.
    """
    x = dense(x, name, door)
    if integers and x.dtype.is_integer and x.dtype != tf.uint8:
        x = tf.cast(x, tf.float32)
    if x.dtype not in (tf.uint8, tf.bool) and not x.dtype.is_floating:
        kind = "text" if x.dtype == tf.string else x.dtype.name
        raise RefusedBatch(kind_line(name, kind), door)
    if x.shape.rank == 0 or not x.shape[1:].is_compatible_with(event_shape):
        raise RefusedBatch(shape_line(name, x.shape.as_list(), event_shape), door)
    if x.shape.rank is not None and None not in x.shape[1:].as_list():
        return x, []
    # Keras forgets sides that changed from one data set to the next.
    shape = tf.shape(x)
    same = tf.raw_ops.Equal(x=shape[1:], y=[*event_shape], incompatible_shape_error=False)
    sides = " ".join(map(str, event_shape))
    line = f"{_SHAPE}{sides} {name}"
    fits = held(door, tf.reduce_all(same), line, lambda: [shape])
    # Data that flow through the check cannot overtake it.
    x = tf.cond(fits, lambda: x, lambda: tf.zeros((0, *event_shape), x.dtype))
    x.set_shape((None, *event_shape))
    return x, []


def check_values(
    x: tf.Tensor, scale: ByteScale, door: str, missing: bool = False, name: str = NAME
) -> list[Any]:
    """Assertions that the numbers of a batch are finite and within the limits, in a graph.

    Args:
        x: (batch, *event), see `checked_tensor`.
        scale: of the field.
        door: see `held`.
        missing: whether NaN stands for a missing value.
        name: of the data.

    Returns:
        The operations.
    """
    if x.dtype == tf.bool:
        return []
    if x.dtype == tf.uint8:
        return _check_bytes(x, scale, door, name)
    numbers = tf.cast(x, tf.float32)
    finite = tf.math.is_finite(numbers)
    allowed = finite | tf.math.is_nan(numbers) if missing else finite
    # What is not finite counts neither here nor there: the first check is about it.
    low = tf.reduce_min(tf.where(finite, numbers, numbers.dtype.max))
    high = tf.reduce_max(tf.where(finite, numbers, numbers.dtype.min))

    def place() -> list[tf.Tensor]:
        flat = tf.reshape(~allowed, [-1])
        first = tf.unravel_index(tf.argmax(flat), tf.shape(x, tf.int64))
        return [tf.reduce_sum(tf.cast(flat, tf.float64)), first]

    limits = scale.limits
    all_fine = tf.reduce_all(allowed)
    found = [held(door, all_fine, _NONFINITE + name, place)]
    if limits != Limits(whole=limits.whole, only_whole=limits.only_whole):
        line = range_line(name, scale.rank, limits, "{0}", "{1}")
        inside = limits.hold(low, high) | (low > high)  # no numbers at all
        found.append(held(door, inside | ~all_fine, line, lambda: [low, high]))
    if limits.whole or limits.only_whole:
        whole = tf.reduce_all(tf.equal(numbers, tf.round(numbers)) | ~finite)
        scaled: Any = (low >= 0) & (high <= 1)
        found.append(held(door, whole | ~scaled, fraction_line(name)))
        if limits.only_whole:
            found.append(held(door, whole | scaled, fraction_line(name, scaled=False)))
    return found


def check_columns(x: tf.Tensor, rules: Sequence[ColumnRule], door: str, name: str) -> list[Any]:
    """Assertions that the columns of a batch hold what their rules allow, in a graph.

    Args:
        x: (batch, columns), see `checked_tensor`.
        rules: of the columns.
        door: see `held`.
        name: of the data.

    Returns:
        The operations.
    """
    numbers = tf.cast(x, tf.float32)

    def assertion(rule: ColumnRule) -> Any:
        wrong = rule.wrong(numbers)

        def place() -> list[tf.Tensor]:
            row, column = tf.unstack(tf.where(wrong)[0])
            column += rule.columns.start
            return [column, numbers[row, column], row]

        line = rule.line(name, "{0}", "{1}", "{2}", PART)
        return held(door, ~tf.reduce_any(wrong), line, place)

    return [assertion(rule) for rule in rules]


def _check_bytes(x: tf.Tensor, scale: ByteScale, door: str, name: str) -> list[Any]:
    if scale.divisor is None or scale.largest >= 255:
        return []
    most = tf.cast(tf.reduce_max(x), tf.float32)
    line = scale.line(name, "{0}")
    return [held(door, most <= scale.largest, line, lambda: [most])]
