"""What the experiments share: reading MNIST and training for a number of steps."""

from __future__ import annotations

import time
from typing import Any

import keras
import numpy as np

from zoo.autoencoder import Autoencoder
from zoo.data import Data, load
from zoo.data.pixels import as_unit_floats
from zoo.experiments.experiment import Sources
from zoo.experiments.unfinished import resumable
from zoo.trainer import Adam
from zoo.values import number_text

BATCH = 100


def mnist(split: str, sources: Sources, limit: int | None = None) -> Data:
    """MNIST as pictures of uint8, the first `limit` of a split."""
    return load(
        "mnist", split, data_dir=sources.data_dir, manual_dir=sources.manual_dir, limit=limit
    )


QUIET: Any = 0  # Keras's `verbose`, whose default is a str


def labels_of(data: Data) -> np.ndarray:
    """The labels of a set that has them, (n,)."""
    if data.labels is None:
        raise ValueError(f"The data set {data.name!r} has no labels. Take one that has.")
    return data.labels


def unit(data: Data) -> np.ndarray:
    """The pictures as float32 in [0, 1]."""
    return as_unit_floats(data.inputs)


def binarised(pictures: np.ndarray, seed: int | np.random.Generator) -> np.ndarray:
    """One draw of each pixel as a coin of its grey value, for all epochs (static binarisation).

    A generator goes on where it stands, so that several sets can share one.
    """
    grey = as_unit_floats(pictures)
    return (np.random.default_rng(seed).random(grey.shape) < grey).astype(np.float32)


def train(
    model: Autoencoder,
    x: np.ndarray,
    *,
    epochs: int,
    batch_size: int = BATCH,
    learning_rate: Any = 1e-3,
    optimizer: keras.optimizers.Optimizer | str | None = None,
    beside: np.ndarray | None = None,
) -> dict[str, list[float]]:
    """Train with Adam, clipped where the posterior has heavy tails, unless told otherwise.

    In an experiment that was stopped it goes on at the last checkpoint.

    Args:
        model: built, not compiled.
        x: (rows, *event).
        epochs: passes over the data.
        batch_size: rows of a batch.
        learning_rate: of Adam, a number or a Keras schedule.
        optimizer: instead of Adam, or the name of one of Keras's that takes the rate and the clipping.
        beside: labels or conditions, for a model that takes them.

    Returns:
        The history: a list over the epochs for each term.
    """
    clip: dict[str, Any] = {"global_clipnorm": 5.0} if model.heavy_tailed else {}
    if optimizer is None or optimizer == "adam":
        optimizer = Adam(learning_rate, **clip)
    elif isinstance(optimizer, str):
        config = {"learning_rate": learning_rate, **clip}
        optimizer = keras.optimizers.get({"class_name": optimizer, "config": config})
    model.compile(optimizer)
    pulse = resumable([Pulse()])
    shared: dict[str, Any] = {"batch_size": batch_size, "epochs": epochs, "verbose": 0}
    return model.fit(x, beside, callbacks=pulse, **shared).history


def start_at_frequencies(model: Autoencoder, x: np.ndarray) -> None:
    """Let the decoder's last bias begin at the log-odds of each pixel's mean (Burda et al. 2016, their code).

    From a bias of zeros the first steps make a mean picture, by hidden units that saturate and a code that
    they no longer see: some hundred steps are lost, and with a VampPrior, whose KL then falls to 0, all.

    Args:
        model: built, whose decoder ends in a dense layer.
        x: (rows, *event), in [0, 1].
    """
    mean = np.clip(x.mean(axis=0), 1e-3, 1 - 1e-3)
    layers: Any = getattr(model.decoder, "network", model.decoder).layers
    last: Any = [layer for layer in layers if isinstance(layer, keras.layers.Dense)][-1]
    last.bias.assign(np.log(mean / (1 - mean)).ravel())


def train_classifier(
    network: keras.Model,
    x: np.ndarray,
    labels: np.ndarray,
    *,
    epochs: int,
    batch_size: int,
    optimizer: keras.optimizers.Optimizer,
) -> None:
    """Train what `zoo.recipes.fine_tuning.classifier` gives on float inputs and their labels."""
    network.compile(optimizer, network.loss, metrics=["accuracy"])
    pulse = [Pulse()]
    network.fit(x, labels, batch_size=batch_size, epochs=epochs, verbose=QUIET, callbacks=pulse)


def falling(rate: float, epochs: int, rows: int, batch_size: int = BATCH) -> Any:
    """A learning rate that falls to 0 as a cosine over so many epochs, for `train`."""
    return keras.optimizers.schedules.CosineDecay(rate, epochs * (rows // batch_size))


class Pulse(keras.callbacks.Callback):
    """Prints the epoch and the loss, at most twice a minute."""

    params: dict[str, Any]

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Start the clock."""
        self._last = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Print a line where the last is long ago."""
        if time.monotonic() - self._last < 30:
            return
        self._last = time.monotonic()
        loss = (logs or {}).get("loss", float("nan"))
        print(
            f"  epoch {epoch + 1} of {self.params['epochs']}, loss {number_text(loss)}", flush=True
        )
