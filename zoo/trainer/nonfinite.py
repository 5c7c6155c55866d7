"""Stops a run whose loss is not a finite number, and gives the last good weights back."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

if TYPE_CHECKING:
    from zoo.trainer.block_trainer import BlockTrainer


class StopOnNonFinite(keras.callbacks.Callback):
    """Watches every term; on NaN or infinity stops, names the term and restores the weights.

    `fit` adds one of its own accord. After a stop, `term` and `epoch` say what happened, and the model
    has the weights (the optimizers' state too) of the last epoch that ended well, or those it began with.
    """

    model: BlockTrainer
    sees_blocks = True

    def __init__(self) -> None:
        super().__init__()
        self.term: str | None = None
        self.epoch = 0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Remember the weights that training begins with."""
        self.term = None
        self._variables = state_variables(self.model)
        self._remember()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Know which epoch it is."""
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Look at the terms; where steps may be skipped, at the end of the epoch only."""
        if not self.model.skip_nonfinite:
            self._look(logs or {})

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Remember the weights of a good epoch."""
        self._look({k: v for k, v in (logs or {}).items() if not k.startswith("val_")})
        if self.term is None:
            self._remember()

    def _look(self, logs: dict[str, Any]) -> None:
        bad = [name for name, value in logs.items() if not math.isfinite(value)]
        if self.term is not None or not bad:
            return
        # "loss" is the sum; the term that spoilt it says more.
        self.term = next((name for name in bad if name != "loss"), bad[0])
        for variable, value in zip(self._variables, self._good, strict=True):
            variable.assign(value)
        self.model.stop_training = True
        warnings.warn(
            f"Training stopped in epoch {self.epoch + 1}: the term {self.term!r} is "
            f"{float(logs[self.term])}. The weights are those of the last good epoch. Lower the "
            "learning rate, clip the gradient (global_clipnorm=5), or compile with skip_nonfinite=True.",
            stacklevel=2,
        )

    def _remember(self) -> None:
        # No copy yet: a variable that is updated later leaves its old buffer to this tensor. Read one by one,
        # which takes no longer than a function that reads all, and needs no tracing.
        self._good = [tf.convert_to_tensor(variable.value) for variable in self._variables]


def state_variables(model: keras.Model) -> list[keras.Variable]:
    """All that training changes: weights, random state, and every optimizer's slots, in a fixed order."""
    optimizers = [model.optimizer]
    optimizers += [r.optimizer for r in getattr(model, "critics", [])]
    found = [*model.variables, *(v for o in optimizers if o is not None for v in o.variables)]
    metrics = {id(v) for metric in model.metrics for v in metric.variables}
    return list({id(v): v for v in found if id(v) not in metrics}.values())
