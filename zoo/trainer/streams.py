"""Batches that Python gives, checked and brought to one form before Keras sees them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import keras
import tensorflow as tf

from zoo.trainer.blocks import held_generator, own_memory
from zoo.trainer.refusals import RefusedBatch

# From a batch to a nest of arrays.
Check = Callable[[Any], Any]


def is_graph(data: Any) -> bool:
    """Whether the batches of `data` are tensors of a graph, which Python does not see."""
    return isinstance(data, tf.data.Dataset | tf.distribute.DistributedDataset)


def checked_batches(data: Any, check: Check, name: str) -> Any:
    """What Keras may run on in the place of a `PyDataset`, a generator or a loader of PyTorch.

    Keras's own adapters lose masks, and fail on what is not a tuple with an error of TensorFlow's.

    Args:
        data: anything whose iteration gives batches.
        check: from a batch to a nest of arrays; raises a ValueError for a bad one.
        name: what an error calls the data.

    Returns:
        A `keras.utils.PyDataset` for one, whose workers and callbacks stay; a `tf.data.Dataset` for others.

    Raises:
        ValueError: where there are no batches.
    """
    if isinstance(data, keras.utils.PyDataset):
        return _CheckedDataset(data, check)
    again = iter(data) is not data
    batches = iter(data)
    try:
        first = check(next(batches))
    except StopIteration:
        raise ValueError(f"{name} gives no batch. Give at least one.") from None
    left: list[Any] = [first]

    def generate() -> Iterator[Any]:
        if again:
            yield from map(_refusing(check), data)
            return
        rest = itertools.chain([left.pop()] if left else [], map(_refusing(check), batches))
        empty = True
        for batch in rest:
            empty = False
            yield batch
        if empty:
            steps = "validation_steps" if name == "validation_data" else "steps_per_epoch"
            raise RefusedBatch(
                f"{name} is a generator that has come to its end. Give one without end and {steps}, or an "
                "object that can be iterated again."
            )

    def spec(array: Any) -> tf.TensorSpec:
        return tf.TensorSpec((None, *array.shape[1:]), array.dtype)

    signature = tf.nest.map_structure(spec, first)
    return held_generator(generate, signature).prefetch(2)


def _refusing(check: Check) -> Check:
    """`check`, whose errors TensorFlow passes on by their name."""

    def refusing(batch: Any) -> Any:
        try:
            return check(batch)
        except ValueError as error:
            raise RefusedBatch(str(error)) from error

    return refusing


class _CheckedDataset(keras.utils.PyDataset):
    """A data set whose batches are checked where they are made, by its workers."""

    def __init__(self, data: keras.utils.PyDataset, check: Check):
        super().__init__(data.workers, data.use_multiprocessing, data.max_queue_size)
        self.data, self.check = data, _refusing(check)

    def __getitem__(self, index: int) -> Any:
        # Keras hands the batch to TensorFlow by a generator; see `held_generator`.
        return own_memory(self.check(self.data[index]))

    @property
    def num_batches(self) -> int | None:
        return self.data.num_batches

    def on_epoch_begin(self) -> None:
        self.data.on_epoch_begin()

    def on_epoch_end(self) -> None:
        self.data.on_epoch_end()
