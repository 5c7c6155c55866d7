"""Loggers of other projects, wandb, mlflow, trackio and TensorBoard: none of them is needed.

Their own Keras callbacks ask for every batch, which would make the steps of a block single. These see epochs.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.data.pixels import as_unit_floats
from zoo.evaluation.checks import as_seen
from zoo.registry import one_of

_PROJECT = "latent-zoo"
_FILE = "loggers.json"  # which run of a logger a run folder is, so that a resumed run goes on in it
_RECONSTRUCTIONS = "reconstructions"


class Logger:
    """What every logger does; a subclass says how.

    Args:
        folder: of the run.
        settings: of the run, plain values by name.
    """

    package = ""

    def __init__(self, folder: str | os.PathLike[str], settings: Mapping[str, Any]):
        self.folder = Path(folder)
        self.settings = dict(settings)
        self.name = self.folder.resolve().name
        self.library: Any = self._import()

    def _import(self) -> Any:
        if not self.package:
            return None
        try:
            return importlib.import_module(self.package)
        except ImportError:
            raise ImportError(
                f"The logger {self.package!r} needs the package {self.package}: pip install {self.package}."
            ) from None

    def start(self, known: str | None) -> str | None:
        """Begin, or go on with the run that is `known`; what the logger calls the run."""
        raise NotImplementedError

    def log(self, terms: Mapping[str, float], epoch: int) -> None:
        """The terms of an epoch, from 1."""
        raise NotImplementedError

    def picture(self, image: np.ndarray, epoch: int) -> None:
        """A picture, (h, w, 3) uint8."""
        raise NotImplementedError

    def end(self) -> None:
        """No more will come."""


class Wandb(Logger):
    """Weights & Biases."""

    package = "wandb"

    def start(self, known: str | None) -> str | None:
        """Begin a run of its project, or go on with one."""
        name = known or hashlib.sha256(str(self.folder.resolve()).encode()).hexdigest()[:16]
        self._run = self.library.init(
            project=_PROJECT,
            name=self.name,
            config=self.settings,
            dir=str(self.folder),
            id=name,
            resume="allow",
        )
        return name

    def log(self, terms: Mapping[str, float], epoch: int) -> None:
        """The terms of an epoch."""
        self._run.log(dict(terms), step=epoch)

    def picture(self, image: np.ndarray, epoch: int) -> None:
        """A picture of an epoch."""
        self._run.log({_RECONSTRUCTIONS: self.library.Image(image)}, step=epoch)

    def end(self) -> None:
        """Close the run."""
        self._run.finish()


class Trackio(Logger):
    """Trackio."""

    package = "trackio"

    def start(self, known: str | None) -> str | None:
        """Begin a run of its project, or go on with one of the same name."""
        self.library.init(
            project=_PROJECT, name=known or self.name, config=self.settings, resume="allow"
        )
        return known or self.name

    def log(self, terms: Mapping[str, float], epoch: int) -> None:
        """The terms of an epoch."""
        self.library.log(dict(terms), step=epoch)

    def picture(self, image: np.ndarray, epoch: int) -> None:
        """A picture of an epoch."""
        self.library.log({_RECONSTRUCTIONS: self.library.Image(image)}, step=epoch)

    def end(self) -> None:
        """Close the run."""
        self.library.finish()


class Mlflow(Logger):
    """MLflow."""

    package = "mlflow"

    def start(self, known: str | None) -> str | None:
        """Begin a run of its experiment, or go on with one."""
        self.library.set_experiment(_PROJECT)
        if known:
            return self.library.start_run(run_id=known).info.run_id
        run = self.library.start_run(run_name=self.name)
        texts = {name: json.dumps(value)[:500] for name, value in self.settings.items()}
        self.library.log_params(texts)
        return run.info.run_id

    def log(self, terms: Mapping[str, float], epoch: int) -> None:
        """The terms of an epoch."""
        self.library.log_metrics(dict(terms), step=epoch)

    def picture(self, image: np.ndarray, epoch: int) -> None:
        """A picture of an epoch."""
        self.library.log_image(image, artifact_file=f"{_RECONSTRUCTIONS}/{epoch:05}.png")

    def end(self) -> None:
        """Close the run."""
        self.library.end_run()


class Tensorboard(Logger):
    """TensorBoard: the pictures, beside the terms that every run writes there."""

    def start(self, known: str | None) -> str | None:
        """Open the file."""
        self._writer = tf.summary.create_file_writer(str(self.folder / "tensorboard" / "pictures"))
        return None

    def log(self, terms: Mapping[str, float], epoch: int) -> None:
        """`zoo.runs.EventLog` writes them."""

    def picture(self, image: np.ndarray, epoch: int) -> None:
        """A picture of an epoch, in the form that TensorBoard's plugin of images reads."""
        height, width = image.shape[:2]
        data = tf.stack([str(width), str(height), tf.io.encode_png(image)])
        plugin = tf.compat.v1.SummaryMetadata.PluginData(plugin_name="images")
        about = tf.compat.v1.SummaryMetadata(plugin_data=plugin)
        with self._writer.as_default():
            tf.summary.write(_RECONSTRUCTIONS, data, step=epoch - 1, metadata=about)
        self._writer.flush()

    def end(self) -> None:
        """Close the file."""
        self._writer.close()


LOGGERS: dict[str, type[Logger]] = {
    "wandb": Wandb,
    "mlflow": Mlflow,
    "trackio": Trackio,
    "tensorboard": Tensorboard,
}


class Logging(keras.callbacks.Callback):
    """Terms of every epoch, and reconstructions after 1, 2, 4, 8, ... epochs and at the end.

    Each of several workers needs it: they reconstruct together, and the chief alone writes.

    Args:
        name: of the logger, "wandb", "mlflow", "trackio" or "tensorboard".
        folder: of the run.
        settings: of the run, plain values by name.
        examples: pictures to reconstruct, (n, h, w, channels), or a `zoo.data.Data` record of them, whose
            labels are the condition where the model declares one; anything else is left out.

    Raises:
        ImportError: where the package is not installed.
        ValueError: for another name.

    Example:
        >>> from zoo.runs.loggers import Logging
        >>> Logging("tensorbord", "run")
        Traceback (most recent call last):
            ...
        ValueError: Unknown logger 'tensorbord'. Did you mean 'tensorboard'? ...
    """

    model: keras.Model

    def __init__(
        self,
        name: str,
        folder: str | os.PathLike[str],
        settings: Mapping[str, Any] | None = None,
        examples: Any = None,
    ):
        super().__init__()
        self.name = one_of(name, "logger", LOGGERS)
        self.logger = LOGGERS[name](folder, settings or {})
        inputs = getattr(examples, "inputs", examples)
        pictures = inputs is not None and np.ndim(inputs) == 4 and np.shape(inputs)[-1] in (1, 3)
        self.examples = examples if pictures else None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Begin, or go on with the run that this folder was before."""
        self._epoch = self._drawn = 0
        if not self._writes:
            return
        path = self.logger.folder / _FILE
        known = json.loads(path.read_text()) if path.exists() else {}
        found = self.logger.start(known.get(self.name))
        if found:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps({**known, self.name: found}))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Hand the terms on."""
        self._epoch = epoch + 1
        if self._writes:
            terms = {name: float(value) for name, value in (logs or {}).items()}
            self.logger.log(terms, self._epoch)
        if self._epoch & epoch == 0:  # a power of two
            self._draw()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Show the last reconstructions and close the logger."""
        if self._epoch > self._drawn:
            self._draw()
        if self._writes:
            self.logger.end()

    @property
    def _writes(self) -> bool:
        return self.model.distribute_strategy.extended.should_checkpoint

    def _draw(self) -> None:
        image = self._image()
        if image is not None and self._writes:
            self.logger.picture(image, self._epoch)
        self._drawn = self._epoch

    def _image(self) -> np.ndarray | None:
        """Examples above their reconstructions, for which all replicas of all workers are needed."""
        if self.examples is None:
            return None
        model: Any = self.model
        try:
            reconstructed = model.reconstruct(self.examples)
            inputs = np.asarray(getattr(self.examples, "inputs", self.examples))
            rows = [as_unit_floats(as_seen(model, inputs)), reconstructed]
            image = np.concatenate([np.concatenate(list(row), axis=1) for row in rows])
            image = np.broadcast_to(image, (*image.shape[:2], 3))
            return (np.clip(image, 0, 1) * 255).round().astype(np.uint8)
        except ValueError as error:  # of a model that reconstructs something else, for example
            warnings.warn(f"No reconstructions are shown in {self.name}: {error}", stacklevel=2)
            self.examples = None
            return None
