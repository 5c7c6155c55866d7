"""How far a run is, on one line of a terminal or a few lines of a log."""

from __future__ import annotations

import sys
import time
from typing import Any, TextIO

import keras

from zoo.values import number_text

# Lines of a whole run where the output is not a terminal.
_LINES = 10
_REDRAW_SECONDS = 0.1


class Progress(keras.callbacks.Callback):
    """Shows the epoch, the terms and the time that is left.

    On a terminal one line is drawn again and again; in a log about ten lines are written in all.

    Args:
        stream: where to write; standard output by default.

    Example:
        >>> import io
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,))
        >>> model.compile()
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> log = io.StringIO()
        >>> history = model.fit(x, epochs=1, verbose=0, callbacks=[zoo.runs.Progress(log)])
        >>> "loss" in log.getvalue()
        True
    """

    model: keras.Model
    params: dict[str, Any]
    sees_blocks = True

    def __init__(self, stream: TextIO | None = None):
        super().__init__()
        self.stream = stream or sys.stdout

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Start the clock."""
        self._first: int | None = None
        self._drawn_at = float("-inf")
        self._width = 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Know where this run begins: a resumed one does not begin at 0."""
        if self._first is None:
            self._first, self._started = epoch, time.monotonic()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Redraw the line of a terminal, for runs with long epochs."""
        if self.stream.isatty() and time.monotonic() - self._drawn_at > 5 * _REDRAW_SECONDS:
            total = self.params.get("steps")
            self._draw(f"  block {batch + 1}{f'/{total}' if total else ''}", logs or {})

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Show the epoch's means."""
        self._epoch = epoch + 1
        epochs = self.params["epochs"]
        last = self._epoch == epochs or self.model.stop_training
        if self.stream.isatty():
            if last or time.monotonic() - self._drawn_at > _REDRAW_SECONDS:
                self._draw(self._left(epochs), logs or {})
        elif last or self._epoch == 1 or self._epoch % -(-epochs // _LINES) == 0:
            print(self._line(self._left(epochs), logs or {}), file=self.stream, flush=True)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Leave the line of a terminal as it is."""
        if self._width:
            print(file=self.stream, flush=True)

    def _left(self, epochs: int) -> str:
        done = self._epoch - (self._first or 0)
        seconds = (time.monotonic() - self._started) / done * (epochs - self._epoch)
        return f"  {seconds:.0f} s left" if seconds >= 1 else ""

    def _line(self, end: str, logs: dict[str, Any]) -> str:
        epochs = self.params["epochs"]
        epoch = getattr(self, "_epoch", self._first or 0)
        terms = "  ".join(f"{name} {number_text(value)}" for name, value in _shown(logs).items())
        return f"epoch {epoch:{len(str(epochs))}d}/{epochs}  {terms}{end}"

    def _draw(self, end: str, logs: dict[str, Any]) -> None:
        line = self._line(end, logs)
        print(f"\r{line:<{self._width}}", end="", file=self.stream, flush=True)
        self._width, self._drawn_at = len(line), time.monotonic()


def _shown(logs: dict[str, Any]) -> dict[str, Any]:
    """The terms of training, and of validation the loss alone."""
    return {k: v for k, v in logs.items() if not k.startswith("val_") or k == "val_loss"}
