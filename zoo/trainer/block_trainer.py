"""A Keras model whose `fit` runs many steps for each call, at the speed of a bare graph loop."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.allocator import keep_freed_memory
from zoo.serialization import whole_number
from zoo.trainer import blocks, compilation, sources
from zoo.trainer.block_steps import BlockSteps
from zoo.trainer.broken_layers import refuse_broken
from zoo.trainer.callbacks import need_steps, with_guard
from zoo.trainer.feed import (
    BLOCK_STEPS,
    COMPILED_BLOCK_STEPS,
    refuse_class_weight,
    refuse_steps,
    validation_rows,
)
from zoo.trainer.keras_surface import own_train_step, refuse_uncompiled
from zoo.trainer.ordering import refuse_endless
from zoo.trainer.refusals import plain_errors


class BlockTrainer(BlockSteps):
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

    _fitting = False

    def meet(self, x: np.ndarray | None) -> None:
        """Called by `fit` before its first step, with the checked rows of x, or None for a stream."""

    def collapsed(self, logs: Mapping[str, Any]) -> str:
        """The warning after an epoch with the terms `logs` whose code tells nothing about x; "" for none."""
        return ""

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
                if batch_size is not None:
                    warnings.warn(
                        f"batch_size={batch_size} has no effect beside a stream, which has its own batches.",
                        stacklevel=2,
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
            changed = type(self).train_step is not BlockSteps.train_step
            with own_train_step(changed), plain_errors("x", "validation_data"):
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


class _Checked:
    """Fields of arrays that were checked already."""

    def __init__(self, fields: blocks.Fields):
        self.fields = fields


def _tensors(nest: Any) -> Any:
    return tf.nest.map_structure(tf.convert_to_tensor, nest)
