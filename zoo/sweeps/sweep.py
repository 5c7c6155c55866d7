"""A sweep: which runs it has, and where they lie."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.runs.run_config import RunConfig
from zoo.sweeps.space import Axes, checked, label
from zoo.sweeps.workers import Task
from zoo.values import positive_int

# Settings of a run, beside the options of its model, that a sweep may vary.
SETTINGS = ("model", "epochs", "batch_size", "optimizer", "learning_rate")


@dataclasses.dataclass(frozen=True)
class Sweep:
    """What is varied, and how often each point is trained.

    Args:
        config: the settings that all runs share; its seed is the first of the seeds.
        axes: option of the model, or one of model, epochs, batch_size, optimizer and learning_rate -> its
            values, or a `Range`.
        seeds: runs of each point.
        folder: where the runs go, ``folder/beta=4,latents=5/seed-0``.

    Raises:
        ValueError: for an axis without values, or fewer than one seed.

    Example:
        >>> from zoo.sweeps import Sweep
        >>> config = zoo.runs.RunConfig(model="beta_vae", dataset="digits")
        >>> sweep = Sweep(config, {"beta": [1, 4], "epochs": [5]}, seeds=2, folder="sweep")
        >>> [path.as_posix() for path in sweep.folders({"beta": 4, "epochs": 5})]
        ['sweep/beta=4,epochs=5/seed-0', 'sweep/beta=4,epochs=5/seed-1']
        >>> sweep.run({"beta": 4, "epochs": 5}, 1).options, sweep.run({"beta": 4, "epochs": 5}, 1).epochs
        ({'beta': 4}, 5)
    """

    config: RunConfig
    axes: Axes
    seeds: int
    folder: str | os.PathLike[str]

    def __post_init__(self):
        object.__setattr__(self, "axes", checked(self.axes))
        object.__setattr__(self, "seeds", positive_int(self.seeds, "seeds"))

    @property
    def one_model(self) -> bool:
        """Whether all runs have one model, so that a metric that one of them lacks all of them lack."""
        axis = self.axes.get("model", [self.config.model])
        return isinstance(axis, list) and len(axis) == 1

    def run(self, point: Mapping[str, Any], number: int) -> RunConfig:
        """The settings of one run of a point."""
        settings = {name: value for name, value in point.items() if name in SETTINGS}
        options = {name: value for name, value in point.items() if name not in SETTINGS}
        return dataclasses.replace(
            self.config,
            **settings,
            options={**self.config.options, **options},
            seed=self.config.seed + number,
        )

    def folders(self, point: Mapping[str, Any]) -> list[Path]:
        """The run folders of a point, one for each seed."""
        home = Path(self.folder) / label(point)
        return [home / f"seed-{self.config.seed + number}" for number in range(self.seeds)]

    def tasks(self, point: Mapping[str, Any]) -> list[Task]:
        """The runs of a point."""
        folders = self.folders(point)
        return [
            Task(label(point), self.run(point, number), folder)
            for number, folder in enumerate(folders)
        ]
