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
from zoo.trainer.blocks import Fields
from zoo.trainer.intake import Intake
from zoo.trainer.replicas import synchronizes

DEFAULT_BATCH = 32
EVALUATION_BATCH = 500
# Long enough to hide the cost of a call, short enough for the progress bar of a slow model.
BLOCK_STEPS = 64
COMPILED_BLOCK_STEPS = 512
STREAMED_BLOCK_BYTES = 32 << 20
# Smaller data are copied to the device, beside what TensorFlow takes itself: blocks can then be longer.
GATHERED_BYTES = 64 << 20
# A block of gathered rows is this part of the data at the most; two are there at a time.
GATHERED_PART = 16


class Feed:
    """Feeds a model on the replicas of a strategy; holds the data that lie on the device.

    The data are not part of the model: neither Keras nor TensorFlow tracks what a plain object holds.

    Args:
        strategy: whose replicas share every batch.
        intake: what the model takes.
        seed: of the order of the data.
    """

    def __init__(self, strategy: tf.distribute.Strategy, intake: Intake, seed: int):
        self.strategy = strategy
        self.replicas = strategy.num_replicas_in_sync
        self.intake = intake
        self.seed = seed
        self._resident: Any = None
        # Generators that the replicas' iterators read, which keep no data set.
        self._shared: list[Any] = []
        self._made: dict[Any, tuple[blocks.Source, tf.data.Dataset]] = {}

    def gather(self, rows: tf.Tensor) -> Fields:
        """The fields of some rows of the data that lie on the device, in a graph."""
        return tf.nest.map_structure(lambda field: tf.gather(field, rows), self._resident)

    def training(
        self,
        fields: Fields,
        batch: int,
        shuffle: bool,
        most: int,
        steps_taken: Callable[[], int],
        epoch_steps: int | None = None,
    ) -> tuple[Any, int]:
        """The blocks of all epochs, and how many an epoch has.

        Args:
            fields: arrays of (rows, ...), checked.
            batch: rows of a global batch, see `batch_rows`.
            shuffle: whether each epoch has an order of its own.
            most: steps of a block at the most.
            steps_taken: training steps taken so far.
            epoch_steps: steps of an epoch, where that is not one pass over the data.

        Returns:
            A data set of blocks without end, and the blocks of an epoch.

        Raises:
            ValueError: for `epoch_steps` beside arrays that are read from a file.
        """
        rows = len(fields["x"])
        # Replicas meet within a step, and no loop of a graph may hold that, be there but one of them.
        alone = self.replicas == 1 and not synchronizes(self.strategy)
        steps = min(most, rows // batch) if alone else 1
        streamed, gathered = sources.large(tf.nest.flatten(fields)), self._gathers(fields)
        mixed = steps
        row_bytes = sum(sources.bytes_in_memory(array[:1]) for array in tf.nest.flatten(fields))
        if gathered:
            most_rows = min(rows // GATHERED_PART, STREAMED_BLOCK_BYTES // row_bytes)
            steps = min(steps, max(1, most_rows // batch))
        if streamed:
            if epoch_steps is not None:
                raise ValueError(
                    "steps_per_epoch is not for arrays that are read from a file: an epoch takes all rows. "
                    "Leave it out, or slice the array."
                )
            # Rows of the data and the batch only: the order is the same however many replicas share it.
            mixed = max(1, min(rows, STREAMED_BLOCK_BYTES // row_bytes) // batch)
            steps = min(steps, mixed)
        plan = blocks.Plan(
            rows, batch, steps, mixed, self.replicas, shuffle, self.seed, epoch_steps
        )
        own = batch // self.replicas
        if streamed:
            epoch = functools.partial(blocks.data_blocks, self._reader(fields), plan)
            lead = (1 if steps == 1 else None, own)
            signature: Any = blocks.DataBlock(_specs(fields, *lead), tf.TensorSpec((), tf.int32))
        else:
            epoch = functools.partial(blocks.index_blocks, plan._replace(epoch_steps=None))
            count = tf.TensorSpec((), tf.int32)
            signature = blocks.IndexBlock(tf.TensorSpec((steps, own), tf.int32), count)
            if gathered:
                signature = blocks.DataBlock(_specs(fields, steps, own), count)
            else:
                self._make_resident(fields)
        generate = functools.partial(blocks.all_epochs, epoch, plan, steps_taken)
        if gathered:
            order, generate = generate, lambda: blocks.gathered(order(), fields)
        if streamed or gathered or self.replicas > 1:
            return self._distribute(generate, signature), plan.blocks
        return self._index_dataset(generate, signature), plan.blocks

    def evaluation(self, fields: Fields, batch_size: int | None) -> tuple[Any, int]:
        """The batches of endless evaluations, and how many one evaluation has.

        Args:
            fields: arrays of (rows, ...), checked.
            batch_size: rows of a batch, 500 for None.

        Returns:
            A data set of batches without end, and the batches of one evaluation.
        """
        batch = (
            EVALUATION_BATCH if batch_size is None else whole_number(batch_size, "batch_size", 1)
        )
        rows = len(fields["x"])
        read = self._reader(fields)

        def generate() -> Iterator[blocks.EvaluationBatch]:
            for first in itertools.cycle(range(0, rows, batch)):
                chosen = np.arange(first, min(first + batch, rows))
                spare = -len(chosen) % self.replicas
                present = np.ones(len(chosen) + spare, np.float32)
                found = read(chosen)
                if spare:
                    present[-spare:] = 0
                    found = tf.nest.map_structure(
                        lambda a, n=spare: np.concatenate([a, a[:1].repeat(n, 0)]), found
                    )
                yield blocks.EvaluationBatch(found, present, first)

        signature = blocks.EvaluationBatch(
            _specs(fields, None), tf.TensorSpec((None,), tf.float32), tf.TensorSpec((), tf.int64)
        )
        return self._distribute(generate, signature), -(-rows // batch)

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
        """Give the memory of the data back; the variables stay, for the next `fit` and its trace."""
        self._shared.clear()
        for source, _ in self._made.values():
            source.generate = None
        for field in tf.nest.flatten(self._resident):
            if field is not None:
                field.assign(np.zeros((0, *field.shape[1:]), field.dtype.as_numpy_dtype))

    def reads_anew(self, fields: Fields) -> bool:
        """Whether steps must be traced anew to read `fields`: other names or types than were traced."""
        lie_there = self._resident is not None and not self._gathers(fields)
        return lie_there and not self._fits(fields)

    def _gathers(self, fields: Fields) -> bool:
        """Whether the rows are gathered where they lie, which spares a copy of them where memory is one."""
        arrays = tf.nest.flatten(fields)
        kinds = {device.device_type for device in tf.config.list_logical_devices()}
        small = sum(array.nbytes for array in arrays) < GATHERED_BYTES
        return not small and not sources.large(arrays) and kinds == {"CPU"}

    def _fits(self, fields: Fields) -> bool:
        try:
            tf.nest.assert_same_structure(self._resident, fields)
        except (ValueError, TypeError):
            return False
        pairs = zip(tf.nest.flatten(self._resident), tf.nest.flatten(fields), strict=True)
        return all(field.dtype == array.dtype for field, array in pairs)

    def _make_resident(self, fields: Fields) -> None:
        if self._resident is not None and self._fits(fields):
            tf.nest.map_structure(lambda field, array: field.assign(array), self._resident, fields)
            return

        def resident(array: Any) -> tf.Variable:
            shape = tf.TensorShape((None, *array.shape[1:]))
            return tf.Variable(array, trainable=False, shape=shape, name="resident")

        with self.strategy.scope():
            self._resident = tf.nest.map_structure(resident, fields)

    def _reader(self, fields: Fields) -> Callable[[np.ndarray], Fields]:
        """A function from rising row numbers to the fields of those rows."""
        if not sources.large(tf.nest.flatten(fields)):
            return lambda rows: tf.nest.map_structure(
                lambda array: np.asarray(array[rows[0] : rows[-1] + 1]), fields
            )
        read_x = sources.reader(fields["x"], self.intake.rows)
        others = {name: field for name, field in fields.items() if name != "x"}

        def read(rows: np.ndarray) -> Fields:
            found = tf.nest.map_structure(lambda array: np.asarray(array[rows]), others)
            return {"x": read_x(rows), **found}

        return read

    def _index_dataset(self, generate: Any, signature: Any) -> tf.data.Dataset:
        """A data set of what `generate` yields, made once for all fits whose blocks have the same shape.

        To make one is to trace three functions, which takes as long as hundreds of steps of a small model.
        """
        if signature not in self._made:
            source = blocks.Source()
            self._made[signature] = source, blocks.block_dataset(source, signature)
        source, dataset = self._made[signature]
        source.generate = generate
        return dataset

    def _distribute(self, generate: Any, signature: Any) -> Any:
        """A data set of what `generate` yields, each element cut into the replicas' shares."""
        if self.replicas == 1:
            return blocks.block_dataset(generate, signature)

        def local(context: tf.distribute.InputContext) -> tf.data.Dataset:
            here = self.replicas // context.num_input_pipelines
            first = context.input_pipeline_id * here

            def shares() -> Any:
                return blocks.per_replica(generate(), first, here, self.replicas)

            self._shared.append(shares)
            return blocks.block_dataset(shares, signature)

        return self.strategy.distribute_datasets_from_function(local)


def validation_rows(rows: int, share: float) -> int:
    """Rows that `validation_split` takes, or a ValueError where it leaves none on one side."""
    count = round(rows * share) if 0 < share < 1 else 0
    if not 0 < count < rows:
        raise ValueError(
            f"validation_split must leave rows on both sides; received {share} of {rows} rows."
        )
    return count


def refuse_steps(name: str, steps: int | None) -> None:
    """Keras's arguments that would cut an evaluation of an array short."""
    if steps is not None:
        raise ValueError(
            f"{name} is for data sets; received {name}={steps} with an array, of which an evaluation "
            "takes all rows. Leave it out, or slice the array."
        )


def refuse_class_weight(class_weight: Any) -> None:
    """Keras's weights by class, where there are not classes in the loss."""
    if class_weight is not None:
        raise ValueError(
            "class_weight must be left out: an autoencoder's loss has no classes. Give every row its weight: "
            "sample_weight=np.array([class_weight[label] for label in labels])."
        )


def _specs(fields: Fields, *lead: int | None) -> Fields:
    """What the fields of some rows look like; floats and booleans are read as float32."""

    def spec(array: np.ndarray) -> tf.TensorSpec:
        kind: Any = np.float32 if array.dtype.kind in "fb" else array.dtype
        return tf.TensorSpec((*lead, *array.shape[1:]), kind)

    return tf.nest.map_structure(spec, fields)
