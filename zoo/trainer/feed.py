"""Arrays to the data sets that `fit` and `evaluate` of a `BlockTrainer` run on."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.serialization import whole_number
from zoo.trainer import blocks, sources
from zoo.trainer.replicas import synchronizes

DEFAULT_BATCH = 32
EVALUATION_BATCH = 500
# Long enough to hide the cost of a call, short enough for the progress bar of a slow model.
BLOCK_STEPS = 64
COMPILED_BLOCK_STEPS = 512
STREAMED_BLOCK_BYTES = 32 << 20


class Feed:
    """Feeds a model on the replicas of a strategy; holds the data that lie on the device.

    The data are no part of the model: neither Keras nor TensorFlow tracks what a plain object holds.

    Args:
        strategy: whose replicas share every batch.
        event_shape: shape of one example.
        bounds: range of the inputs, or None.
        seed: of the order of the data.
    """

    def __init__(
        self,
        strategy: tf.distribute.Strategy,
        event_shape: tuple[int, ...],
        bounds: tuple[float, float] | None,
        seed: int,
    ):
        self.strategy = strategy
        self.replicas = strategy.num_replicas_in_sync
        self.event_shape = event_shape
        self.bounds = bounds
        self.seed = seed
        self._resident: tf.Variable | None = None

    def gather(self, rows: tf.Tensor) -> tf.Tensor:
        """Rows of the data that lie on the device, (batch, *event), in a graph."""
        return tf.gather(self._resident, rows)

    def training(
        self,
        array: np.ndarray,
        batch: int,
        shuffle: bool,
        compiled: bool,
        steps_taken: Callable[[], int],
    ) -> tuple[Any, int]:
        """The blocks of all epochs, and how many an epoch has.

        Args:
            array: (rows, *event), checked.
            batch: rows of a global batch, see `batch_rows`.
            shuffle: whether each epoch has an order of its own.
            compiled: whether XLA compiles the step; such models are small, and their blocks long.
            steps_taken: training steps taken so far.
        """
        most = COMPILED_BLOCK_STEPS if compiled else BLOCK_STEPS
        # Replicas meet within a step, and no loop of a graph may hold that, be there but one of them.
        alone = self.replicas == 1 and not synchronizes(self.strategy)
        steps = min(most, len(array) // batch) if alone else 1
        streamed = array.nbytes > sources.MEMORY_LIMIT
        mixed = steps
        if streamed:
            # Rows of the data and the batch only: the order is the same however many replicas share it.
            mixed = max(1, min(len(array), STREAMED_BLOCK_BYTES // array[0].nbytes) // batch)
            steps = min(steps, mixed)
        plan = blocks.Plan(len(array), batch, steps, mixed, self.replicas, shuffle, self.seed)
        if streamed:
            read = sources.reader(array, self.event_shape, self.bounds)
            epoch = functools.partial(blocks.data_blocks, read, plan)
            shape = (1 if steps == 1 else None, batch // self.replicas, *self.event_shape)
            kind, block = _kind(array), blocks.DataBlock
        else:
            self._make_resident(array)
            epoch = functools.partial(blocks.index_blocks, plan)
            shape, kind = (steps, batch // self.replicas), np.int32
            block = blocks.IndexBlock
        signature = block(tf.TensorSpec(shape, kind), tf.TensorSpec((), tf.int32))
        generate = functools.partial(blocks.all_epochs, epoch, plan, steps_taken)
        return self._distribute(generate, signature), plan.blocks

    def evaluation(self, data: Any, batch_size: int | None, name: str) -> tuple[Any, int]:
        """The batches of endless evaluations, and how many one evaluation has.

        Args:
            data: (rows, *event), not yet checked.
            batch_size: rows of a batch, 500 for None.
            name: what to call the data in an error.
        """
        array = sources.checked(data, self.event_shape, name, self.bounds)
        batch = (
            EVALUATION_BATCH if batch_size is None else whole_number(batch_size, "batch_size", 1)
        )
        batch = -(-batch // self.replicas) * self.replicas
        if array.nbytes > sources.MEMORY_LIMIT:
            read = sources.reader(array, self.event_shape, self.bounds)
        else:
            read = None

        def generate() -> Iterator[blocks.EvaluationBatch]:
            for first in itertools.cycle(range(0, len(array), batch)):
                last = min(first + batch, len(array))
                inputs = read(np.arange(first, last)) if read else np.asarray(array[first:last])
                spare = -len(inputs) % self.replicas
                weights = np.ones(len(inputs) + spare, np.float32)
                if spare:
                    weights[-spare:] = 0
                    inputs = np.concatenate([inputs, inputs[:1].repeat(spare, 0)])
                yield blocks.EvaluationBatch(inputs, weights, first)

        signature = blocks.EvaluationBatch(
            tf.TensorSpec((None, *self.event_shape), _kind(array)),
            tf.TensorSpec((None,), tf.float32),
            tf.TensorSpec((), tf.int64),
        )
        return self._distribute(generate, signature), -(-len(array) // batch)

    def batch_rows(self, batch_size: int | None, rows: int) -> int:
        """Rows of a global batch; the default is 32, or fewer where there are fewer rows.

        Raises:
            ValueError: for a size that the data or the replicas do not allow.
        """
        if batch_size is None:
            batch_size = max(min(DEFAULT_BATCH, rows) // self.replicas, 1) * self.replicas
        batch_size = whole_number(batch_size, "batch_size", 1)
        if batch_size > rows:
            raise ValueError(
                f"batch_size must be at most the number of examples, {rows}; received {batch_size}."
            )
        if batch_size % self.replicas:
            raise ValueError(
                f"batch_size is that of all replicas together and must be a multiple of {self.replicas}; "
                f"received {batch_size}."
            )
        return batch_size

    def release(self) -> None:
        """Give the memory of the data back; the variable stays, for the next `fit` and its trace."""
        if self._resident is not None:
            kind = self._resident.dtype.as_numpy_dtype
            self._resident.assign(np.zeros((0, *self.event_shape), kind))

    def reads_anew(self, array: np.ndarray) -> bool:
        """Whether a step that was traced before cannot read `array`, because its type is another."""
        return self._resident is not None and self._resident.dtype != array.dtype

    def _make_resident(self, array: np.ndarray) -> None:
        if self._resident is not None and self._resident.dtype == array.dtype:
            self._resident.assign(array)
            return
        shape = tf.TensorShape((None, *self.event_shape))
        with self.strategy.scope():
            self._resident = tf.Variable(array, trainable=False, shape=shape, name="resident")

    def _distribute(self, generate: Any, signature: Any) -> Any:
        """A data set of what `generate` yields, each element cut into the replicas' shares."""
        if self.replicas == 1:
            return blocks.block_dataset(generate, signature)

        def local(context: tf.distribute.InputContext) -> tf.data.Dataset:
            here = self.replicas // context.num_input_pipelines
            first = context.input_pipeline_id * here
            return blocks.block_dataset(
                lambda: blocks.per_replica(generate(), first, here, self.replicas), signature
            )

        return self.strategy.distribute_datasets_from_function(local)


def validation_rows(rows: int, share: float) -> int:
    """Rows that `validation_split` takes, or a ValueError where it leaves none on one side."""
    count = round(rows * share) if 0 < share < 1 else 0
    if not 0 < count < rows:
        raise ValueError(
            f"validation_split must leave rows on both sides; received {share} of {rows} rows."
        )
    return count


def refuse_steps(name: str, kwargs: dict[str, Any]) -> None:
    """Keras's arguments that would cut an array's epoch short."""
    if kwargs.get(name) is not None:
        raise ValueError(
            f"{name} is for data sets; received {name}={kwargs[name]} with an array, of which every "
            "epoch takes all rows. Leave it out, or slice the array."
        )


def refuse_weights(kwargs: dict[str, Any]) -> None:
    """Keras's arguments that would weigh examples."""
    for name in ("sample_weight", "class_weight"):
        if kwargs.get(name) is not None:
            raise ValueError(f"{name} must be left out: {sources.NO_WEIGHTS}")


def _kind(array: np.ndarray) -> type:
    return np.uint8 if array.dtype == np.uint8 else np.float32
