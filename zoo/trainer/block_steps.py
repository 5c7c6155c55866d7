"""How the steps of a model run: blocks of them in one graph, traced anew where a setting was changed."""

from __future__ import annotations

import functools
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.batch import Batch
from zoo.noise import Noise
from zoo.trainer import blocks, compilation, optimizer_settings, slices, threads
from zoo.trainer.feed import Feed
from zoo.trainer.intake import EXAMPLE_ROWS, Intake
from zoo.trainer.keras_surface import KerasSurface, refuse_uncompiled
from zoo.trainer.replicas import over_replicas, shares_of_batch, synchronizes, this_replica
from zoo.trainer.terms import scalars
from zoo.trainer.traces import Flags, Traces


class BlockSteps(KerasSurface):
    """What Keras's loops call for each element of a data set: the steps of a block, or a batch to evaluate.

    What a subclass gives is said in `zoo.trainer.BlockTrainer`.
    """

    seed: int
    jit_friendly = True
    skip_nonfinite = False
    jit_possible = True
    _use_jit = False
    _slices = 1
    _why_whole: str | None = "the model is not compiled"
    _compile_choice: dict[str, Any]

    def __init__(self, **kwargs: Any):
        threads.cores()  # TensorFlow takes the number of its threads before its first operation only
        # The sub-models follow the global policy; inputs and losses stay in float32.
        super().__init__(dtype="float32", **kwargs)
        self.step = self.add_weight(
            name="step",
            shape=(),
            dtype="int64",
            initializer="zeros",
            trainable=False,
            aggregation="only_first_replica",
        )
        self.traces = Traces()

    @functools.cached_property
    def feed(self) -> Feed:
        """Turns arrays into blocks, and holds those that lie on the device."""
        return Feed(self.distribute_strategy, self.intake, self.seed)

    @property
    def intake(self) -> Intake:
        """The door through which data reach the model."""
        raise NotImplementedError

    @property
    def model_variables(self) -> list[keras.Variable]:
        """What the main optimizer trains."""
        return self.trainable_variables

    @property
    def optimizers(self) -> list[keras.Optimizer]:
        """Those that a training step uses; none where the model is not compiled."""
        return [self.optimizer] if self.compiled else []

    @property
    def changes(self) -> int:
        """How often a setting was changed since the model was made, by which a step is traced anew."""
        return 0

    def settle(self) -> None:
        """Called before steps are traced anew: settings that follow others do so, and all are checked."""

    def update(self, batch: Batch, noise: Noise) -> dict[str, tf.Tensor]:
        """One training step; its terms by name, scalars, "loss" among them."""
        raise NotImplementedError

    def measure(
        self, batch: Batch, noise: Noise, present: tf.Tensor | None
    ) -> dict[str, tf.Tensor]:
        """The terms of an evaluation batch, whose rows count where `present` is 1, or all."""
        raise NotImplementedError

    def look(self, batch: Batch, noise: Noise) -> list[str]:
        """The names of the terms that `update` gives, in the order of their metrics."""
        raise NotImplementedError

    @property
    def used_by_rows(self) -> bool:
        """Whether what the model gives for a row depends on no other row, outside training."""
        return False

    @property
    def term_names(self) -> list[str]:
        """Names of the metrics, "loss" first; found by tracing one step.

        Raises:
            ValueError: for a model that is not compiled.
        """
        if self.traces.names is None:
            refuse_uncompiled(self)
            self.traces.names = self._found_names()
        return list(self.traces.names)

    @property
    def slices(self) -> int:
        """Slices of a large batch, one for each core; 1 where `why_whole` says why."""
        return self._slices

    @property
    def slices_in_use(self) -> int:
        """Slices of the rows that are encoded, decoded and reconstructed."""
        several = self.distribute_strategy.num_replicas_in_sync > 1
        return threads.cores().count if self.used_by_rows and not several else 1

    @property
    def why_whole(self) -> str | None:
        """Why a batch is computed whole, in a few words; None where it is computed in slices."""
        return self._why_whole

    def keep_slices(self, count: int) -> None:
        """Cut batches into so many slices, as the run that is resumed did, so that sums round alike."""
        if count != self._slices:
            self._slices, self._why_whole = count, "the run began so" if count == 1 else None
            self._trace_anew()

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """One mean for each term, once a fit or an evaluation has begun."""
        traces = getattr(self, "traces", None)  # Keras asks before there are any
        if traces is None:
            return []
        return [traces.means[name] for name in traces.names or () if name in traces.means]

    def get_metrics_result(self) -> dict[str, Any]:
        """The means of an epoch; NaN where all its steps were skipped."""
        logs = super().get_metrics_result()
        if self.skip_nonfinite:
            logs = {n: tf.where(self.traces.means[n].count > 0, logs[n], np.nan) for n in logs}
        return logs

    def _get_metrics_result_or_logs(self, logs: dict[str, Any]) -> dict[str, Any]:
        # Keras takes the logs of the replicas, unweighted, where a metric is not among them.
        found = self.get_metrics_result()
        return {name: found.get(name, value) for name, value in logs.items()}

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        """One step, or the steps of one block; the means of the epoch so far."""
        self._prepare()
        if isinstance(data, blocks.IndexBlock | blocks.DataBlock):
            first = data.rows if isinstance(data, blocks.IndexBlock) else data.batches["x"]
            steps, rows = data.steps, tf.shape(first)[1]
        else:
            data = self.intake.stream_fields(data, "training")
            steps, rows = 1, tf.shape(data["x"])[0]
        compilation.refuse_unknown(self.optimizer, self.model_variables)
        values = self._compilable_block(data)(data)
        steps, rows = tf.cast(steps, tf.float32), tf.cast(rows, tf.float32)
        values = _of_some_rows(values, rows)
        # The sums leave out the steps that were skipped.
        used = steps - values[-1] if self.skip_nonfinite else steps
        for name, value in zip(self.term_names, tf.unstack(values), strict=True):
            count = steps if name == "skipped" else used
            mean = tf.math.divide_no_nan(value, count)
            self.traces.means[name].update_state(mean, sample_weight=count * rows)
        return self._logs(self.term_names)

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        """Evaluate one batch; the means of the evaluation so far."""
        self._prepare()
        replica, replicas = this_replica()
        if isinstance(data, blocks.EvaluationBatch):
            fields, start, shares = data.fields, data.start, None
            present = data.present if replicas > 1 else None
            if present is not None and self.intake.paired:
                present = tf.repeat(present, 2)
        else:
            fields = self.intake.stream_fields(data, "evaluation")
            # The rows seen so far, of which the first mean keeps count.
            seen = self.traces.means[self.term_names[0]].count
            start, present = tf.cast(over_replicas(seen), tf.int64), None
            shares = shares_of_batch(fields["x"])
        noise = Noise(self.seed, start, replica, replicas, shares).fold("evaluation")
        rows = tf.shape(fields["x"])[0] if present is None else tf.reduce_sum(present)
        values = self.measure(self.intake.floats(fields), noise, present)
        for name, value in values.items():
            if name not in self.traces.means:
                raise ValueError(
                    f"Evaluation gives the term {name!r}, which training does not. Let terms() give it to "
                    "both."
                )
            self.traces.means[name].update_state(_of_some_rows(value, rows), sample_weight=rows)
        return self._logs(list(values))

    def _run_block(self, data: Any) -> tf.Tensor:
        """Sums of the terms over the steps of a block, or the terms of a single batch."""
        if not isinstance(data, blocks.IndexBlock | blocks.DataBlock):
            return self._run_batch(data)
        # A block of one step takes the loop too, where no replicas meet in it: TensorFlow fuses a loop's body
        # otherwise than straight code, and a run that was stopped between would differ in the last bit.
        if synchronizes(self.distribute_strategy):
            return self._run_batch(self._fetch(data, 0))

        def body(index: tf.Tensor, sums: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return index + 1, sums + self._run_batch(self._fetch(data, index))

        def goes_on(index: tf.Tensor, sums: tf.Tensor) -> tf.Tensor:
            # A term that is not a number ends the block, before it spoils the other terms.
            return (index < data.steps) & tf.math.is_finite(tf.reduce_sum(sums))

        sums = tf.zeros([len(self.term_names)])
        return tf.while_loop(goes_on, body, (0, sums))[1]

    def _compilable_block(self, data: Any) -> Any:
        """The traced block for data of this kind; without XLA from here on where XLA cannot compile it."""
        if (
            self._use_jit
            and not self.run_eagerly
            and not compilation.compiles(self.traces.block, data)
        ):
            if self._compile_choice["jit_compile"] is True:
                raise ValueError(compilation.LACKING)
            self._use_jit = False
            self.traces.block = tf.function(self._run_block, autograph=False)
        return self.traces.block

    def _run_batch(self, fields: blocks.Fields) -> tf.Tensor:
        replica, replicas = this_replica()
        shares = shares_of_batch(fields["x"])
        noise = Noise(self.seed, self.step.value, replica, replicas, shares).fold("training")
        terms = scalars(self.update(self.intake.floats(fields), noise), "update()")
        # Not before the batch is there: the data set reads the step when it begins.
        with tf.control_dependencies(list(terms.values())):
            self.step.assign_add(1)
        if self.skip_nonfinite:
            kept = 1.0 - terms["skipped"]
            terms = {
                name: value if name == "skipped" else tf.math.multiply_no_nan(value, kept)
                for name, value in terms.items()
            }
        return tf.stack([terms[name] for name in self.term_names])

    def _fetch(self, data: blocks.IndexBlock | blocks.DataBlock, index: Any) -> blocks.Fields:
        if isinstance(data, blocks.IndexBlock):
            return self.feed.gather(data.rows[index])
        return tf.nest.map_structure(lambda field: field[index], data.batches)

    def _logs(self, names: list[str]) -> dict[str, tf.Tensor]:
        logs: dict[str, Any] = {name: self.traces.means[name].result() for name in names}
        strategy = self.distribute_strategy
        if isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
            # Keras reduces these over axis 0 (its issue 20585).
            return {name: tf.reshape(value, [1]) for name, value in logs.items()}
        return logs

    def _maybe_symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
        """Everything is built in the constructor and in `compile`, in the strategy's scope."""

    def make_train_function(self, force: bool = False) -> None:
        """What Keras calls for every block or step; it traces anew where a setting was changed between."""
        if self.train_function is not None and not force:
            return

        def current(iterator: Any) -> Any:
            self._prepare()
            if self.traces.train is None:
                super(BlockSteps, self).make_train_function(force=True)
                self.traces.train, self.train_function = self.train_function, current
            return self.traces.train(iterator)

        self.train_function = current

    def make_test_function(self, force: bool = False) -> None:
        """As Keras's, anew where a setting was changed."""
        self._prepare()
        super().make_test_function(force)

    def make_predict_function(self, force: bool = False) -> None:
        """As Keras's, anew where a setting was changed."""
        self._refresh()
        super().make_predict_function(force)

    def _prepare(self) -> None:
        """Trace anew where a setting was changed, and have a mean for every term."""
        self._refresh()
        if all(name in self.traces.means for name in self.term_names):
            return
        with self.distribute_strategy.scope():
            for name in self.term_names:
                if name not in self.traces.means:
                    self.traces.means[name] = keras.metrics.Mean(name=name)

    def _found_names(self) -> list[str]:
        """The names of the terms, by tracing a training step without its gradients."""
        found: dict[str, None] = {}

        def once(fields: blocks.Fields) -> None:
            replica, replicas = this_replica()
            noise = Noise(self.seed, self.step.value, replica, replicas)
            found.update(dict.fromkeys(self.look(self.intake.floats(fields), noise)))

        def on_replicas(fields: blocks.Fields) -> None:
            self.distribute_strategy.run(once, args=(fields,))

        traced = tf.function(on_replicas, autograph=False)
        rows = max(EXAMPLE_ROWS, slices.LEAST_ROWS * self.slices)
        traced.get_concrete_function(self.intake.example(rows))
        return [*found, *(["skipped"] if self.skip_nonfinite else [])]

    def _refresh(self) -> None:
        """Forget the traces where a setting was changed since."""
        if self._settings() != self.traces.settings:
            self.settle()
            self._check_optimizers()
            self._trace_anew()

    def _check_optimizers(self) -> None:
        """Refuse what was set of an optimizer since it was built, and cannot act."""
        if len(self.optimizers) == len(self.traces.optimizers):
            optimizer_settings.refuse_other_variables(self.optimizers, self.traces.optimizers)
        for optimizer in self.optimizers:
            compilation.refuse_alone(optimizer, self.distribute_strategy.num_replicas_in_sync)

    def _settings(self) -> tuple[Any, ...]:
        """What the traces hold of the settings, to tell when they are out of date."""
        of_optimizers = [optimizer_settings.settings(each) for each in self.optimizers]
        return self.changes, self.run_eagerly, self._flags.values(), of_optimizers

    @functools.cached_property
    def _flags(self) -> Flags:
        return Flags(self)

    def _trace_anew(self) -> None:
        """Forget the traces of all steps, which hold the data's variables and the settings as they were."""
        optimizers = optimizer_settings.configs(self.optimizers)
        self.traces = Traces(self._settings(), self.traces.means, optimizers)
        self.traces.block = self._run_block
        if not synchronizes(self.distribute_strategy) and not self.run_eagerly:
            self.traces.block = tf.function(
                self._run_block, jit_compile=self._use_jit or None, autograph=False
            )
        self.test_function = self.predict_function = None

    def _steps_taken(self) -> int:
        return int(self.step.numpy())


def _of_some_rows(values: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """`values`, or 0 where they are means of no rows: a last batch may leave a replica none."""
    return tf.where(rows > 0, values, tf.zeros_like(values))
