"""A Keras model whose `fit` runs many steps for each call, at the speed of a bare graph loop."""

from __future__ import annotations

import functools
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.noise import Noise
from zoo.trainer import blocks, compilation, sources
from zoo.trainer.feed import Feed, refuse_steps, refuse_weights, validation_rows
from zoo.trainer.replicas import over_replicas, shares_of_batch, synchronizes, this_replica


class BlockTrainer(keras.Model):
    """Training, evaluation and inference of a model that computes its own loss.

    A subclass gives `update` (one training step), `measure` (the terms of an evaluation batch) and
    `term_names`; it has the attributes `event_shape` and `seed`, and may have `input_bounds`, the range of
    its inputs.
    """

    seed: int
    event_shape: tuple[int, ...]
    jit_friendly = True
    jit_possible = True
    input_bounds: tuple[float, float] | None = None

    def __init__(self, **kwargs: Any):
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

    @functools.cached_property
    def feed(self) -> Feed:
        """Turns arrays into blocks, and holds those that lie on the device."""
        return Feed(self.distribute_strategy, self.event_shape, self.input_bounds, self.seed)

    @property
    def term_names(self) -> list[str]:
        """Names of the metrics, "loss" first."""
        raise NotImplementedError

    @property
    def model_variables(self) -> list[keras.Variable]:
        """What the main optimizer trains."""
        return self.trainable_variables

    def update(self, inputs: tf.Tensor, noise: Noise) -> list[tf.Tensor]:
        """One training step on (batch, *event) float32; the scalars of `term_names`."""
        raise NotImplementedError

    def measure(self, inputs: tf.Tensor, noise: Noise, weights: Any) -> list[tf.Tensor]:
        """The scalars of `term_names` for an evaluation batch, rows weighted by (batch,) or None."""
        raise NotImplementedError

    def compile(
        self,
        optimizer: Any = "adam",
        jit_compile: bool | str = "auto",
        skip_nonfinite: bool = False,
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
            **kwargs: further arguments of `keras.Model.compile`; a loss is not among them, nor is
                steps_per_execution: steps are grouped anyway.

        Raises:
            ValueError: for a loss, or an argument that does not fit.
        """
        compilation.check(self.distribute_strategy, jit_compile, skip_nonfinite, kwargs)
        with self.distribute_strategy.scope():
            optimizer = compilation.optimizer_for(self, optimizer, skip_nonfinite, kwargs)
            optimizer.build(self.model_variables)
            super().compile(optimizer=optimizer, jit_compile=False, **kwargs)
            names = [*self.term_names, *(["skipped"] if skip_nonfinite else [])]
            self._means = [keras.metrics.Mean(name=name) for name in names]
        self.skip_nonfinite = skip_nonfinite
        self._compile_choice = {"jit_compile": jit_compile, "skip_nonfinite": skip_nonfinite}
        self._use_jit = compilation.uses_jit(self, jit_compile)
        self._snapshot = None  # of the variables, which the new optimizer's belong to
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
        """One mean for each term."""
        return list(getattr(self, "_means", []))

    def get_metrics_result(self) -> dict[str, Any]:
        """The means of an epoch; NaN where all its steps were skipped."""
        logs = super().get_metrics_result()
        if self.skip_nonfinite:
            logs = {m.name: tf.where(m.count > 0, logs[m.name], np.nan) for m in self._means}
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
        validation_batch_size: int | None = None,
        **kwargs: Any,
    ) -> keras.callbacks.History:
        """Train; as `keras.Model.fit`, with these differences.

        Arrays are trained on in blocks of steps: the progress bar counts blocks. The order of an epoch
        depends on the model's seed and step counter, so that a resumed run goes on with the same one;
        what is left over after the last full batch is skipped, and differs from epoch to epoch. A loss
        that is no finite number stops the run with the weights of the last good epoch.

        Args:
            x: array (rows, *event) of uint8 (scaled by 1/255) or float, memory-mapped arrays included; a
                `zoo.data.Data` record; or a `tf.data.Dataset` of batches of x, of (x, y) or of TFDS's
                dicts.
            y: ignored; there so that labelled data need no rewriting.
            batch_size: rows of a global batch, 32 by default (fewer where there are fewer rows).
            epochs: as in Keras.
            verbose: as in Keras.
            callbacks: as in Keras.
            validation_split: share of the rows, taken from the end, to validate on.
            validation_data: like x, or an (x, y) pair.
            shuffle: whether each epoch has an order of its own.
            validation_batch_size: rows of a validation batch, 500 by default.
            **kwargs: further arguments of `keras.Model.fit`.

        Returns:
            Keras's history: for every epoch the mean of each term, "val_" before those of validation.

        Raises:
            ValueError: for data that do not fit the model.
        """
        from zoo.trainer.nonfinite import with_guard

        refuse_weights(kwargs)
        x, validation_data = sources.array_of(x), sources.array_of(validation_data)
        try:
            if sources.is_array(x):
                x = sources.checked(x, self.event_shape, "x", self.input_bounds, minimum=2)
                if validation_split and validation_data is None:
                    count = validation_rows(len(x), validation_split)
                    x, validation_data = x[:-count], x[-count:]
                if x.dtype == np.uint8 and verbose:
                    print("uint8 inputs are scaled by 1/255.")
                refuse_steps("steps_per_epoch", kwargs)
                batch = self.feed.batch_rows(batch_size, len(x))
                if self.feed.reads_anew(x):
                    self._trace_anew()
                x, kwargs["steps_per_epoch"] = self.feed.training(
                    x, batch, shuffle, self._use_jit, self._steps_taken
                )
                batch_size, shuffle = None, False
            else:
                x = sources.batches_of(x, "x", self.input_bounds)
                if validation_split:
                    raise ValueError(
                        f"validation_split is for arrays; received {validation_split} with a data set. Split "
                        "it with take() and skip(), and pass validation_data."
                    )
            if sources.is_array(validation_data):
                refuse_steps("validation_steps", kwargs)
                validation_data, kwargs["validation_steps"] = self.feed.evaluation(
                    validation_data, validation_batch_size, "validation_data"
                )
            elif validation_data is not None:
                validation_data = sources.batches_of(
                    validation_data, "validation_data", self.input_bounds
                )
            with sources.plain_errors():
                return super().fit(
                    x,
                    batch_size=batch_size,
                    epochs=epochs,
                    verbose=verbose,
                    callbacks=with_guard(callbacks),
                    validation_data=validation_data,
                    shuffle=shuffle and not isinstance(x, tf.data.Dataset),
                    **kwargs,
                )
        finally:
            self.feed.release()

    def evaluate(self, x: Any = None, y: Any = None, batch_size: int | None = None, **kwargs: Any):
        """The terms of the loss on x; as `keras.Model.evaluate`, with `x` as in `fit`.

        The code of a stochastic bottleneck is drawn with noise that depends on the row and on
        `batch_size`, not on the call: the same model gives the same figures again.
        """
        refuse_weights(kwargs)
        x = sources.array_of(x)
        if sources.is_array(x):
            refuse_steps("steps", kwargs)
            x, kwargs["steps"] = self.feed.evaluation(x, batch_size, "x")
            batch_size = None
        else:
            x = sources.batches_of(x, "x", self.input_bounds)
        with sources.plain_errors():
            return super().evaluate(x, batch_size=batch_size, **kwargs)

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        """One step, or the steps of one block; the means of the epoch so far."""
        if isinstance(data, blocks.IndexBlock | blocks.DataBlock):
            values, steps, rows = self._compiled_block(data), data.steps, tf.shape(data[0])[1]
        else:
            batch = sources.batch_inputs(data)
            values, steps, rows = self._compiled_block(batch), 1, tf.shape(batch)[0]
        steps, rows = tf.cast(steps, tf.float32), tf.cast(rows, tf.float32)
        values = _of_some_rows(values, rows)
        # The sums leave out the steps that were skipped.
        used = steps - values[-1] if self.skip_nonfinite else steps
        for mean, value in zip(self._means, tf.unstack(values), strict=True):
            count = steps if mean.name == "skipped" else used
            mean.update_state(tf.math.divide_no_nan(value, count), sample_weight=count * rows)
        return self._logs()

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        """Evaluate one batch; the means of the evaluation so far."""
        replica, replicas = this_replica()
        inputs = sources.to_float(sources.batch_inputs(data), self.event_shape)
        if isinstance(data, blocks.EvaluationBatch):
            start, weights, shares = data.start, data.weights if replicas > 1 else None, None
        else:
            # The rows seen so far, of which the first mean keeps count.
            start, weights = tf.cast(over_replicas(self._means[0].count), tf.int64), None
            shares = shares_of_batch(inputs)
        noise = Noise(self.seed, start, replica, replicas, shares).fold("evaluation")
        rows = tf.shape(inputs)[0] if weights is None else tf.reduce_sum(weights)
        values = self.measure(inputs, noise, weights)
        for mean, value in zip(self._means, values, strict=False):
            mean.update_state(_of_some_rows(value, rows), sample_weight=rows)
        return self._logs(len(values))

    def predict_step(self, data: Any) -> tf.Tensor:
        """Reconstructions of one batch."""
        return self(sources.batch_inputs(data), training=False)

    def _run_block(self, data: Any) -> tf.Tensor:
        """Sums of the terms over the steps of a block, or the terms of a single batch."""
        if not isinstance(data, blocks.IndexBlock | blocks.DataBlock):
            return self._run_batch(data)
        if data[0].shape[0] == 1:
            return self._run_batch(self._fetch(data, 0))

        def body(index: tf.Tensor, sums: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return index + 1, sums + self._run_batch(self._fetch(data, index))

        def goes_on(index: tf.Tensor, sums: tf.Tensor) -> tf.Tensor:
            # A term that is no number ends the block, before it spoils the other terms.
            return (index < data.steps) & tf.math.is_finite(tf.reduce_sum(sums))

        sums = tf.zeros([len(self._means)])
        return tf.while_loop(goes_on, body, (0, sums))[1]

    def _run_batch(self, batch: tf.Tensor) -> tf.Tensor:
        replica, replicas = this_replica()
        shares = shares_of_batch(batch)
        noise = Noise(self.seed, self.step.value, replica, replicas, shares).fold("training")
        terms = self.update(sources.to_float(batch, self.event_shape), noise)
        # Not before the batch is there: the data set reads the step when it begins.
        with tf.control_dependencies(terms):
            self.step.assign_add(1)
        if self.skip_nonfinite:
            terms = [tf.math.multiply_no_nan(term, 1.0 - terms[-1]) for term in terms[:-1]] + terms[
                -1:
            ]
        return tf.stack(terms)

    def _fetch(self, data: blocks.IndexBlock | blocks.DataBlock, index: Any) -> tf.Tensor:
        if isinstance(data, blocks.IndexBlock):
            return self.feed.gather(data.rows[index])
        return data.batches[index]

    def _logs(self, count: int | None = None) -> dict[str, tf.Tensor]:
        logs = {mean.name: mean.result() for mean in self._means[:count]}
        strategy = self.distribute_strategy
        if isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
            # Keras reduces these over axis 0 (its issue 20585).
            return {name: tf.reshape(value, [1]) for name, value in logs.items()}
        return logs

    def _maybe_symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
        """Everything is built in the constructor and in `compile`, in the strategy's scope."""

    def _trace_anew(self) -> None:
        """Forget the traces of the training step, which hold the data's variable."""
        self._compiled_block = self._run_block
        if not synchronizes(self.distribute_strategy):
            self._compiled_block = tf.function(
                self._run_block, jit_compile=self._use_jit or None, autograph=False
            )
        self.train_function = None

    def _steps_taken(self) -> int:
        return int(self.step.numpy())


def _of_some_rows(values: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """`values`, or 0 where they are means of no rows: a last batch may leave a replica none."""
    return tf.where(rows > 0, values, tf.zeros_like(values))
