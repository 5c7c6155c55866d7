"""A Keras model whose `fit` runs many steps for each call, at the speed of a bare graph loop."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.allocator import keep_freed_memory
from zoo.batch import Batch
from zoo.noise import Noise
from zoo.serialization import whole_number
from zoo.trainer import blocks, compilation, optimizer_settings, slices, sources, threads
from zoo.trainer.broken_layers import refuse_broken
from zoo.trainer.callbacks import need_steps, with_guard
from zoo.trainer.feed import (
    BLOCK_STEPS,
    COMPILED_BLOCK_STEPS,
    Feed,
    refuse_class_weight,
    refuse_steps,
    validation_rows,
)
from zoo.trainer.intake import EXAMPLE_ROWS, Intake
from zoo.trainer.keras_surface import KerasSurface, refuse_uncompiled
from zoo.trainer.ordering import refuse_endless
from zoo.trainer.refusals import plain_errors
from zoo.trainer.replicas import over_replicas, shares_of_batch, synchronizes, this_replica
from zoo.trainer.traces import Flags, Traces


class BlockTrainer(KerasSurface):
    """Training, evaluation and inference of a model that computes its own loss.

    A subclass gives `update` (one training step), `measure` (the terms of an evaluation batch), `look` (the
    terms of a training step, without one) and `intake` (what it takes); it has the attribute `seed`.

    Example:
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,))
        >>> isinstance(model, zoo.trainer.BlockTrainer)
        True
        >>> model.compile()
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> sorted(model.evaluate(x, return_dict=True, verbose=0))
        ['kl', 'loss', 'reconstruction']
    """

    seed: int
    jit_friendly = True
    skip_nonfinite = False
    _use_jit = False
    _fitting = False
    jit_possible = True
    _slices = 1
    _why_whole: str | None = "the model is not compiled"

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

    def meet(self, x: np.ndarray | None) -> None:
        """Called by `fit` before its first step, with the checked rows of x, or None for a stream."""

    def collapsed(self, logs: Mapping[str, Any]) -> str:
        """The warning after an epoch with the terms `logs` whose code tells nothing about x; "" for none."""
        return ""

    @property
    def used_by_rows(self) -> bool:
        """Whether what the model gives for a row depends on no other row, outside training."""
        return False

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

    def look(self, batch: Batch, noise: Noise) -> list[str]:
        """The names of the terms that `update` gives, in the order of their metrics."""
        raise NotImplementedError

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

    def compile(
        self,
        optimizer: Any = "adam",
        jit_compile: bool | str = "auto",
        skip_nonfinite: bool = False,
        slices: int | str = "auto",
        **kwargs: Any,
    ) -> None:
        """Choose how to train.

        Args:
            optimizer: as in Keras. The name "adam" gives `zoo.trainer.Adam`, a fused kernel, with
                gradient clipping where the posterior has heavy tails. Under mixed_float16 the loss is scaled
                (`keras.optimizers.LossScaleOptimizer`), unless auto_scale_loss=False.
            jit_compile: "auto" compiles small dense models, which XLA makes faster; True and False as in
                Keras. Compilation takes 2 to 5 s. Several replicas are not compiled.
            skip_nonfinite: leave out updates whose gradient holds NaN or infinity; the metric ``skipped`` is
                their share, and the other metrics are means over the rest. One replica only.
            slices: of a batch, each on a core of its own: "auto" for as many as there are cores where
                TensorFlow's threads allow it (see `zoo.trainer.threads`), or a number. What lets the rows of
                a batch meet is computed on all of them. Results differ by the rounding of sums. Batches of
                fewer than 64 rows are computed whole, and those whose number of rows is not known.
            **kwargs: further arguments of `keras.Model.compile`; a loss is not among them, nor is
                steps_per_execution: steps are grouped anyway.

        Raises:
            ValueError: for a loss, or an argument that does not fit.
        """
        compilation.check(self.distribute_strategy, jit_compile, skip_nonfinite, kwargs)
        self.settle()
        with self.distribute_strategy.scope(), self._choosing():
            optimizer = compilation.optimizer_for(self, optimizer, skip_nonfinite, kwargs)
            optimizer.build(self.model_variables)
            compilation.refuse_unknown(optimizer, self.model_variables)
            refuse_broken(self)
            super().compile(optimizer=optimizer, jit_compile=False, **kwargs)
            self.skip_nonfinite = skip_nonfinite
        self._use_jit = compilation.uses_jit(self, jit_compile)
        self._slices, self._why_whole = compilation.slices_for(self, slices, self._use_jit)
        self._compile_choice = {
            "jit_compile": jit_compile,
            "skip_nonfinite": skip_nonfinite,
            "slices": slices,
            **{name: kwargs[name] for name in compilation.KEPT if name in kwargs},
        }
        self.traces.means.clear()
        self._trace_anew()

    def get_compile_config(self) -> dict[str, Any] | None:
        """What `compile_from_config` needs; None for a model that is not compiled."""
        if not self.compiled:
            return None
        optimizer = keras.saving.serialize_keras_object(self.optimizer)
        return {"optimizer": optimizer, **self._compile_choice}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile as the saved model was."""
        config = dict(config)
        optimizer = keras.saving.deserialize_keras_object(config.pop("optimizer"))
        self.compile(optimizer, **config)

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
        return {name: found[name] for name in logs}

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
    ) -> keras.callbacks.History:
        """Train; as `keras.Model.fit`, with these differences.

        Arrays are trained on in blocks of steps where no callback needs the steps between: the progress bar
        then counts blocks. The order of an epoch depends on the model's seed and step counter, so that a
        resumed run goes on with the same one. The last incomplete batch is dropped; reshuffling drops
        different rows each epoch. A loss that is not a finite number stops the run with the weights of the
        last good epoch.

        Args:
            x: array (rows, *event) of float or uint8, memory-mapped arrays included; a `zoo.data.Data`
                record; or a `tf.data.Dataset`, `PyDataset`, generator or loader of PyTorch that gives
                batches of x, (x, y), (x, y, weight) or TFDS's dicts. The first bytes decide what bytes are
                divided by, see `zoo.data.scaling`: a warning says it, the model keeps it.
            y: the target of a model that declares one, the condition of a model that declares one; labels
                otherwise, which are left out. A y that looks like a target is refused where the model
                reconstructs x.
            batch_size: rows of a global batch, 32 by default (fewer where there are fewer rows).
            epochs: as in Keras.
            verbose: as in Keras.
            callbacks: as in Keras. One that overrides a batch method sees single steps.
            validation_split: share of the rows, taken from the end, to validate on.
            validation_data: like x, or a tuple (x, y) or (x, y, weight).
            shuffle: whether each epoch has an order of its own.
            class_weight: refused: the loss has no classes.
            sample_weight: (rows,), how much every row counts, as in Keras: sum_i w_i l_i / rows.
            initial_epoch: as in Keras.
            steps_per_epoch: as in Keras: an epoch then need not be one pass over the data.
            validation_steps: as in Keras, for streams.
            validation_batch_size: rows of a validation batch, 500 by default.
            validation_freq: as in Keras.

        Returns:
            Keras's history: for every epoch the mean of each term, "val_" before those of validation.

        Raises:
            ValueError: for data that do not fit the model.
        """
        keep_freed_memory()
        refuse_uncompiled(self)
        refuse_class_weight(class_weight)
        epochs = whole_number(epochs, "epochs", 0)
        x, y, weight = self.intake.columns(x, y, sample_weight)
        callbacks = with_guard(callbacks)
        try:
            if sources.is_array(x):
                fields = self.intake.arrays(x, y, weight, "x", minimum=2)
                rows = len(fields["x"])
                if validation_split and validation_data is None:
                    cut = rows - validation_rows(rows, validation_split)
                    held_out = tf.nest.map_structure(lambda a: a[cut:], fields)
                    fields = tf.nest.map_structure(lambda a: a[:cut], fields)
                    validation_data, rows = _Checked(held_out), cut
                self.meet(fields["x"])
                batch = self.feed.batch_rows(batch_size, rows)
                if self.feed.reads_anew(fields):
                    self._trace_anew()
                most = COMPILED_BLOCK_STEPS if self._use_jit else BLOCK_STEPS
                if need_steps(callbacks):
                    most = 1
                x, steps_per_epoch = self.feed.training(
                    fields, batch, shuffle, most, self._steps_taken, steps_per_epoch
                )
                batch_size, shuffle = None, False
            else:
                if steps_per_epoch is None:
                    refuse_endless(x, "x", "steps_per_epoch")
                x = self.intake.stream(x, "x")
                if y is not None or sample_weight is not None:
                    raise ValueError(
                        "A stream of batches holds y and weights itself, as (x, y, weight); received them "
                        "beside it."
                    )
                if validation_split:
                    raise ValueError(
                        f"validation_split is for arrays; received {validation_split} with a data set. Split "
                        "it with take() and skip(), and pass validation_data."
                    )
                self.meet(None)
            validation_data, validation_steps = self._evaluation_feed(
                self.intake.columns(validation_data),
                validation_batch_size,
                "validation_data",
                "validation_steps",
                validation_steps,
            )
            self._prepare()
            self._fitting = True
            with plain_errors("x", "validation_data"):
                return super().fit(
                    x,
                    batch_size=batch_size,
                    epochs=epochs,
                    verbose=verbose,
                    callbacks=callbacks,
                    validation_data=validation_data,
                    shuffle=shuffle and isinstance(x, keras.utils.PyDataset),
                    initial_epoch=initial_epoch,
                    steps_per_epoch=steps_per_epoch,
                    validation_steps=validation_steps,
                    validation_freq=validation_freq,
                )
        finally:
            self._fitting = False
            self.feed.release()

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """The terms of the loss on x; as `keras.Model.evaluate`, with `x`, `y` and weights as in `fit`.

        The code of a stochastic bottleneck is drawn with noise that depends on the row and on
        `batch_size`, not on the call: the same model gives the same figures again.
        """
        cached = "_use_cached_eval_dataset" in kwargs  # Keras's own, from within `fit`
        if not cached:
            refuse_uncompiled(self)
            if x is None:
                sources.batches_of(x, "x")  # says what is expected
            data = self.intake.columns(x, y, sample_weight)
            x, steps = self._evaluation_feed(data, batch_size, "x", "steps", steps)
            batch_size = None
            self._prepare()
        kept = contextlib.nullcontext() if cached else self._means_kept()
        with kept, plain_errors("x", "validation_data" if cached else "x"):
            return super().evaluate(
                x,
                batch_size=batch_size,
                verbose=verbose,
                steps=steps,
                callbacks=callbacks,
                return_dict=return_dict,
                **kwargs,
            )

    @contextlib.contextmanager
    def _means_kept(self) -> Iterator[None]:
        """Within a fit, what evaluates for itself leaves the means of the epoch's steps as they were."""
        means = self.traces.means.values() if self._fitting else ()
        variables = [variable for mean in means for variable in mean.variables]
        before = [variable.numpy() for variable in variables]
        try:
            yield
        finally:
            for variable, value in zip(variables, before, strict=True):
                variable.assign(value)

    def _evaluation_feed(
        self,
        columns: tuple[Any, Any, Any],
        batch_size: int | None,
        name: str,
        steps_name: str,
        steps: int | None,
    ) -> tuple[Any, int | None]:
        """What Keras's evaluation runs over, and how many steps, for (x, y, weight)."""
        x, y, weight = columns
        if x is None:
            return None, None
        if isinstance(x, _Checked):
            return self.feed.evaluation(x.fields, batch_size)
        if not sources.is_array(x):
            if steps is None:
                refuse_endless(x, name, steps_name)
            return self.intake.stream(x, name), steps
        refuse_steps(steps_name, steps)
        return self.feed.evaluation(self.intake.arrays(x, y, weight, name), batch_size)

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """One step on one batch; as `keras.Model.train_on_batch`, with the data as in `fit`."""
        refuse_class_weight(class_weight)
        self._ready_for_batch("train_on_batch")
        fields = self.intake.arrays(*self.intake.columns(x, y, sample_weight))
        self.meet(None)
        self._prepare()
        self.make_train_function()
        self.reset_metrics()
        block = blocks.DataBlock(tf.nest.map_structure(lambda a: a[None], fields), np.int32(1))
        return self._batch_logs(self.train_function(iter([_tensors(block)])), return_dict)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """The terms of one batch; as `keras.Model.test_on_batch`, with the data as in `fit`."""
        self._ready_for_batch("test_on_batch")
        fields = self.intake.arrays(*self.intake.columns(x, y, sample_weight))
        self.make_test_function()
        present = np.ones(len(fields["x"]), np.float32)
        batch = blocks.EvaluationBatch(fields, present, np.int64(0))
        evaluate: Any = self.test_function
        with self._means_kept():
            self.reset_metrics()
            return self._batch_logs(evaluate(iter([_tensors(batch)])), return_dict)

    def predict_on_batch(self, x: Any) -> np.ndarray:
        """Reconstructions of one batch."""
        quiet: Any = 0  # Keras's default is a str
        return self.predict(x, verbose=quiet)

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
        terms = self.update(self.intake.floats(fields), noise)
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

    def _batch_logs(self, logs: dict[str, tf.Tensor], return_dict: bool) -> Any:
        found = {name: float(np.asarray(value)) for name, value in logs.items()}
        return found if return_dict else list(found.values())

    def _ready_for_batch(self, method: str) -> None:
        refuse_uncompiled(self)
        if self.distribute_strategy.num_replicas_in_sync > 1:
            raise ValueError(
                f"{method} works on one replica; received {self.distribute_strategy.num_replicas_in_sync}. "
                "Use fit() or evaluate() with a data set of one batch."
            )

    def _maybe_symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
        """Everything is built in the constructor and in `compile`, in the strategy's scope."""

    def make_train_function(self, force: bool = False) -> None:
        """What Keras calls for every block or step; it traces anew where a setting was changed between."""
        if self.train_function is not None and not force:
            return

        def current(iterator: Any) -> Any:
            self._prepare()
            if self.traces.train is None:
                super(BlockTrainer, self).make_train_function(force=True)
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


class _Checked:
    """Fields of arrays that were checked already."""

    def __init__(self, fields: blocks.Fields):
        self.fields = fields


def _tensors(nest: Any) -> Any:
    return tf.nest.map_structure(tf.convert_to_tensor, nest)


def _of_some_rows(values: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """`values`, or 0 where they are means of no rows: a last batch may leave a replica none."""
    return tf.where(rows > 0, values, tf.zeros_like(values))
