"""The folder that a run leaves behind, and what may be done in it."""

from __future__ import annotations

import dataclasses
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.files import discard, make_folder, read_json, recover, write_json
from zoo.runs.differences import differences
from zoo.runs.lock import FolderLock
from zoo.runs.run_config import RunConfig, versions

# Settings that a run chooses for itself where they are None.
_CHOSEN = ("epochs", "batch_size", "slices")


class RunFolder:
    """Paths of a run, and the rules of who may write there.

    config.json      all settings, the versions and the command
    history.csv      the mean of every term, one line an epoch
    metrics.json     measured on held-out data; written before figures and report
    model.keras      the model with its optimizer
    saved_model/     the model for serving
    columns.json     how a table of mixed columns is encoded, for `zoo.data.columns.load`
    data.json        how many examples there were when the run began, and their fingerprints
    figures/         pictures, PNG
    report.html      all of this on one page
    card.md          the same in words and tables, as hubs of models take it
    .unfinished      there from the last epoch until the report is written
    tensorboard/     logs
    checkpoint/      to resume from

    Args:
        path: the folder.

    Example:
        >>> folder = zoo.runs.RunFolder("run")
        >>> folder.occupy()
        >>> folder.begin(zoo.runs.RunConfig(model="vae", epochs=5))
        >>> folder.end()
        >>> folder.config.name, folder.finished
        ('config.json', False)
    """

    def __init__(self, path: str | os.PathLike[str]):
        self.path = Path(path)
        self.config = self.path / "config.json"
        self.history = self.path / "history.csv"
        self.metrics = self.path / "metrics.json"
        self.model = self.path / "model.keras"
        self.saved_model = self.path / "saved_model"
        self.columns = self.path / "columns.json"
        self.data = self.path / "data.json"
        self.figures = self.path / "figures"
        self.report = self.path / "report.html"
        self.card = self.path / "card.md"
        self.tensorboard = self.path / "tensorboard"
        self.checkpoint = self.path / "checkpoint"
        self._unfinished = self.path / ".unfinished"
        self._lock = FolderLock(self.path)
        self._made = self._new = False

    @property
    def finished(self) -> bool:
        """Whether the run came to its end."""
        return self.metrics.is_file() and not self._unfinished.exists()

    def begin_artefacts(self) -> None:
        """Note that metrics, figures and report are being written: until they are, the run goes on."""
        self._unfinished.touch()

    def end_artefacts(self) -> None:
        """Note that all of them are there."""
        self._unfinished.unlink(missing_ok=True)

    def occupy(self, resume: bool = False) -> None:
        """Take the folder for a run; made where it is missing.

        Args:
            resume: whether the folder may hold a run already, to go on with.

        Raises:
            ValueError: where the folder cannot be written, is in use, or holds a run and `resume` is not
                set.
        """
        made = not self.path.exists()
        make_folder(self.path, "run folder")
        self._lock.acquire()
        self._made = made
        if self.config.exists() and not resume:
            self.end()
            raise ValueError(
                f"{str(self.path)!r} holds a run already. Resume it, or choose another run folder."
            )
        self._clean()

    def begin(self, config: RunConfig, command: str = "") -> None:
        """Write config.json, or see that the one that is there fits.

        Args:
            config: the run's settings. More epochs than before reopen a finished run.
            command: the command line, for config.json.

        Raises:
            ValueError: where the folder holds a run with other settings, or more epochs.
        """
        self._new = not self.config.exists()
        earlier = {} if self._new else self._earlier(config)
        settings = config.to_json()
        if all(earlier.get(name) == value for name, value in settings.items()) and earlier:
            return
        if earlier.get("epochs") != config.epochs:
            discard(self.metrics)
        write_json(self.config, {**settings, "command": command, "versions": versions()})

    def compare_data(self, data: Mapping[str, Any]) -> None:
        """Keep what the data of a run that begins are; warn where a run that goes on has others.

        Args:
            data: "train" and "held_out" -> their number of "examples", and the fingerprint of their "rows".
        """
        if self._new:
            write_json(self.data, data)
        elif self.data.exists():
            found = differences(read_json(self.data, "What a run was trained on"), data)
            if found:
                # Counts say more than fingerprints.
                counts = [phrase for phrase in found if ".examples" in phrase]
                warnings.warn(
                    f"The data are others than when the run in {str(self.path)!r} began "
                    f"({'; '.join(counts or found)}). Its model knows those, and examples that are held out "
                    "now may be among them. Choose another run folder for other data.",
                    stacklevel=3,
                )

    def abandon(self) -> None:
        """Remove the settings of a run whose training never began, so that it can be started again."""
        if self._new and not any(
            path.exists() for path in (self.checkpoint, self.history, self.model)
        ):
            for path in (self.config, self.columns, self.data):
                discard(path)

    def open(self) -> RunConfig:
        """Take the folder of a run that is there already, and return its settings.

        Raises:
            ValueError: where it is not a run folder, or in use.
        """
        config = RunConfig.read(self.path)
        self._lock.acquire()
        self._clean()
        return config

    def end(self) -> None:
        """Release the folder; remove it where it was made for a run that never began."""
        if self._made and [entry.name for entry in self.path.iterdir()] == [self._lock.path.name]:
            self._lock.path.unlink()
            self.path.rmdir()
        self._lock.release()

    def _clean(self) -> None:
        """Remove what a kill left half written."""
        recover(self.path)
        if self.figures.is_dir():
            recover(self.figures)

    def as_chosen(self, config: RunConfig) -> RunConfig:
        """The settings with those that a run chooses for itself, as the run of this folder chose them."""
        earlier = RunConfig.read(self.path)
        chosen = {name: getattr(config, name) or getattr(earlier, name) for name in _CHOSEN}
        if self.columns.exists():  # the likelihood that a table's columns gave it
            given = {k: v for k, v in earlier.options.items() if k == "likelihood"}
            chosen["options"] = {**given, **config.options}
        return dataclasses.replace(config, **chosen)

    def refuse_other(self, config: RunConfig, longer: bool = True) -> None:
        """Hold the run of the folder to the settings that are wanted.

        Args:
            config: these settings.
            longer: whether they may ask for more epochs.

        Raises:
            ValueError: where it is another run.
        """
        earlier = RunConfig.read(self.path)
        found = earlier.differing(config)
        if config.fit_prior is not None and not self.model.exists():
            # Fitted when the training is through: one that failed may be another when the run goes on.
            found = [name for name in found if name != "fit_prior"]
        asked, there = config.epochs or 0, earlier.epochs or 0
        if asked < there or (asked > there and not longer):
            found.append("epochs")
        if found:
            before, now = earlier.to_json(), config.to_json()
            phrases = [
                text for name in found for text in differences(before[name], now[name], name)
            ]
            raise ValueError(
                f"{str(self.path)!r} holds another run: {'; '.join(phrases)}. Resume it with its own "
                "settings, or choose another run folder."
            )

    def _earlier(self, config: RunConfig) -> dict[str, Any]:
        self.refuse_other(config)
        content = read_json(self.config, "The run's configuration")
        changed = differences(content.get("versions", {}), versions())
        if changed:
            warnings.warn(
                f"The run began with other versions ({'; '.join(changed)}): it may not repeat exactly.",
                stacklevel=3,
            )
        return content


def new_folder(parent: str | os.PathLike[str], name: str) -> Path:
    """A path in `parent` that nothing has yet: name, name-2, name-3, ...

    Example:
        >>> from zoo.runs.run_folder import new_folder
        >>> new_folder("runs", "vae").mkdir(parents=True)
        >>> new_folder("runs", "vae").name
        'vae-2'
    """
    parent, number = Path(parent), 1
    path = parent / name
    while path.exists():
        number += 1
        path = parent / f"{name}-{number}"
    return path
