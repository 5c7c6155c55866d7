"""The history as a CSV file that is whole at any moment."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import keras

from zoo.history import write_history


class HistoryFile(keras.callbacks.Callback):
    """Writes one line for each epoch: its number, from 1, and the mean of every term.

    The file is replaced as a whole, so that a kill leaves the old one or the new one; its numbers are
    those of the history, digit for digit. A resumed run goes on with the lines of its checkpoint.

    Args:
        path: the file.
        every_seconds: least time between two writes; the last epoch is always written.

    Example:
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,))
        >>> model.compile()
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> history = model.fit(x, epochs=2, verbose=0, callbacks=[zoo.runs.HistoryFile("history.csv")])
        >>> header, first, second = open("history.csv").read().splitlines()
        >>> header
        'epoch,kl,loss,reconstruction'
    """

    def __init__(self, path: str | os.PathLike[str], every_seconds: float = 0.0):
        super().__init__()
        self.path = Path(path)
        self.every_seconds = every_seconds

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Begin with no line."""
        self._rows: list[dict[str, Any]] = []
        self._written_at = float("-inf")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Add a line."""
        self._rows.append({"epoch": epoch + 1, **(logs or {})})
        if time.monotonic() - self._written_at >= self.every_seconds:
            self._write()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Write what is not written yet."""
        self._write()

    def get_state(self) -> dict[str, Any]:
        """The lines so far."""
        return {"rows": self._rows}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from these lines."""
        self._rows = list(state["rows"])

    def _write(self) -> None:
        write_history(self.path, self._rows)
        self._written_at = time.monotonic()
