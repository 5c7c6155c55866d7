"""Input as blocks of many steps, so that Python and tf.data are asked once for dozens of steps.

Data that fit in memory lie there as one tensor, and a block holds only the shuffled row numbers of its
batches; the graph gathers each batch. Data that do not fit are read from their file, and a block holds
the batches themselves.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import tensorflow as tf

# Rows that are read from a file in one piece; the order is shuffled by pieces, then within many of them.
PIECE = 64


class IndexBlock(NamedTuple):
    """Row numbers of the batches of `steps` steps: (block, batch) int32 and a scalar int32."""

    rows: tf.Tensor
    steps: tf.Tensor

    def share(self, columns: slice) -> IndexBlock:
        """The block with some columns of every batch."""
        return self._replace(rows=self.rows[:, columns])


class DataBlock(NamedTuple):
    """The batches of `steps` steps: (block, batch, *event) and a scalar int32."""

    batches: tf.Tensor
    steps: tf.Tensor

    def share(self, columns: slice) -> DataBlock:
        """The block with some columns of every batch."""
        return self._replace(batches=self.batches[:, columns])


class EvaluationBatch(NamedTuple):
    """Rows of an evaluation in order: (batch, *event), weights (batch,), and the first row's number.

    A weight is 1, or 0 for a row that only fills up the last batch of several replicas.
    """

    inputs: tf.Tensor
    weights: tf.Tensor
    start: tf.Tensor

    def share(self, columns: slice) -> EvaluationBatch:
        """The batch with some of its rows."""
        return self._replace(inputs=self.inputs[columns], weights=self.weights[columns])


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
    """How an epoch is cut up.

    Attributes:
        examples: rows of the data.
        batch: rows of a global batch.
        block: steps of a block.
        mixed: steps whose rows are read from a file and mixed together, at least those of a block.
        replicas: replicas that share a batch.
        shuffle: whether each epoch has an order of its own.
        seed: the run's seed.
    """

    examples: int
    batch: int
    block: int
    mixed: int
    replicas: int
    shuffle: bool
    seed: int

    @property
    def steps(self) -> int:
        """Steps of an epoch; what is left over at its end is skipped, and falls elsewhere in the next."""
        return self.examples // self.batch

    @property
    def blocks(self) -> int:
        """Blocks of an epoch."""
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


def data_blocks(
    read: Callable[[np.ndarray], np.ndarray], plan: Plan, step: int
) -> Iterator[DataBlock]:
    """The blocks of data of the epoch that begins at a step, read in pieces of neighbouring rows.

    The pieces come in random order, which a disk can follow, and the rows of `Plan.mixed` steps are mixed.

    Args:
        read: row numbers in rising order to rows.
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
        data = read(chosen)
        if plan.shuffle:
            data = data[permutation(len(chosen), plan.seed ^ 1, step + first // plan.batch)]
        batches = data.reshape(-1, plan.batch, *data.shape[1:])
        for start in range(0, len(batches), plan.block):
            block = batches[start : start + plan.block]
            yield DataBlock(block, np.int32(len(block)))


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
    """
    start = steps_taken()
    for number in itertools.count():
        yield from epoch(start + number * plan.steps)


def block_dataset(
    generate: Callable[[], Iterator[IndexBlock | DataBlock | EvaluationBatch]],
    signature: IndexBlock | DataBlock | EvaluationBatch,
) -> tf.data.Dataset:
    """A data set of what an endless generator yields."""
    dataset = tf.data.Dataset.from_generator(generate, output_signature=signature)
    endless = tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY)
    return dataset.apply(endless).with_options(quiet_options()).prefetch(1)


def per_replica(blocks: Iterator, first: int, count: int, replicas: int) -> Iterator:
    """Cut every block into the shares of the local replicas, one element for each of them in turn.

    Args:
        blocks: blocks or evaluation batches of the global batch.
        first: number of the first local replica.
        count: local replicas.
        replicas: all replicas.
    """
    for block in blocks:
        rows = len(block.inputs) if isinstance(block, EvaluationBatch) else block[0].shape[1]
        share = rows // replicas
        for replica in range(first, first + count):
            yield block.share(slice(replica * share, (replica + 1) * share))


def quiet_options() -> tf.data.Options:
    """Options of a data set that has nothing to tune: a tuner's threads only cost time."""
    options = tf.data.Options()
    options.autotune.enabled = False
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    return options
