"""A whole run: data, model, training, evaluation and everything that the run folder holds."""

from __future__ import annotations

import dataclasses
import math
import os
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from zoo import models
from zoo.autoencoder import Autoencoder
from zoo.data import Data, load
from zoo.evaluation.fingerprint import fingerprint
from zoo.history import read_history
from zoo.recipes.centering import start_at_mean
from zoo.registry import one_of
from zoo.runs import building
from zoo.runs.agreement import together
from zoo.runs.artefacts import load_model, save_model, write_artefacts
from zoo.runs.event_log import EventLog
from zoo.runs.history_file import HistoryFile
from zoo.runs.loggers import Logging
from zoo.runs.modules import import_modules
from zoo.runs.progress import Progress
from zoo.runs.resume import Resume
from zoo.runs.run_config import EVALUATIONS, RunConfig
from zoo.runs.run_folder import RunFolder
from zoo.runs.strategies import is_chief, strategy
from zoo.trainer import threads
from zoo.trainer.nonfinite import StopOnNonFinite

_STEPS = 4000
_MOST_EPOCHS = 200
_LARGE = 10_000
# Enough rows for a curve; the figures at the end are of all.
_VALIDATION_ROWS = 2000
_LOGGED = 8  # examples whose reconstructions loggers show
_CHECKPOINT_SECONDS = 2.0
_HISTORY_SECONDS = 0.5


class Outcome(NamedTuple):
    """How a run ended.

    Attributes:
        folder: the run folder.
        metrics: what metrics.json holds; empty for a worker that is not the chief, and after a bad term.
        bad_term: the term of the loss that was not a finite number, or None.
        repeated: whether the run was finished before, and nothing was done.
    """

    folder: RunFolder
    metrics: dict[str, Any]
    bad_term: str | None = None
    repeated: bool = False


def train(
    config: RunConfig,
    run_dir: str | os.PathLike[str],
    resume: bool = False,
    command: str = "",
    say: Callable[[str], None] = print,
    program: str = "latent-zoo",
    callbacks: Sequence[keras.callbacks.Callback] = (),
    loggers: Sequence[str] = (),
) -> Outcome:
    """Train a model and leave a run folder.

    Args:
        config: the run's settings.
        run_dir: the run folder, see `RunFolder`.
        resume: go on with the run that the folder holds, where it holds one.
        command: the command line, to be kept.
        say: called with the name of each stage.
        program: how the command line is started, for the next steps that the report names.
        callbacks: of the training, beside the run's own. Of several workers each has them, as in Keras: they
            must do the same on all, and one that writes should ask `zoo.runs.strategies.is_chief`.
        loggers: names of `zoo.runs.loggers.LOGGERS`, which the run is shown in too.

    Returns:
        How it ended.

    Raises:
        ValueError: for settings, data or a folder that do not fit, on every worker where they do not on one.
        ConnectionError: where another worker of the same run is lost.
        ImportError: for a logger whose package is not installed.

    Example:
        >>> config = zoo.runs.RunConfig(
        ...     model="two_template_vae", dataset="two_templates", data_options={"n": 100}, epochs=1
        ... )
        >>> outcome = zoo.runs.train(config, "run", say=lambda text: None)
        epoch 1/1 ...
        >>> outcome.folder.model.name, "elbo" in outcome.metrics["density"]
        ('model.keras', True)
    """
    folder = RunFolder(run_dir)
    chief = is_chief(config.strategy)
    config = building.checked(config)
    threads.cores()  # before the data are read, by TensorFlow perhaps
    if resume and _trained(folder, config.epochs):
        # Needs no other worker, which may be through and gone.
        return _finish(folder, config, say, program) if chief else Outcome(folder, {})
    place = strategy(config.strategy, config.virtual_devices)
    try:
        with together(place) as facts:
            if chief:
                folder.occupy(resume)
            columns = _columns_of(folder) if folder.config.exists() else None
            data, held_out = read_data(config, columns)
            if config.slices is None and folder.config.exists():
                config = dataclasses.replace(config, slices=RunConfig.read(folder.path).slices)
            config = settled(config, data, place.num_replicas_in_sync)
            described = _described(data, held_out)
            facts |= {**config.shared(), "data": described}
        keras.utils.set_random_seed(config.seed)
        with place.scope():
            model = building.build(config, data.event_shape)
            if config.start_at_mean:
                start_at_mean(model, data)
        config = dataclasses.replace(config, slices=model.slices)
        with together(place):
            if chief:
                folder.begin(config, command)
                folder.compare_data(described)
                if data.columns is not None and columns is None:
                    data.columns.save(folder.columns)
                what = data.description or data.name
                say(f"{config.model} on {what}: {len(data):,} examples to train")
            shown, settings = held_out.take(slice(_LOGGED)), config.to_json()
            logs = [Logging(name, folder.path, settings, shown) for name in loggers]
        whole = not folder.checkpoint.exists()  # not the rest of a run that was stopped
        started = time.monotonic()
        bad_term = _fit(model, config, folder, data, held_out, [*callbacks, *logs], chief)
        seconds = time.monotonic() - started if whole else None
        history = {name: list(values) for name, values in model.history.history.items()}
        if chief and config.fit_prior is not None and not bad_term:
            say(f"prior: {config.fit_prior['name']}")
            try:
                model = _with_prior(model, config, data)
            except ValueError as error:
                raise ValueError(
                    f"{error} The training is kept: resume the run with another fit_prior."
                ) from error
        if chief:
            save_model(model, folder.model)
        if bad_term or not chief:
            return Outcome(folder, {}, bad_term)
        if place.num_replicas_in_sync > 1:
            model = load_model(folder.model)
        metrics = write_artefacts(
            folder,
            model,
            config,
            data,
            held_out,
            history,
            say=say,
            seconds=seconds,
            level=config.evaluate,
            program=program,
        )
        return Outcome(folder, metrics)
    except (ValueError, ImportError):
        if chief:
            folder.abandon()
        raise
    finally:
        folder.end()


def _described(data: Data, held_out: Data) -> dict[str, Any]:
    """By what a run knows its data again, see `RunFolder.compare_data`."""
    parts = {"train": data, "held_out": held_out}
    return {
        name: {"examples": len(part), "rows": fingerprint(part.inputs)}
        for name, part in parts.items()
    }


def _with_prior(model: Autoencoder, config: RunConfig, data: Data) -> Autoencoder:
    """The model with the prior that the settings name fitted to the training codes, on one device."""
    if model.distribute_strategy.num_replicas_in_sync > 1:
        with tempfile.TemporaryDirectory() as place:
            save_model(model, Path(place) / "model.keras")
            model = load_model(Path(place) / "model.keras")
    return model.fit_prior(dict(config.fit_prior or {}), data, seed=config.seed)


def _trained(folder: RunFolder, epochs: int | None) -> bool:
    """Whether all epochs are done and their model is saved."""
    try:
        wanted = epochs or RunConfig.read(folder.path).epochs
        history = read_history(folder.history)
        saved = folder.model.stat().st_mtime_ns >= folder.history.stat().st_mtime_ns
    except (ValueError, OSError):
        return False
    training = [values for name, values in history.items() if not name.startswith("val_")]
    return saved and all(len(v) == wanted and math.isfinite(v[-1]) for v in training)


def _finish(
    folder: RunFolder, config: RunConfig, say: Callable[[str], None], program: str
) -> Outcome:
    """What comes after the last epoch, unless that is done too."""
    folder.occupy(resume=True)
    try:
        config = folder.as_chosen(config)
        earlier = RunConfig.read(folder.path)
        if (
            folder.finished and earlier.epochs == config.epochs
        ):  # which is measured by `evaluate` again
            config = dataclasses.replace(config, evaluate=earlier.evaluate)
        folder.begin(config)
        if folder.finished:
            return Outcome(folder, {}, repeated=True)
        how: dict[str, Any] = {"level": config.evaluate, "program": program}
        return Outcome(folder, _artefacts_of(folder, config, True, say, **how))
    finally:
        folder.end()


def _artefacts_of(
    folder: RunFolder, config: RunConfig, export: bool, say: Callable[[str], None], **how: Any
) -> dict[str, Any]:
    """The artefacts of the model that a run folder holds."""
    model = load_model(folder.model)
    history = read_history(folder.history)
    data = read_data(config, _columns_of(folder))
    folder.compare_data(_described(*data))
    return write_artefacts(folder, model, config, *data, history, export, say, **how)


def _columns_of(folder: RunFolder) -> Path | None:
    """How the run encoded its table, which may have more rows now; None for a run of other data."""
    return folder.columns if folder.columns.exists() else None


def read_data(config: RunConfig, columns: Path | None = None) -> tuple[Data, Data]:
    """The training and the held-out data of a run; what both are warned of is said once.

    Args:
        config: of the run.
        columns: the file of the transformation that the run's table is encoded by; None to fit one.

    Returns:
        Data to train on, and held-out data.

    Raises:
        ValueError: for options that the data set does not take.

    Example:
        >>> from zoo.runs.run import read_data
        >>> data, held_out = read_data(zoo.runs.RunConfig(dataset="digits", limit=100))
        >>> len(data), len(held_out)
        (100, 100)
    """
    if "split" in config.data_options:
        raise ValueError(
            f"split is no option of a run, which trains on 'train' and is measured on 'test'; received "
            f"split={config.data_options['split']!r}. Take fewer rows by limit, or train on a split of "
            "zoo.data.load in a script."
        )
    options = {
        "data_dir": config.data_dir,
        "manual_dir": config.manual_dir,
        "limit": config.limit,
        "seed": config.data_seed,
        **config.data_options,
    }
    if columns is not None:  # fitted with what these say
        options = {k: v for k, v in options.items() if k not in ("kinds", "missing")}
        options["columns"] = columns
    try:
        with warnings.catch_warnings(record=True) as told:
            data = load(config.dataset, "train", **options), load(config.dataset, "test", **options)
        for text, category in dict.fromkeys((str(each.message), each.category) for each in told):
            warnings.warn(text, category, stacklevel=2)
        return data
    except TypeError as error:  # an option that is not one, or of a kind that no reader expects
        shown = ", ".join(f"{name}={value!r}" for name, value in config.data_options.items())
        raise ValueError(f"{config.dataset!r} cannot be read with {shown}: {error}") from error


def settled(config: RunConfig, data: Data, replicas: int = 1) -> RunConfig:
    """The settings with what they leave to the data.

    Args:
        config: of the run.
        data: that it is trained on.
        replicas: devices that share a batch.

    Returns:
        The settings with a batch size, a number of epochs, and the likelihood of a table's columns where
        they name none.

    Raises:
        ValueError: for a batch that the data or the devices do not fill.

    Example:
        >>> from zoo.runs.run import read_data, settled
        >>> config = zoo.runs.RunConfig(dataset="digits", limit=320)
        >>> data, _ = read_data(config)
        >>> settled(config, data).batch_size, settled(config, data).epochs
        (32, 200)
    """
    chosen = "likelihood" in config.options or "likelihood" not in models.options(config.model)
    if data.columns is not None and not chosen:
        options = {**config.options, "likelihood": data.columns.likelihood()}
        config = dataclasses.replace(config, options=options)
    batch, rows = config.batch_size, len(data)
    if batch is None:
        batch = min(128 if rows >= _LARGE else 32, rows)
        batch = max(batch // replicas, 1) * replicas
    if batch > rows or batch % replicas:
        raise ValueError(
            f"batch_size must be at most the {rows} examples that there are to train, and a multiple of the "
            f"{replicas} devices; received {batch}."
        )
    epochs = config.epochs
    if epochs is None:
        epochs = min(max(round(_STEPS * batch / rows), 1), _MOST_EPOCHS)
    return dataclasses.replace(config, batch_size=batch, epochs=epochs)


def _fit(
    model: Autoencoder,
    config: RunConfig,
    folder: RunFolder,
    data: Data,
    held_out: Data,
    further: Sequence[keras.callbacks.Callback],
    chief: bool,
) -> str | None:
    """Train; the name of the term that was not a finite number, or None.

    The chief alone has those that write. A user's may change the learning rate or stop, as all must.
    """
    guard = StopOnNonFinite()
    callbacks: list[keras.callbacks.Callback] = [guard, *further]
    if chief:
        callbacks += [
            Progress(),
            HistoryFile(folder.history, _HISTORY_SECONDS),
            EventLog(folder.tensorboard),
        ]
    epochs: Any = config.epochs  # settled by now
    resume = Resume(folder.checkpoint, _CHECKPOINT_SECONDS)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Training stopped in epoch")  # the outcome says it
            model.fit(
                data,
                epochs=epochs,
                batch_size=config.batch_size,
                verbose=0,
                callbacks=resume.among(callbacks),
                validation_data=held_out.take(slice(_VALIDATION_ROWS)),
            )
    except (tf.errors.UnavailableError, tf.errors.AbortedError) as error:
        raise ConnectionError("Another worker of this run is gone.") from error
    except tf.errors.ResourceExhaustedError as error:
        raise ValueError(
            f"There is not enough memory or disk for this run: {error.message}"
        ) from error
    return guard.term


def evaluate(
    run_dir: str | os.PathLike[str],
    say: Callable[[str], None] = lambda text: None,
    level: str = "full",
    program: str = "latent-zoo",
) -> Outcome:
    """Measure the model of a run again, and write metrics, figures and report anew.

    A SavedModel is written where there is none, as after a run that was stopped before it.

    Args:
        run_dir: the run folder.
        say: called with the name of each stage.
        level: how much to measure, see `zoo.runs.artefacts.write_artefacts`. A run measures itself
            as its setting `evaluate` says, by default quickly.
        program: how the command line is started, for the next steps that the report names.

    Returns:
        How it ended.

    Raises:
        ValueError: for an unknown level, and where the folder holds no finished training.
    """
    one_of(level, "level of evaluation", EVALUATIONS)
    folder = RunFolder(run_dir)
    config = folder.open()
    try:
        import_modules(config.imports)
        missing = not folder.saved_model.is_dir()
        return Outcome(
            folder, _artefacts_of(folder, config, missing, say, level=level, program=program)
        )
    finally:
        folder.end()
