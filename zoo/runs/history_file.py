"""The history as a CSV file that is whole at any moment."""

from __future__ import annotations

import csv
import io
import os
import time
from pathlib import Path
from typing import Any

import keras

from zoo.runs.files import write_text


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
        names = list(dict.fromkeys(name for row in self._rows for name in row))
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, names or ["epoch"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(self._rows)
        write_text(self.path, text.getvalue())
        self._written_at = time.monotonic()


def read_history(path: str | os.PathLike[str]) -> dict[str, list[float]]:
    """A history from its file: term -> values by epoch, NaN where there is none.

    Raises:
        ValueError: where the file is missing or damaged.

    Example:
        >>> from zoo.runs.history_file import read_history
        >>> with open("history.csv", "w") as file:
        ...     for line in ("epoch,loss", "1,9.0", "2,8.5"):
        ...         print(line, file=file)
        >>> read_history("history.csv")
        {'loss': [9.0, 8.5]}
    """
    try:
        with Path(path).open(newline="", encoding="utf-8") as file:
            names, *rows = list(csv.reader(file)) or [[]]
        if any(len(row) != len(names) for row in rows):
            raise ValueError(f"expected {len(names)} values a line")
        columns = zip(*rows, strict=True) if rows else [()] * len(names)
        history = {
            name: [float(value or "nan") for value in column]
            for name, column in zip(names, columns, strict=True)
        }
        history.pop("epoch", None)
        return history
    except OSError as error:
        raise ValueError(f"Cannot read the history {str(path)!r}: {error.strerror}.") from error
    except (ValueError, csv.Error) as error:
        raise ValueError(f"The history {str(path)!r} is damaged: {error}.") from error
