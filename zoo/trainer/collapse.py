"""Says once that a code tells nothing of its example."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import keras

if TYPE_CHECKING:
    from zoo.trainer.block_trainer import BlockTrainer


class WarnOfCollapse(keras.callbacks.Callback):
    """Asks the model after every epoch whether its code tells anything, and warns the first time it does not.

    `fit` adds one of its own accord; what counts as nothing is the model's to say, see
    `zoo.trainer.BlockTrainer.collapsed`.
    """

    model: BlockTrainer
    sees_blocks = True

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Every `fit` may be warned of once."""
        self._said = False

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Warn where the model says so."""
        found = "" if self._said else self.model.collapsed(logs or {})
        if found:
            self._said = True
            warnings.warn(f"After epoch {epoch + 1}: {found}", stacklevel=2)
