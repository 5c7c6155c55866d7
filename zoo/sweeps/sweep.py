"""A sweep: which runs it has, where they lie, and the training of all of a grid."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from zoo.files import make_folder
from zoo.runs.run_config import RunConfig
from zoo.runs.run_folder import RunFolder
from zoo.sweeps.space import Axes, checked, grid, label
from zoo.sweeps.workers import Task, measured_less, train_all
from zoo.values import counted

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
        if isinstance(self.seeds, bool) or not isinstance(self.seeds, int) or self.seeds < 1:
            raise ValueError(
                f"seeds must be a whole number of at least 1; received {self.seeds!r}."
            )

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


def run_grid(
    sweep: Sweep,
    jobs: int = 1,
    say: Callable[[str], None] = print,
    command: str = "",
    program: str = "latent-zoo",
) -> list[str]:
    """Train every run of the grid that is not finished; one that was stopped goes on.

    A run that is finished but was measured less than the settings ask for, "quick" for "full", is measured
    again.

    Args:
        sweep: what to run.
        jobs: processes at once, on this machine. Another machine may run the same sweep in the same folder:
            each takes the runs that nobody holds.
        say: called with a line for each run.
        command: the command line, which every run keeps.
        program: how it is started.

    Returns:
        What kept runs from their end, a line each; empty where all are finished.

    Raises:
        ValueError: for a range of fractions, jobs below 1, or a folder whose runs had other settings.

    Example:
        >>> from zoo.sweeps import Sweep, run_grid
        >>> sweep = Sweep(zoo.runs.RunConfig(model="vae"), {"beta": [1.0]}, seeds=1, folder="sweep")
        >>> for folder in sweep.folders({"beta": 1.0}):  # as if it had been trained before
        ...     folder.mkdir(parents=True)
        ...     _ = (folder / "metrics.json").write_text("{}")
        >>> run_grid(sweep)
        1 point, 1 seed each: 1 run, 1 done before
        []
    """
    points = grid(sweep.axes)
    make_folder(Path(sweep.folder))
    tasks = [task for point in points for task in sweep.tasks(point)]
    waiting = []
    for task in tasks:
        folder = RunFolder(task.folder)
        if not folder.finished:
            waiting.append(task)
            continue
        if folder.config.exists():
            folder.refuse_other(folder.as_chosen(task.config), longer=False)
        if measured_less(folder, task.config.evaluate):
            waiting.append(task)
    done = len(tasks) - len(waiting)
    counts = [counted(len(points), "point"), f"{counted(sweep.seeds, 'seed')} each"]
    before = f", {done} done before" * bool(done)
    say(f"{', '.join(counts)}: {counted(len(tasks), 'run')}{before}")
    return train_all(waiting, jobs, say, command, program)
