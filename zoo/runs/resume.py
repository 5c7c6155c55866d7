"""A checkpoint at every epoch's end, from which a killed run goes on bit for bit."""

from __future__ import annotations

import json
import os
import re
import time
import warnings
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from zoo.files import make_folder, recover
from zoo.runs.agreement import together
from zoo.runs.callback_state import get_states, set_states
from zoo.runs.checkpoints import Checkpoint, CheckpointFolder, nested_arrays, with_arrays
from zoo.runs.differences import differences
from zoo.runs.lock import FolderLock
from zoo.trainer.block_trainer import BlockTrainer
from zoo.trainer.nonfinite import state_variables

_MOST_DIFFERENCES = 3


class Resume(keras.callbacks.Callback):
    """Saves a run at the ends of its epochs, and goes on from there when `fit` is called again.

    A checkpoint is one file with the weights, the step counter, the state of every optimizer (the
    critics' too), the history, and what the other callbacks remember: the counters and the best weights
    of early stopping, the best so far, the plateau's. The noise and the order of the data depend on the
    step counter, so that a run that was killed and started again ends with the weights, the history and
    the callbacks of one that never was, bit for bit. With a `tf.data` pipeline of your own the order is
    the pipeline's.

        model.fit(x, epochs=100, callbacks=Resume("checkpoint").among([EarlyStopping(patience=5)]))

    Args:
        directory: folder of the checkpoints, of one run only. Several workers share it; the chief writes.
        every_seconds: least time between two checkpoints; 0 for one at every epoch's end. The last epoch
            always gets one.

    Raises:
        ValueError: from `fit`, where the folder cannot be written, is in use by another process, or holds
            the checkpoints of another model; and where several workers have other models, or find other
            checkpoints.

    Example:
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> for epochs in (1, 3):  # the second call goes on where the first ended
        ...     model = zoo.create("vae", (6,), latents=2, hidden=(4,))
        ...     model.compile()
        ...     resume = zoo.runs.Resume("checkpoint")
        ...     history = model.fit(x, epochs=epochs, verbose=0, callbacks=resume.among([]))
        >>> len(history.history["loss"])
        3
    """

    model: keras.Model

    def __init__(self, directory: str | os.PathLike[str], every_seconds: float = 0.0):
        super().__init__()
        self.checkpoints = CheckpointFolder(directory)
        self.every_seconds = every_seconds
        self._others: list[keras.callbacks.Callback] = []
        self._lock: FolderLock | None = None
        self._past: list[int] = []

    def among(
        self, callbacks: keras.callbacks.Callback | Sequence[keras.callbacks.Callback]
    ) -> list[keras.callbacks.Callback]:
        """The callbacks with this one behind them; their state is saved and restored too.

        It has to come last: the others have then begun when it restores them, and have seen an epoch
        when it saves them.
        """
        given = callbacks if isinstance(callbacks, Sequence) else [callbacks]
        self._others = [callback for callback in given if callback is not self]
        return [*self._others, self]

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Take the folder and restore the newest checkpoint, where there is one."""
        self._epochs: list[int] = []
        self._history: dict[str, list] = {}
        self._restored: Checkpoint | None = None
        self._saved_at = time.monotonic()
        self._description = _described(self.model)
        with together(self.model.distribute_strategy) as facts:
            if self._writes:
                self._occupy()
            checkpoint = self.checkpoints.load()
            if checkpoint is not None:
                self._check(checkpoint)
            facts["model"] = self._description
            facts["checkpoint"] = None if checkpoint is None else _epochs(checkpoint)
        if checkpoint is not None:
            self._restore(checkpoint)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Complete the history's list of epochs, which Keras empties when training begins."""
        self._complete_history()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write a checkpoint, unless a term is not a finite number."""
        logs = logs or {}
        if not _finite(logs):
            if self._restored is not None:
                # What `StopOnNonFinite` knows as the last good weights are those before the resume.
                self._assign(self._restored)
            return
        self._restored = None
        for name, value in logs.items():
            self._history.setdefault(name, []).append(value)
        self._epochs.append(epoch)
        last = self.model.stop_training or epoch + 1 == (self.params or {}).get("epochs")
        if self._writes and (last or time.monotonic() - self._saved_at >= self.every_seconds):
            self._save()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Leave the folder."""
        self._complete_history()
        self.model._initial_epoch = None
        if self._lock is not None:
            self._lock.release()

    @property
    def _writes(self) -> bool:
        return self.model.distribute_strategy.extended.should_checkpoint

    def _occupy(self) -> None:
        folder = self.checkpoints.folder
        make_folder(folder)
        self._lock = FolderLock(folder)
        self._lock.acquire()
        recover(folder)

    def _save(self) -> None:
        variables = state_variables(self.model)
        arrays = {f"variable {i}": v.numpy() for i, v in enumerate(variables)}
        remembered = {
            "epochs": self._epochs,
            "history": self._history,
            "callbacks": get_states(self._others),
            "stopped": bool(self.model.stop_training),
            "slices": getattr(self.model, "slices", 1),
        }
        description = {
            "of": self._description,
            "run": nested_arrays(remembered, arrays, "run"),
        }
        self.checkpoints.save(len(self._epochs), Checkpoint(arrays, description))
        self._saved_at = time.monotonic()

    def _check(self, checkpoint: Checkpoint) -> None:
        found = differences(checkpoint.description["of"], self._description)
        if found:
            more = len(found) - _MOST_DIFFERENCES
            raise ValueError(
                f"The checkpoint in {str(self.checkpoints.folder)!r} belongs to another model: "
                f"{'; '.join(found[:_MOST_DIFFERENCES])}{f'; and {more} more' if more > 0 else ''}. "
                "Build the same model, or choose another folder."
            )

    def _restore(self, checkpoint: Checkpoint) -> None:
        run = with_arrays(checkpoint.description["run"], checkpoint.arrays)
        self._epochs, self._history = run["epochs"], run["history"]
        self._restored = checkpoint
        self._assign(checkpoint)
        without = set_states(self._others, run["callbacks"])
        if without:
            warnings.warn(
                f"The checkpoint holds no state of {', '.join(without)}, which begin anew.",
                stacklevel=2,
            )
        if isinstance(self.model, BlockTrainer):
            self.model.keep_slices(run.get("slices", 1))
        begun = self._epochs[-1] + 1
        self.model._initial_epoch = begun
        if run["stopped"]:
            # Keras clears the flag before training begins: leave it no epoch to run.
            self.model._initial_epoch = max(begun, (self.params or {}).get("epochs", begun))
        history = getattr(self.model, "history", None)
        if history is not None:
            history.history.update({name: list(values) for name, values in self._history.items()})
        self._past = list(self._epochs)

    def _assign(self, checkpoint: Checkpoint) -> None:
        for index, variable in enumerate(state_variables(self.model)):
            variable.assign(checkpoint.arrays[f"variable {index}"])

    def _complete_history(self) -> None:
        history = getattr(self.model, "history", None)
        if history is not None and self._past:
            history.epoch[:0] = self._past
        self._past = []


def _epochs(checkpoint: Checkpoint) -> int:
    """Epochs that were done when it was written."""
    return len(with_arrays(checkpoint.description["run"], checkpoint.arrays)["epochs"])


def _described(model: keras.Model) -> dict[str, Any]:
    """What the model and its state are, without the numbers that Keras appends to names."""
    try:
        config = {k: v for k, v in model.get_config().items() if k != "objective"}
    except NotImplementedError:  # a subclass without a configuration is told by its variables
        config = {}
    optimizer = model.optimizer.get_config() if model.optimizer is not None else {}
    if not isinstance(optimizer.get("learning_rate"), dict):
        optimizer.pop("learning_rate", None)  # a variable, which callbacks change
    variables = [[v.path, list(v.shape), str(v.dtype)] for v in state_variables(model)]
    description = {
        "class": type(model).__name__,
        "config": config,
        "optimizer": optimizer,
        "variables": variables,
    }
    text = json.dumps(description, default=lambda value: type(value).__name__)
    return _unnumbered(json.loads(text))


def _unnumbered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _unnumbered(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_unnumbered(item) for item in value]
    return re.sub(r"_\d+(?=[/_]|$)", "", value) if isinstance(value, str) else value


def _finite(logs: dict[str, Any]) -> bool:
    return all(np.isfinite(v).all() for k, v in logs.items() if not k.startswith("val_"))
