"""Input as blocks of many steps, so that Python and tf.data are asked once for dozens of steps.

Small data lie on the device as one tensor, and a block holds only the shuffled row numbers of its batches;
the graph gathers each batch. Of larger data a block holds the batches: gathered from the array where it lies,
or read from its file.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

# A tensor in a graph, an array on the way there, a specification in a signature.
Column = Any
# x and what a model declares beside it, by name; see `zoo.trainer.intake`.
Fields = dict[str, Any]

# Rows that are read from a file in one piece; the order is shuffled by pieces, then within many of them.
PIECE = 64
# Bytes of which an address must be a multiple for TensorFlow's kernels.
_ALIGNMENT = 64


class IndexBlock(NamedTuple):
    """Row numbers of the batches of `steps` steps: (block, batch) int32 and a scalar int32."""

    rows: Column
    steps: Column

    def share(self, columns: slice) -> IndexBlock:
        """The block with some columns of every batch."""
        return self._replace(rows=self.rows[:, columns])


class DataBlock(NamedTuple):
    """The batches of `steps` steps: fields of (block, batch, ...) and a scalar int32."""

    batches: Fields
    steps: Column

    def share(self, columns: slice) -> DataBlock:
        """The block with some columns of every batch."""
        return self._replace(batches=tf.nest.map_structure(lambda a: a[:, columns], self.batches))


class EvaluationBatch(NamedTuple):
    """Rows of an evaluation in order: fields of (batch, ...), which count, and the first row's number.

    `present` is 1, or 0 for a row that only fills up the last batch of several replicas.
    """

    fields: Fields
    present: Column
    start: Column

    def share(self, columns: slice) -> EvaluationBatch:
        """The batch with some of its rows."""
        fields = tf.nest.map_structure(lambda a: a[columns], self.fields)
        return self._replace(fields=fields, present=self.present[columns])


class CheckedBatch(NamedTuple):
    """A batch of a stream whose fields, of (batch, ...), were checked before they came into a graph."""

    fields: Fields


def permutation(count: int, seed: int, step: int) -> np.ndarray:
    """A random order of `count` things that depends on the seed and the step at which an epoch begins.

    The raw bits of Philox and a stable sort are the same in every version of NumPy, so that a run can be
    resumed years later.

    Args:
        count: number of things.
        seed: the run's seed.
        step: training steps taken when the epoch begins.

    Returns:
        (count,) int64.
    """
    key = np.array([seed & (2**64 - 1), step], np.uint64)
    return np.argsort(np.random.Philox(key=key).random_raw(count), kind="stable")


class Plan(NamedTuple):
    """How an epoch is cut into batches and blocks.

    Attributes:
        examples: rows of the data.
        batch: rows of a global batch.
        block: steps of a block.
        mixed: steps whose rows are read from a file and mixed together, at least those of a block.
        replicas: replicas that share a batch.
        shuffle: whether each epoch has an order of its own.
        seed: the run's seed.
        epoch_steps: steps that Keras is to take for an epoch, where that is not one pass over the data.
    """

    examples: int
    batch: int
    block: int
    mixed: int
    replicas: int
    shuffle: bool
    seed: int
    epoch_steps: int | None = None

    @property
    def steps(self) -> int:
        """Steps of an epoch; its last incomplete batch is dropped, which holds other rows in the next."""
        return self.examples // self.batch

    @property
    def blocks(self) -> int:
        """Blocks of an epoch."""
        if self.epoch_steps is not None:
            return -(-self.epoch_steps // self.block)
        whole, rest = divmod(self.steps, self.mixed)
        return whole * -(-self.mixed // self.block) + -(-rest // self.block)


def index_blocks(plan: Plan, step: int) -> Iterator[IndexBlock]:
    """The blocks of row numbers of the epoch that begins at a step.

    Every block has the same shape, so that a compiled step is compiled once; the last is filled up with
    rows that `steps` leaves out.
    """
    order = np.arange(plan.examples)
    if plan.shuffle:
        order = permutation(plan.examples, plan.seed, step)
    rows = np.zeros((plan.blocks * plan.block, plan.batch), np.int32)
    rows[: plan.steps] = order[: plan.steps * plan.batch].reshape(plan.steps, plan.batch)
    for first in range(0, plan.steps, plan.block):
        yield IndexBlock(
            rows[first : first + plan.block], np.int32(min(plan.block, plan.steps - first))
        )


def gathered(order: Iterator[Any], fields: Fields) -> Iterator[DataBlock]:
    """Blocks of row numbers as blocks of those rows.

    Args:
        order: the blocks of row numbers.
        fields: arrays of (rows, ...).

    Yields:
        Blocks, all of one shape.
    """
    for rows, steps in order:
        yield DataBlock(tf.nest.map_structure(lambda a, r=rows: _picked(a, r), fields), steps)


def _picked(array: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """`array[rows]` at an address from which TensorFlow takes it without a copy."""
    shape = (*rows.shape, *array.shape[1:])
    size = int(np.prod(shape)) * array.itemsize
    memory = np.empty(size + _ALIGNMENT, np.uint8)
    first = -memory.ctypes.data % _ALIGNMENT
    picked = memory[first : first + size].view(array.dtype).reshape(shape)
    if array.flags.c_contiguous:
        # Not "raise", which would fill a copy first; the rows are in range.
        return np.take(array, rows, axis=0, out=picked, mode="clip")
    picked[:] = array[rows]  # `take` would copy the array
    return picked


def data_blocks(read: Callable[[np.ndarray], Fields], plan: Plan, step: int) -> Iterator[DataBlock]:
    """The blocks of data of the epoch that begins at a step, read in pieces of neighbouring rows.

    The pieces come in random order, which a disk can follow, and the rows of `Plan.mixed` steps are mixed.

    Args:
        read: row numbers in rising order to the fields of those rows.
        plan: see `Plan`.
        step: training steps taken when the epoch begins.

    Yields:
        Blocks; the last may be shorter.
    """
    pieces = np.arange(-(-plan.examples // PIECE))
    if plan.shuffle:
        pieces = permutation(len(pieces), plan.seed, step)
    rows = (pieces[:, None] * PIECE + np.arange(PIECE)).ravel()
    rows = rows[rows < plan.examples][: plan.steps * plan.batch]
    size = plan.mixed * plan.batch
    for first in range(0, len(rows), size):
        chosen = np.sort(rows[first : first + size])
        order = np.arange(len(chosen))
        if plan.shuffle:
            order = permutation(len(chosen), plan.seed ^ 1, step + first // plan.batch)
        data = read(chosen)
        for start in range(0, len(order), plan.block * plan.batch):
            rows_of_block = order[start : start + plan.block * plan.batch].reshape(-1, plan.batch)
            block = tf.nest.map_structure(lambda a, r=rows_of_block: a[r], data)
            yield DataBlock(block, np.int32(len(rows_of_block)))


def all_epochs(
    epoch: Callable[[int], Iterator[IndexBlock | DataBlock]],
    plan: Plan,
    steps_taken: Callable[[], int],
) -> Iterator[IndexBlock | DataBlock]:
    """Epoch after epoch without end, so that one iterator serves a whole `fit`.

    Args:
        epoch: the blocks of the epoch that begins at a step.
        plan: see `Plan`.
        steps_taken: training steps taken so far; asked once, when the first block is wanted.

    Yields:
        Blocks.
    """
    start = steps_taken()
    if plan.epoch_steps is not None:
        yield from _cut_otherwise(epoch, plan, start, plan.epoch_steps)
    for number in itertools.count():
        yield from epoch(start + number * plan.steps)


def _cut_otherwise(
    epoch: Callable[[int], Iterator[Any]], plan: Plan, start: int, epoch_steps: int
) -> Iterator[IndexBlock]:
    """Pass after pass over the data, in epochs of `epoch_steps` steps that need not end with a pass.

    The pass that step `start` falls into began at a multiple of its steps, so that a resumed run goes on.
    """

    def steps() -> Iterator[np.ndarray]:
        passes, left_out = divmod(start, plan.steps)
        for number in itertools.count(passes):
            of_pass = (
                rows for block in epoch(number * plan.steps) for rows in block.rows[: block.steps]
            )
            yield from itertools.islice(of_pass, left_out, None)
            left_out = 0

    stream = steps()
    while True:
        for first in range(0, epoch_steps, plan.block):
            count = min(plan.block, epoch_steps - first)
            rows = np.zeros((plan.block, plan.batch), np.int32)
            rows[:count] = list(itertools.islice(stream, count))
            yield IndexBlock(rows, np.int32(count))


class Source:
    """What a data set is generated from; another one from its next iterator on, as `generate` says."""

    generate: Callable[[], Iterator[Any]] | None = None

    def __call__(self) -> Iterator[Any]:
        """The elements as the source stands; none where it has none."""
        return iter(()) if self.generate is None else self.generate()


def block_dataset(
    generate: Callable[[], Iterator[IndexBlock | DataBlock | EvaluationBatch]],
    signature: Any,
) -> tf.data.Dataset:
    """A data set of what an endless generator yields."""
    dataset: Any = held_generator(generate, signature)
    endless = tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY)
    return dataset.apply(endless).with_options(quiet_options()).prefetch(1)


def held_generator(generate: Callable[[], Iterator[Any]], signature: Any) -> tf.data.Dataset:
    """`tf.data.Dataset.from_generator`, without its leak, and without writes to the caller's arrays.

    TensorFlow keeps the generator's function for as long as the process lives, and with it all that it holds,
    a model and its data. Here it keeps a weak reference, and the data set itself holds the function.

    It takes an array whose memory begins at a multiple of 64 bytes without a copy, and its operations then
    write their results there. So each element is copied first, but for a `DataBlock`, whose rows were picked
    from the caller's and are nobody else's.

    Args:
        generate: () -> an iterator of elements.
        signature: of an element.

    Returns:
        The data set.
    """
    weak = weakref.ref(generate)

    def generated() -> Iterator[Any]:
        held = weak()
        return iter(()) if held is None else map(own_memory, held())

    dataset: Any = tf.data.Dataset.from_generator(generated, output_signature=signature)
    dataset.held = generate
    return dataset


def own_memory(element: Any) -> Any:
    """The arrays of a nest, copied: nobody else reads what TensorFlow may write to."""
    if isinstance(element, DataBlock):
        return element
    return tf.nest.map_structure(np.array, element)


def per_replica(blocks: Iterator, first: int, count: int, replicas: int) -> Iterator:
    """Cut every block into the shares of the local replicas, one element for each of them in turn.

    Args:
        blocks: blocks or evaluation batches of the global batch.
        first: number of the first local replica.
        count: local replicas.
        replicas: all replicas.

    Yields:
        Shares of blocks.
    """
    for block in blocks:
        share = _rows(block) // replicas
        for replica in range(first, first + count):
            yield block.share(slice(replica * share, (replica + 1) * share))


def _rows(block: IndexBlock | DataBlock | EvaluationBatch) -> int:
    """Rows of a global batch."""
    if isinstance(block, EvaluationBatch):
        return len(block.present)
    return (block.rows if isinstance(block, IndexBlock) else block.batches["x"]).shape[1]


def quiet_options() -> tf.data.Options:
    """Options of a data set that has nothing to tune: a tuner's threads only cost time."""
    options = tf.data.Options()
    options.autotune.enabled = False
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    return options
