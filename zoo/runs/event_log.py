"""Logs that TensorBoard shows, written without TensorBoard."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

_FLUSH_MILLISECONDS = 5000


class EventLog(keras.callbacks.Callback):
    """The mean of every term of every epoch, as `keras.callbacks.TensorBoard` names and places them.

    That callback needs the package tensorboard, which TensorFlow no longer brings; these few lines write
    the same events.

    Args:
        folder: gets the folders ``train`` and ``validation``.

    Example:
        >>> import os
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,))
        >>> model.compile()
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> history = model.fit(x, epochs=1, verbose=0, callbacks=[zoo.runs.EventLog("tensorboard")])
        >>> sorted(os.listdir("tensorboard"))
        ['train', 'validation']
    """

    def __init__(self, folder: str | os.PathLike[str]):
        super().__init__()
        self.folder = Path(folder)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Open a file for each of the two folders."""
        self._writers = {
            part: tf.summary.create_file_writer(
                str(self.folder / part), flush_millis=_FLUSH_MILLISECONDS
            )
            for part in ("train", "validation")
        }

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write one event for each term."""
        for name, value in (logs or {}).items():
            part = "validation" if name.startswith("val_") else "train"
            with self._writers[part].as_default():
                tag = f"epoch_{name.removeprefix('val_')}"
                tf.summary.write(tag, tf.cast(value, tf.float32), step=epoch, metadata=_scalar())

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Close the files."""
        for writer in self._writers.values():
            writer.close()


def _scalar() -> tf.compat.v1.SummaryMetadata:
    plugin = tf.compat.v1.SummaryMetadata.PluginData(plugin_name="scalars")
    return tf.compat.v1.SummaryMetadata(plugin_data=plugin)
