"""A search by optuna (the extra [sweep]): points are drawn where earlier ones were good."""

from __future__ import annotations

import functools
import json
import math
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from zoo.evaluation.metrics import HIGHER
from zoo.files import make_folder
from zoo.registry import suggest
from zoo.runs.differences import differences
from zoo.runs.lock import FolderLock
from zoo.sweeps.options import check_runs
from zoo.sweeps.space import Range, grid, label, size
from zoo.sweeps.summary import UDR, direction, no_such, score
from zoo.sweeps.sweep import Sweep
from zoo.sweeps.workers import GivenUpError, refuse, train_one, workers
from zoo.values import counted, positive_int

_STUDY = "latent-zoo"
_WARM_UP = 5  # points that are trained whole before any is given up
_SETTINGS = "settings"  # in the study: what its values were measured under
_ANYWHERE = ("data_dir", "manual_dir", "strategy", "virtual_devices", "imports")
_REPEAT = "repeat"  # of a trial: another has its point
_FEW = 10_000  # points, of which one that is left is chosen where optuna draws none
_LOCKS = ".trials"  # in the sweep's folder: a folder for each point, locked while one works on it
_PATIENCE = 30.0  # seconds to wait for another process that draws a point


class _WrongWordError(GivenUpError):
    """Runs have no metric, or their history no column, of the name that the search was given."""


class Search(NamedTuple):
    """How to search.

    Attributes:
        metric: what is sought, see `zoo.sweeps.summary.summarise`; not "udr".
        trials: points in all, those of earlier calls among them; each is trained once, so that no more are
            trained than there are.
        storage: optuna's, the address of a database that several machines reach; None for a journal in the
            sweep's folder, which machines that share the folder share too.
        prune: column of history.csv by whose validation value a point is given up early, lower is better:
            "val_loss" where no option changes the loss, "val_reconstruction"; None to train all points whole.
    """

    metric: str
    trials: int
    storage: str | None = None
    prune: str | None = None


def search(
    sweep: Sweep,
    how: Search,
    jobs: int = 1,
    say: Callable[[str], None] = print,
    command: str = "",
    program: str = "latent-zoo",
) -> list[str]:
    """Train points that optuna draws, until there are so many; a search that was stopped goes on.

    Args:
        sweep: its axes are what points are drawn from: a `Range` by its numbers, or its logarithm where it is
            wide; values by name.
        how: to search.
        jobs: processes at once, each with a point.
        say: called with a line for each point.
        command: the command line, which every run keeps.
        program: how it is started.

    Returns:
        What kept points from their end, a line each.

    Raises:
        ImportError: without optuna.
        ValueError: for a metric that cannot be sought or that runs do not have, numbers below 1, a column to
            prune by that they do not have, data that cannot be read, a value that no model can be built with,
            or a folder that holds a search with other settings, whose values cannot be compared.

    Example:
        >>> from zoo.sweeps import Range, Sweep
        >>> from zoo.sweeps.search import Search, search
        >>> config = zoo.runs.RunConfig(
        ...     model="two_template_vae", dataset="two_templates", data_options={"n": 100}, epochs=1
        ... )
        >>> sweep = Sweep(config, {"beta": Range(0.1, 10.0)}, seeds=1, folder="found")
        >>> search(sweep, Search("kl", trials=2))
        Traceback (most recent call last):
            ...
        ValueError: Neither end of 'kl' is known to be better. ...
    """
    if how.metric == UDR:
        raise ValueError("A search needs a metric of each run; udr is one of several. Use a grid.")
    direction(how.metric)
    positive_int(how.trials, "trials")
    make_folder(Path(sweep.folder))
    study = _study(sweep, how)
    _take_up(study, sweep)
    there = int(min(how.trials, size(sweep.axes)))
    if there < how.trials:
        say(f"There are no more than {counted(there, 'point')}: all are trained.")
        how = how._replace(trials=there)
    left = there - len(_counted(study))
    say(
        f"{counted(there, 'point')}, {there - left} there before, {counted(sweep.seeds, 'seed')} each"
    )
    if left <= 0:
        return []
    jobs = min(positive_int(jobs, "jobs"), left)
    pool = workers(jobs)
    failed: list[str] = []
    try:
        refuse(pool, functools.partial(check_runs, sweep))
        futures = [
            pool.submit(_work, sweep, how, number, command, program) for number in range(jobs)
        ]
        for future in futures:
            failed += future.result()
    except BrokenProcessPool:
        failed.append("A process ended by itself. With fewer jobs at once the same search goes on.")
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    for trial in _counted(_study(sweep, how)):
        ended = {"PRUNED": "given up", "FAIL": "failed"}.get(trial.state.name, "under way")
        value = ended if trial.value is None else f"{trial.value:.4g}"
        say(f"{label(_point(trial)) or trial.number}: {value}")
    return failed


def points(sweep: Sweep, how: Search) -> list[dict[str, Any]]:
    """The points that a search has drawn, each once."""
    drawn = [_point(trial) for trial in _study(sweep, how).get_trials(deepcopy=False)]
    return list({label(point): point for point in drawn if point}.values())


def _study(sweep: Sweep, how: Search, number: int = 0) -> Any:
    try:
        import optuna
    except ImportError:
        raise ImportError(
            "A search needs optuna: pip install 'latent-zoo[sweep]', or name the values of a grid."
        ) from None
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    journal = str(Path(sweep.folder) / "optuna.journal")
    storage: Any = how.storage or JournalStorage(JournalFileBackend(journal))
    pruner = optuna.pruners.MedianPruner(n_startup_trials=_WARM_UP)
    try:
        study = optuna.create_study(
            study_name=_STUDY,
            storage=storage,
            direction="maximize" if direction(how.metric) == HIGHER else "minimize",
            pruner=pruner if how.prune else optuna.pruners.NopPruner(),
            load_if_exists=True,
        )
    except Exception as error:  # of optuna, SQLAlchemy or the database
        if how.storage is None:
            raise
        reason = str(error).strip().partition("\n")[0]
        raise ValueError(
            f"The storage {how.storage!r} cannot be opened ({reason}). Give optuna's address of a database, "
            "such as sqlite:///search.db or mysql://user@host/name."
        ) from error
    _hold_to(study, sweep, how)
    # Processes that began with one seed would draw the same points, and so would a search that goes on.
    before = len(study.get_trials(deepcopy=False))
    seed = sweep.config.seed + 1000 * number + 1 + 7919 * before
    study.sampler = optuna.samplers.TPESampler(seed=seed)
    return study


def _hold_to(study: Any, sweep: Sweep, how: Search) -> None:
    """Hold a search that goes on to the settings that it began with."""
    config = sweep.config.to_json()
    now = {
        "metric": how.metric,
        "seeds": sweep.seeds,
        "axes": {
            name: list(axis._asdict().values()) if isinstance(axis, Range) else axis
            for name, axis in sweep.axes.items()
        },
        "run": {name: value for name, value in config.items() if name not in _ANYWHERE},
    }
    now = json.loads(json.dumps(now))  # as the study gives it back
    before = study.user_attrs.get(_SETTINGS)
    if before is None:
        study.set_user_attr(_SETTINGS, now)
        return
    changed = [text for name in now for text in differences(before.get(name), now[name], name)]
    if changed:
        raise ValueError(
            f"{str(sweep.folder)!r} holds another search, whose points cannot be compared: "
            f"{'; '.join(changed[:3])}. Go on with its own settings, or choose another folder."
        )


def _counted(study: Any) -> list[Any]:
    """The trials that are done or under way; one that failed counts, or a bad option would run for ever.

    One that was killed does not, since it is drawn again, nor one that drew a point of another.
    """
    trials = study.get_trials(deepcopy=False)
    left_out = {trial.user_attrs.get("again") for trial in trials}
    left_out |= {trial.number for trial in trials if _REPEAT in trial.user_attrs}
    return [t for t in trials if t.state.name != "WAITING" and t.number not in left_out]


def _take_up(study: Any, sweep: Sweep) -> None:
    """Points whose process was killed are drawn again, and their runs go on."""
    with _alone(sweep):
        for trial in study.get_trials(deepcopy=False):
            if trial.state.name == "RUNNING" and _left(sweep, trial):
                study.enqueue_trial(trial.params, user_attrs={"again": trial.number})
                study.tell(trial.number, state=_state("FAIL"))


def _left(sweep: Sweep, trial: Any) -> bool:
    """Whether the process that worked on a point is gone; a point of a machine with another folder is not."""
    lock = _lock_of(sweep, trial)
    if lock.folder.is_dir():
        return not _held(lock.folder)
    folders = [folder for folder in sweep.folders(_point(trial)) if folder.is_dir()]
    return bool(folders) and not any(map(_held, folders))  # of an earlier version


def _lock_of(sweep: Sweep, trial: Any) -> FolderLock:
    return FolderLock(Path(sweep.folder) / _LOCKS / str(trial.number))


@contextmanager
def _alone(sweep: Sweep) -> Iterator[None]:
    """No other process draws or takes up a point of the sweep's folder meanwhile."""
    folder = Path(sweep.folder) / _LOCKS
    make_folder(folder)
    lock, until = FolderLock(folder), time.monotonic() + _PATIENCE
    while True:
        try:
            lock.acquire()
            break
        except ValueError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
    try:
        yield
    finally:
        lock.release()


def _state(name: str) -> Any:
    from optuna.trial import TrialState

    return TrialState[name]


def _held(folder: Path) -> bool:
    """Whether a process trains in a run folder."""
    if not folder.is_dir():
        return False
    lock = FolderLock(folder)
    try:
        lock.acquire()
    except ValueError:
        return True
    lock.release()
    return False


def _point(trial: Any) -> dict[str, Any]:
    return json.loads(trial.user_attrs.get("point", "{}"))


def _work(sweep: Sweep, how: Search, number: int, command: str, program: str) -> list[str]:
    """Train one point after the other, until there are enough."""
    study = _study(sweep, how, number)
    failed: list[str] = []
    while True:
        with _alone(sweep):
            trial = _new(study, sweep, how)
            if trial is None:
                return failed
            lock = _lock_of(sweep, trial)
            make_folder(lock.folder)
            lock.acquire()
        point = _point(trial)
        try:
            error = _train(study, trial, sweep, point, how, command, program)
        except _WrongWordError as problem:
            # A word of the command is wrong, not the point: the mended command goes on with it.
            study.enqueue_trial(trial.params, user_attrs={"again": trial.number})
            study.tell(trial, state=_state("FAIL"))
            raise ValueError(str(problem)) from None
        finally:
            lock.release()
        if error:
            failed.append(f"{label(point)}: {error}")


def _new(study: Any, sweep: Sweep, how: Search) -> Any:
    """A trial of a point that no other has; None where there are as many as were asked for."""
    others = _counted(study)
    taken = {label(_point(other)) for other in others}
    while len(others) < how.trials:
        trial = study.ask()
        point = {name: _drawn(trial, name, axis) for name, axis in sweep.axes.items()}
        trial.set_user_attr("point", json.dumps(point))
        if label(point) not in taken:
            return trial
        # Optuna draws a good point of few again and again, whose runs are there, or under way elsewhere.
        trial.set_user_attr(_REPEAT, True)
        study.tell(trial, state=_state("FAIL"))
        if size(sweep.axes) <= _FEW:
            left = [each for each in grid(sweep.axes) if label(each) not in taken]
            chosen = random.Random(trial.number).choice(left)
            study.enqueue_trial(_params(chosen, sweep))
    return None


def _params(point: dict[str, Any], sweep: Sweep) -> dict[str, Any]:
    """A point as optuna keeps it, see `_drawn`."""
    return {
        name: value if isinstance(sweep.axes[name], Range) else json.dumps(value)
        for name, value in point.items()
    }


def _drawn(trial: Any, name: str, axis: Any) -> Any:
    if isinstance(axis, Range):
        draw = trial.suggest_int if axis.whole else trial.suggest_float
        return draw(name, axis.low, axis.high, log=axis.logarithmic)
    # Lists and parts are no values for a database: their text is.
    texts = [json.dumps(value) for value in axis]
    return json.loads(trial.suggest_categorical(name, texts))


def _train(
    study: Any,
    trial: Any,
    sweep: Sweep,
    point: dict[str, Any],
    how: Search,
    command: str,
    program: str,
) -> str:
    """Train the seeds of a point, and tell what they gave; the error, "" for none."""
    values = []
    for number, task in enumerate(sweep.tasks(point)):
        callbacks = [_pruning(trial, how)] if how.prune and number == 0 else []
        try:
            error, _ = train_one(task, command, program, callbacks)
        except _WrongWordError:
            raise
        except GivenUpError:
            study.tell(trial, state=_state("PRUNED"))
            return ""
        found = None if error else score(task.folder, how.metric)
        if found is None:
            missing = "" if error else no_such(how.metric, task.folder)
            if missing and sweep.one_model:
                raise _WrongWordError(f"{missing} Other points would have none either.")
            study.tell(trial, state=_state("FAIL"))
            return error or missing or f"its {how.metric} is not finite"
        values.append(found)
    study.tell(trial, float(np.mean(values)))
    return ""


def _pruning(trial: Any, how: Search) -> Any:
    """A callback that reports a column of the history, and stops the run where optuna says so."""
    import keras

    sign = -1 if direction(how.metric) == HIGHER else 1  # optuna reads it in the metric's direction
    column: Any = how.prune

    class Pruning(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if column not in (logs or {}):
                raise _WrongWordError(
                    f"A run cannot be given up by {column!r}.{suggest(column, sorted(logs or {}))}"
                )
            value = sign * float(logs[column])
            trial.report(value if math.isfinite(value) else math.copysign(1e30, value), epoch)
            if trial.should_prune():
                raise GivenUpError

    return Pruning()
