"""A batch in slices of its rows, one for each core, within one graph.

Each slice goes through the networks by itself, so that the cores do not wait for each other after every
operation; the gradients of the slices are added. Noise goes by the row of the whole batch, and a slice
weighs as much as its share of the rows, so that the step is that of the whole batch but for the rounding of
sums.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

from zoo.batch import Batch
from zoo.noise import Noise, Shares

# With fewer rows the gradients of the slices cost more to add than the slices save.
LEAST_ROWS = 32
# Modules of the zoo's own layers and parts, which are known.
HOME = ("zoo.", "zoo_plugins.")
# Keras's layers that give for a row what they give for it alone, and keep no state that a step changes.
# Conv1D is not among them: in an exported function of several slices TensorFlow 2.21 gives one layer the
# kernel of another.
_BY_ROWS = (
    keras.Sequential,
    keras.layers.Activation,
    keras.layers.Add,
    keras.layers.AveragePooling2D,
    keras.layers.Concatenate,
    keras.layers.Conv2D,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3D,
    keras.layers.Conv3DTranspose,
    keras.layers.Cropping1D,
    keras.layers.Cropping2D,
    keras.layers.Dense,
    keras.layers.ELU,
    keras.layers.Flatten,
    keras.layers.GlobalAveragePooling2D,
    keras.layers.GlobalMaxPooling2D,
    keras.layers.Identity,
    keras.layers.InputLayer,
    keras.layers.LayerNormalization,
    keras.layers.LeakyReLU,
    keras.layers.MaxPooling2D,
    keras.layers.Multiply,
    keras.layers.ReLU,
    keras.layers.RepeatVector,
    keras.layers.Reshape,
    keras.layers.Softmax,
    keras.layers.Subtract,
    keras.layers.UpSampling2D,
    keras.layers.ZeroPadding2D,
)
# Those that do so outside training alone.
_BY_ROWS_IN_USE = (
    keras.layers.BatchNormalization,
    keras.layers.Dropout,
    keras.layers.GaussianDropout,
    keras.layers.GaussianNoise,
)
_MEETINGS = threading.local()


def why_whole(members: Iterable[keras.Layer], training: bool) -> str | None:
    """Why networks and parts must see a batch whole; None where each row is computed by itself.

    What is not known to treat rows by themselves counts as if it did not: a layer or a part of a user's own
    says ``row_wise = True`` in its class.

    Args:
        members: networks and parts of a model.
        training: whether in training, where batch norm compares the rows of a batch.

    Returns:
        The first reason found, in a few words.
    """
    for member in members:
        for layer in member._flatten_layers():
            known = _BY_ROWS if training else (*_BY_ROWS, *_BY_ROWS_IN_USE)
            if not (type(layer) in known or type(layer).__name__ == "Functional" or by_rows(layer)):
                return f"{type(layer).__name__} is not known to treat rows by themselves"
            if training and getattr(layer, "activity_regularizer", None) is not None:
                return f"{type(layer).__name__} has an activity_regularizer"
            for operation in getattr(layer, "operations", ()):
                if not isinstance(operation, keras.Layer):
                    return f"{type(operation).__name__} is not known to treat rows by themselves"
    return None


def by_rows(part: Any) -> bool:
    """Whether a part of the zoo, or one that says so, treats each row by itself where it does not gather."""
    # Not what a class inherits: a subclass may do otherwise.
    said = vars(type(part)).get("row_wise")
    if said is not None:
        return bool(said)
    # What a part keeps from step to step is seldom a matter of single rows.
    return type(part).__module__.startswith(HOME) and not part._non_trainable_variables


@contextlib.contextmanager
def meetings() -> Iterator[list[bool]]:
    """Context in which calls of `zoo.gather` are noted: its list is empty where there were none."""
    before, found = getattr(_MEETINGS, "found", None), []
    _MEETINGS.found = found
    try:
        yield found
    finally:
        _MEETINGS.found = before


def note_meeting() -> None:
    """What `zoo.gather` calls."""
    found = getattr(_MEETINGS, "found", None)
    if found is not None:
        found.append(True)


def cut(batch: Batch, noise: Noise, count: int) -> list[tuple[Batch, Noise]]:
    """The slices of a batch, each with its share of the noise.

    Args:
        batch: of any number of rows.
        noise: of the whole batch.
        count: slices at the most; a batch of few rows makes fewer.

    Returns:
        The slices in order; the batch itself where there is one.
    """
    rows = batch.x.shape[0]
    if rows is not None:
        count = min(count, rows // LEAST_ROWS)
    if count < 2:
        return [(batch, noise)]
    sizes = _sizes(tf.shape(batch.x)[0] if rows is None else rows, count)
    fields = [[None] * count if f is None else tf.split(f, sizes, num=count) for f in batch]
    slices = [Batch(*of_slice) for of_slice in zip(*fields, strict=True)]
    if rows is not None and rows % count == 0:
        return [
            (part, Noise(noise.seed, noise.count, i, count, tag=noise.tag))
            for i, part in enumerate(slices)
        ]
    total = tf.shape(batch.x)[0]
    own = tf.unstack(tf.convert_to_tensor(sizes), num=count)
    first = tf.unstack(tf.cumsum(sizes, exclusive=True), num=count)
    return [
        (part, Noise(noise.seed, noise.count, i, count, Shares(own[i], first[i], total), noise.tag))
        for i, part in enumerate(slices)
    ]


def through(network: keras.Layer, inputs: Sequence[Any], training: bool) -> list[Any]:
    """What a network gives for every slice of a batch.

    A layer in which rows meet, such as batch norm in training, is given the whole batch.

    Args:
        network: a layer or model.
        inputs: of every slice, (rows, ...) or a list of such.
        training: as in Keras.

    Returns:
        (rows, ...) for every slice.
    """
    if len(inputs) == 1 and _is_convolution(network):
        run = functools.partial(network, training=training)
        return [of_share(run, inputs[0])]
    whole = len(inputs) == 1 and not _may_be_empty(inputs[0])
    if whole or why_whole([network], training) is None:
        return [_given_rows(network, own, training, not whole) for own in inputs]
    if type(network) is keras.Sequential:
        for layer in network.layers:
            inputs = through(layer, inputs, training)
        return list(inputs)
    return divided(network(joined(inputs), training=training), inputs)


def each_or_whole(
    part: keras.Layer,
    function: Callable[[Any, Noise], tf.Tensor],
    inputs: Sequence[Any],
    noises: Sequence[Noise],
    noise: Noise,
) -> list[tf.Tensor]:
    """A part's function of rows and noise for every slice; of the whole batch where rows may meet in it."""
    if len(inputs) == 1 or why_whole([part], training=True) is None:
        return [function(own, of_own) for own, of_own in zip(inputs, noises, strict=True)]
    return divided(function(joined(inputs), noise), inputs)


def joined(slices: Sequence[Any]) -> Any:
    """The rows of all slices, tensors or nests of them, distributions included."""
    return tf.nest.map_structure(lambda *v: tf.concat(v, 0), *slices, expand_composites=True)


def divided(whole: tf.Tensor, slices: Sequence[Any], times: int = 1) -> list[tf.Tensor]:
    """The rows of a tensor in slices as large as those given, or that many times as large."""
    first = [tf.nest.flatten(own)[0] for own in slices]
    known = [value.shape[0] for value in first]
    known = [tf.shape(value)[0] for value in first] if None in known else known
    sizes = [times * size for size in known]
    return tf.split(whole, sizes, num=len(slices))


def in_slices(function: Callable[..., Any], count: int) -> Callable[..., Any]:
    """A function of rows, computed slice by slice.

    Args:
        function: tensors of (batch, ...), or nests of them -> such tensors, each row by itself; in a graph.
        count: slices at the most.

    Returns:
        The same function.
    """
    if count < 2:
        return function

    @functools.wraps(function)
    def sliced(*inputs: Any) -> Any:
        first = tf.nest.flatten(inputs)[0]
        rows = first.shape[0]
        if rows is not None and rows < 2 * LEAST_ROWS:
            return function(*inputs)
        sizes = _sizes(tf.shape(first)[0] if rows is None else rows, count)
        flat = [tf.split(value, sizes, num=count) for value in tf.nest.flatten(inputs)]
        given = [tf.nest.pack_sequence_as(inputs, of_slice) for of_slice in zip(*flat, strict=True)]
        if rows is not None:
            return joined([function(*own) for own in given])
        return joined([_of_any_rows(function, own) for own in given])

    # A `tf.function` would find the defaults of the arguments there, which are not rows, and pass them on.
    del sliced.__wrapped__
    return sliced


def of_share(function: Callable[..., Any], *inputs: Any) -> Any:
    """A function of rows with convolutions, of a replica's share of a batch, which may have no rows.

    Args:
        function: tensors of (batch, ...), or nests of them -> such tensors, each row by itself.
        *inputs: its arguments.

    Returns:
        What the function gives.

    Example:
        >>> from zoo.trainer.slices import of_share
        >>> of_share(tf.square, tf.constant([3.0])).numpy().tolist()  # one device has all rows
        [9.0]
    """
    return _of_any_rows(function, inputs) if _may_be_empty(inputs) else function(*inputs)


def _may_be_empty(inputs: Any) -> bool:
    """Whether a replica may have no rows of a batch: of the last of a data set there may be few."""
    unknown = tf.nest.flatten(inputs)[0].shape[0] is None
    return unknown and tf.distribute.get_strategy().num_replicas_in_sync > 1


def _is_convolution(layer: Any) -> bool:
    return "Conv" in type(layer).__name__


def _given_rows(network: keras.Layer, inputs: Any, training: bool, part: bool) -> Any:
    """What a network gives for a part of a batch, which may have no rows where their number is not known."""
    run = functools.partial(network, training=training)
    unknown = part and tf.nest.flatten(inputs)[0].shape[0] is None
    if unknown and any(_is_convolution(layer) for layer in network._flatten_layers()):
        return _of_any_rows(run, (inputs,))
    return run(inputs)


def _of_any_rows(function: Callable[..., Any], inputs: Any) -> Any:
    """A function of rows whose number the graph does not know, and which may be 0.

    Of no rows oneDNN's convolutions give the shape of what went in: they are given a row of zeros then, which
    is left out.
    """
    rows = tf.shape(tf.nest.flatten(inputs)[0])[0]
    spare: Any = tf.cast(rows < 1, tf.int32)
    filled = tf.nest.map_structure(
        lambda value: tf.pad(value, [[0, spare], *[[0, 0]] * (value.shape.rank - 1)]), inputs
    )
    return tf.nest.map_structure(lambda value: value[:rows], function(*filled))


def _sizes(rows: Any, count: int) -> Any:
    """Rows of every slice: nearly equal; where their number is not known yet, fewer or none in the last."""
    if isinstance(rows, int):
        whole, spare = divmod(rows, count)
        return [whole + (i < spare) for i in range(count)]
    size = tf.maximum(-(-rows // count), LEAST_ROWS)
    return tf.clip_by_value(rows - tf.range(count) * size, 0, size)
