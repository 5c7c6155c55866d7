"""Run an experiment over its seeds, go on where it stopped, and judge its claims."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from zoo.experiments.catalogue import find, names
from zoo.experiments.experiment import (
    QUICK_SEEDS,
    SEEDS,
    Experiment,
    Sources,
    plain,
)
from zoo.experiments.results import judged, table
from zoo.experiments.shelf import Seconds, watched
from zoo.experiments.unfinished import clock, going_on
from zoo.files import make_folder, read_json, recover, replacing_file, write_json
from zoo.registry import one_of, suggest
from zoo.runs.checkpoints import Checkpoint, DamagedCheckpointError, read, write
from zoo.runs.lock import FolderLock
from zoo.runs.run_config import PRECISIONS, versions
from zoo.serialization import policy
from zoo.values import counted, positive_int, whole_number

FOLDER = Path("runs/reproduce")
# Settings that no experiment can do without.
COUNTS = ("epochs", "examples", "steps")


class _Plan(NamedTuple):
    """What is run: an experiment and its settings."""

    experiment: Experiment
    quick: bool
    settings: dict[str, Any]
    precision: str | None

    @property
    def description(self) -> dict[str, Any]:
        """What a seed's result must have been run with to count."""
        return {
            "settings": {k: plain(v) for k, v in self.settings.items()},
            "precision": self.precision,
        }


def reproduce_all(
    quick: bool = False,
    output: str | os.PathLike[str] | None = None,
    seeds: int | None = None,
    sources: Sources | None = None,
    precision: str | None = None,
    say: Callable[[str], None] = print,
) -> dict[str, str]:
    """Run every experiment; one that cannot run, for want of its data for example, does not stop the rest.

    Args:
        quick: as in `reproduce`, as are the other arguments.
        output: the folder, with a folder for each experiment; "runs/reproduce" by default.
        seeds: how many seeds.
        sources: where data lie.
        precision: number types.
        say: called with the progress, the verdicts, and at the end a line for each experiment.

    Returns:
        Id -> error, of those that could not run.

    Raises:
        ValueError: for a precision or a number of seeds that none could run with.
    """
    one_of(precision or PRECISIONS[0], "precision", PRECISIONS)
    _seed_count(quick, seeds)
    errors: dict[str, str] = {}
    lines: dict[str, str] = {}
    for count, name in enumerate(names(), start=1):
        say(f"[{count} of {len(names())}]")
        folder = Path(output or FOLDER) / f"{name}{'-quick' * quick}"
        try:
            path = reproduce(name, quick, folder, seeds, sources, precision=precision, say=say)
        except (ValueError, ImportError, OSError) as error:
            errors[name] = lines[name] = " ".join(str(error).split())
            say(f"{name} could not run: {errors[name]}")
        else:
            results = json.loads(path.read_text(encoding="utf-8"))
            verdicts = [claim["verdict"] for claim in results["claims"]]
            hold = sum(verdict.startswith("holds") for verdict in verdicts)
            lines[name] = f"{sum(results['seconds']):.0f} s, {hold} of {len(verdicts)} claims hold"
        keras.backend.clear_session()  # or the graphs of all experiments stay in memory
    for name, line in lines.items():
        say(f"{name:<10} {line}")
    return errors


def reproduce(
    name: str,
    quick: bool = False,
    output: str | os.PathLike[str] | None = None,
    seeds: int | None = None,
    sources: Sources | None = None,
    changes: Mapping[str, Any] | None = None,
    precision: str | None = None,
    say: Callable[[str], None] = print,
    first_seed: int = 0,
) -> Path:
    """Run an experiment.

    The folder gets ``seed-N.npz`` when a seed is through, ``figures/`` of the first seed, texts among them,
    and ``results.json``. Started again, the command goes on after the last seed that is through. Within the
    next one it goes on at the last checkpoint of the training that was cut off, at most a minute or an
    epoch before, and trains none again that was through. The checkpoints lie in ``seed-N-unfinished-...``
    until the seed is through. Long experiments keep what they trained in ``models/`` beside it, where
    others find it. How long all that took, in whichever run, is part of a seed's ``seconds``; ``kept`` says
    how much of them was for kept models.

    Seeds may be spread over machines: give each its `first_seed`, then collect the ``seed-N.npz`` of all in
    one folder and run the command for all seeds there, or let `zoo.experiments.pages.add` join the results.

    Args:
        name: the experiment's id, see `zoo.experiments.names`.
        quick: with the small settings, and one seed.
        output: the folder; by default one in ``runs/reproduce``.
        seeds: how many seeds; 3 by default.
        sources: where data lie; TFDS's folders by default.
        changes: settings that differ from those of the experiment, fewer epochs for example.
        precision: "float32" or "mixed_bfloat16"; by default what the experiment says.
        say: called with the progress and the verdicts.
        first_seed: the seeds are this one and those that follow it.

    Returns:
        The path of results.json.

    Raises:
        ValueError: for an unknown experiment or setting, a value of another kind, a number of seeds below 1,
            or a folder that cannot be written or is in use.
    """
    plan = _plan(find(name), quick, changes or {}, precision)
    experiment = plan.experiment
    count = _seed_count(quick, seeds)
    first_seed = whole_number(first_seed, "first_seed", 0)
    folder = Path(output or FOLDER / f"{experiment.id}{'-quick' * quick}")
    make_folder(folder)
    sources = (sources or Sources())._replace(models=str(folder.parent / "models"))
    after = f" from {first_seed}" * bool(first_seed)
    say(f"{experiment.id}: {experiment.title}, {counted(count, 'seed')}{after}, in {folder}")
    with FolderLock(folder):
        recover(folder)
        _check_own(folder, experiment.id)
        runs = [
            _run(plan, seed, sources, folder / f"seed-{seed}.npz", say)
            for seed in range(first_seed, first_seed + count)
        ]
        _draw(experiment, runs[0], folder / "figures")
        results = {
            "id": experiment.id,
            "paper": experiment.paper,
            "title": experiment.title,
            "quick": plan.quick,
            **plan.description,
            "first_seed": first_seed,
            "seconds": [run.description["seconds"] for run in runs],
            "kept": [run.description.get("kept", {}) for run in runs],
            **judged(experiment, [run.description["measures"] for run in runs]),
            "versions": versions(),
        }
        write_json(folder / "results.json", results)
    for line in table(results):
        say(line)
    return folder / "results.json"


def _check_own(folder: Path, name: str) -> None:
    """No experiment writes over another's results."""
    path = folder / "results.json"
    other = read_json(path, "results").get("id") if path.exists() else name
    if other != name:
        raise ValueError(
            f"{str(folder)!r} holds the results of {other}, not of {name}. Choose another folder."
        )


def _plan(
    experiment: Experiment, quick: bool, changes: Mapping[str, Any], precision: str | None
) -> _Plan:
    """The settings, checked."""
    usual = experiment.usual(quick)
    own = usual.pop("precision")
    precision = one_of(precision or own, "precision", PRECISIONS)
    settings = dict(usual)
    for name, value in changes.items():
        if name not in usual:
            raise ValueError(
                f"The experiment {experiment.id} has no setting {name!r}.{suggest(name, sorted(usual))}"
            )
        settings[name] = _fitting(experiment.id, name, value, usual[name])
    return _Plan(experiment, quick, settings, precision)


def _seed_count(quick: bool, seeds: int | None) -> int:
    usual = QUICK_SEEDS if quick else SEEDS
    return usual if seeds is None else positive_int(seeds, "seeds")


def _fitting(experiment: str, name: str, value: Any, usual: Any) -> Any:
    """`value` where it is of the kind of the usual one, a single item turned into a list of it."""
    if isinstance(usual, list) and not isinstance(value, list):
        value = [value]
    kinds = (int, float) if isinstance(usual, float) else type(usual)
    fits = isinstance(value, kinds) and not isinstance(value, bool)
    least = 1 if name in COUNTS else 0
    if not fits or (isinstance(value, int | float) and not value >= least):
        bound = f", at least {least}" if isinstance(usual, int | float) else ""
        raise ValueError(
            f"The setting {name!r} of {experiment} must be of the kind of {usual!r}{bound}; "
            f"received {value!r}."
        )
    return value


def _run(
    plan: _Plan,
    seed: int,
    sources: Sources,
    path: Path,
    say: Callable[[str], None],
) -> Checkpoint:
    """What a seed gave: read where it is there already, with the same settings and pictures."""
    pictures = sources.pictures and str(Path(sources.pictures).resolve())
    made_with = {**plan.description, "pictures": pictures}
    if path.exists():
        try:
            earlier = read(path)
        except DamagedCheckpointError as error:
            say(f"{error} Running it again.")
        else:
            # An older file says nothing of pictures.
            known = {"pictures": pictures, **earlier.description}
            if all(known.get(key) == value for key, value in made_with.items()):
                say(f"seed {seed}: done before")
                return earlier
            kept = path.with_suffix(".earlier.npz")
            path.replace(kept)
            say(
                f"seed {seed}: done before with other settings, kept in {kept.name}; running it again"
            )
    keras.utils.set_random_seed(seed)  # of the initial weights, which models do not seed
    unfinished = path.with_name(f"{path.stem}-unfinished-{_digest(made_with)}")
    with policy(plan.precision), watched() as shelf, going_on(unfinished):
        started = clock()
        outcome = plan.experiment.run(seed, sources, **plan.settings)
        before = _total(shelf.earlier)
        seconds = clock() - started + before["seconds"]
        result = Checkpoint(
            {name: np.asarray(value) for name, value in outcome.arrays.items()},
            {
                "measures": {k: float(v) for k, v in outcome.measures.items()},
                **made_with,
                "seconds": round(seconds, 1),
                "kept": before,
            },
        )
        with replacing_file(path) as file:
            write(file, result)
    say(f"seed {seed}: {seconds:.0f} s")
    return result


def _digest(made_with: Mapping[str, Any]) -> str:
    """A name for settings and versions: runs with others keep checkpoints of their own."""
    text = json.dumps({**made_with, "versions": versions()}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _total(earlier: Seconds) -> dict[str, Any]:
    """What a seed took from earlier runs: how many items, of how many seconds, how many of them untimed."""
    known = [took for took in earlier.values() if took is not None]
    return {
        "items": len(earlier),
        "seconds": round(sum(known), 1),
        "untimed": len(earlier) - len(known),
    }


def _draw(experiment: Experiment, first: Checkpoint, folder: Path) -> None:
    from zoo.visualization import save_figures

    save_figures(folder, experiment.draw(first.arrays))
    texts = experiment.texts(first.arrays) if experiment.texts else {}
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
