"""The training of all points of a grid."""

from __future__ import annotations

import functools
from collections.abc import Callable
from concurrent.futures import Future, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from zoo.files import make_folder
from zoo.runs.run_folder import RunFolder
from zoo.sweeps.options import check_runs
from zoo.sweeps.space import grid
from zoo.sweeps.summary import UDR, no_such
from zoo.sweeps.sweep import Sweep
from zoo.sweeps.workers import Task, measured_less, refuse, train_one, workers
from zoo.values import counted, positive_int


def run_grid(
    sweep: Sweep,
    jobs: int = 1,
    say: Callable[[str], None] = print,
    command: str = "",
    program: str = "latent-zoo",
    metric: str | None = None,
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
        metric: what points are to be compared by. Where the first run of one model ends without it, the
            others would too, and are not trained. None to train all.

    Returns:
        What kept runs from their end, a line each; empty where all are finished.

    Raises:
        ValueError: for a range of fractions, jobs below 1, a folder whose runs had other settings, data that
            cannot be read, a value that no model can be built with, or a metric that runs do not have.

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
    jobs = min(positive_int(jobs, "jobs"), max(len(waiting), 1))
    if not waiting:
        return []
    pool = workers(jobs)
    try:
        refuse(pool, functools.partial(check_runs, sweep))
        futures = {pool.submit(train_one, task, command, program): task for task in waiting}
        sought = metric if sweep.one_model and metric != UDR else None
        return _ended(futures, say, sought)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _ended(
    futures: dict[Future[tuple[str, float]], Task], say: Callable[[str], None], metric: str | None
) -> list[str]:
    """What kept runs from their end, a line each; ValueError where one has ended without the metric."""
    failed: list[str] = []
    try:
        for number, future in enumerate(as_completed(futures), start=1):
            error, seconds = future.result()
            task = futures[future]
            if error:
                failed.append(f"{task.title}: {error}")
            how = f"failed: {error}" if error else f"{seconds:.0f} s"
            say(f"[{number}/{len(futures)}] {task.title}: {how}")
            if metric and not error and (missing := no_such(metric, task.folder)):
                raise ValueError(f"{missing} The other runs would have none either.")
    except BrokenProcessPool:
        failed.append(
            "A process ended by itself, for want of memory perhaps. With fewer jobs at once the same sweep "
            "goes on where it stopped."
        )
    return failed
