"""Run an experiment over its seeds, go on where it stopped, and judge its claims."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from zoo.experiments.catalogue import find
from zoo.experiments.experiment import Experiment, Measures, Sources, means, spreads
from zoo.experiments.grid import aligned, grid
from zoo.training.checkpoints import Checkpoint, DamagedCheckpointError, read, write
from zoo.training.files import recover, replacing_file, write_json
from zoo.training.lock import FolderLock
from zoo.training.run_config import versions

SEEDS, QUICK_SEEDS = 3, 1


def reproduce(
    name: str,
    quick: bool = False,
    output: str | os.PathLike[str] | None = None,
    seeds: int | None = None,
    sources: Sources | None = None,
    say: Callable[[str], None] = print,
) -> Path:
    """Run an experiment.

    The folder gets ``seed-N.npz`` when a seed is through (started again, the command goes on after the
    last of them), ``figures/`` of the first seed, and ``results.json``.

    Args:
        name: the experiment's id, see `zoo.experiments.names`.
        quick: with the small settings, and one seed.
        output: the folder; by default one in ``runs/reproduce``.
        seeds: how many seeds, 0 and up; 3 by default.
        sources: where data lie; TFDS's folders by default.
        say: is told the progress and the verdicts.

    Returns:
        The path of results.json.

    Raises:
        ValueError: for an unknown experiment, or a folder that cannot be written or is in use.
    """
    experiment = find(name)
    sources = sources or Sources()
    settings = dict(experiment.quick if quick else experiment.full)
    count = seeds or (QUICK_SEEDS if quick else SEEDS)
    folder = Path(output or Path("runs/reproduce") / f"{experiment.id}{'-quick' * quick}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"Cannot make the folder {str(folder)!r}: {error.strerror}.") from error
    say(f"{experiment.id}: {experiment.title}, {count} seed{'s' * (count > 1)}, in {folder}")
    with FolderLock(folder):
        recover(folder)
        runs = [
            _run(experiment, seed, settings, sources, folder / f"seed-{seed}.npz", say)
            for seed in range(count)
        ]
        _draw(experiment, runs[0], folder / "figures")
        results = _results(experiment, runs, settings, quick)
        write_json(folder / "results.json", results)
    for line in _table(results):
        say(line)
    return folder / "results.json"


def _run(
    experiment: Experiment,
    seed: int,
    settings: Mapping[str, Any],
    sources: Sources,
    path: Path,
    say: Callable[[str], None],
) -> Checkpoint:
    """What a seed gave: read where it is there already, with the same settings."""
    if path.exists():
        try:
            earlier = read(path)
        except DamagedCheckpointError as error:
            say(f"{error} Running it again.")
        else:
            if earlier.description["settings"] == _plain(settings):
                say(f"seed {seed}: done before")
                return earlier
            say(f"seed {seed}: done before with other settings, running it again")
    started = time.monotonic()
    keras.utils.set_random_seed(seed)  # of the initial weights, which models do not seed
    outcome = experiment.run(seed, sources, **settings)
    seconds = time.monotonic() - started
    result = Checkpoint(
        {name: np.asarray(value) for name, value in outcome.arrays.items()},
        {
            "measures": {k: float(v) for k, v in outcome.measures.items()},
            "settings": _plain(settings),
            "seconds": round(seconds, 1),
        },
    )
    with replacing_file(path) as file:
        write(file, result)
    say(f"seed {seed}: {seconds:.0f} s")
    return result


def _draw(experiment: Experiment, first: Checkpoint, folder: Path) -> None:
    from zoo.visualization import save_figures

    save_figures(folder, experiment.draw(first.arrays))


def _results(
    experiment: Experiment, runs: list[Checkpoint], settings: Mapping[str, Any], quick: bool
) -> dict[str, Any]:
    measured: list[Measures] = [run.description["measures"] for run in runs]
    mean, spread = means(measured), spreads(measured)
    return {
        "id": experiment.id,
        "paper": experiment.paper,
        "title": experiment.title,
        "quick": quick,
        "settings": _plain(settings),
        "seeds": len(runs),
        "seconds": [run.description["seconds"] for run in runs],
        "measures": {
            name: {"mean": mean[name], "sd": spread[name], "values": [m[name] for m in measured]}
            for name in mean
        },
        "claims": [
            {
                "text": claim.text,
                "verdict": claim.verdict(mean, measured),
                "seeds": sum(bool(claim.holds(m)) for m in measured),
                "paper": claim.paper,
                "measures": list(claim.measures),
            }
            for claim in experiment.claims
        ],
        "versions": versions(),
    }


def _table(results: Mapping[str, Any]) -> list[str]:
    lines = aligned(grid(results["measures"], results["seeds"]))
    for claim in results["claims"]:
        paper = f" (paper: {claim['paper']})" if claim["paper"] else ""
        lines.append(f"{claim['verdict']}: {claim['text']}{paper}")
        for name in claim["measures"]:
            found = results["measures"][name]
            lines.append(f"  {name} {found['mean']:.4g} +- {found['sd']:.2g}")
    return lines


def _plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {k: list(v) if isinstance(v, tuple) else v for k, v in settings.items()}
