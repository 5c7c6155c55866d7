"""Train a grid of options or search them, several seeds each, and compare them on one page.

--set beta=1,4,16 names values, --set latents=5..20 all whole numbers between; a list as one value stands in
brackets, --set "hidden=[500,500],[100]". model, epochs, batch_size, optimizer and learning_rate can be varied
too. The same command goes on with a sweep that was stopped.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from zoo.cli import settings
from zoo.cli.call import Call
from zoo.cli.flags import configured

USAGE = "sweep"
SEEDS = 3
_RANGE = re.compile(r"(.+)\.\.(.+)")
_OPTION = re.compile(r"\s*\w+\s*=")


def run(call: Call) -> int:
    """Run a sweep."""
    call.expect(0, USAGE)
    call.require("sweep", "metric", "output")
    given = call.flags
    axes = {}
    for text in given.set:
        one = axis(text)
        if twice := axes.keys() & one:
            raise ValueError(
                f"--set names {twice.pop()!r} twice. Give all its values in one --set."
            )
        axes |= one
    if not axes:
        raise ValueError("'sweep' needs --set name=value,value,... or --set name=low..high.")
    for flag in ("prune", "storage"):
        if given[flag].value and given.trials is None:
            raise ValueError(f"--{flag} is for a search: add --trials=N.")
    given["set"].value = []
    from zoo.runs.run_config import RunConfig

    seeds = SEEDS if given.seeds is None else given.seeds
    config = configured(given, RunConfig())
    call.import_quietly()
    from zoo.sweeps.options import check_options
    from zoo.sweeps.search import Search, points, search
    from zoo.sweeps.space import grid
    from zoo.sweeps.summary import UDR, direction, summarise, unlike
    from zoo.sweeps.sweep import Sweep
    from zoo.sweeps.training import run_grid
    from zoo.visualization.pages.sweep import write_sweep

    sweep = Sweep(config, axes, seeds, given.output)
    check_options(sweep)
    direction(given.metric)
    if given.metric == UDR and seeds < 2:
        raise ValueError(
            f"--metric=udr compares seeds: it needs --seeds=2 or more; received {seeds}."
        )
    jobs = 1 if given.jobs is None else given.jobs
    how: dict[str, Any] = {"jobs": jobs, "command": call.line, "program": call.program}
    try:
        if given.trials is None:
            failed = run_grid(sweep, metric=given.metric, **how)
            tried = grid(sweep.axes)
        else:
            wanted = Search(given.metric, given.trials, given.storage, given.prune)
            failed = search(sweep, wanted, **how)
            tried = points(sweep, wanted)
    except KeyboardInterrupt:
        raise KeyboardInterrupt("The same command goes on where this one stopped.") from None
    rows = summarise(sweep, tried, given.metric)
    notes = unlike(rows)
    path = write_sweep(
        Path(given.output) / "sweep.html",
        [row.point for row in rows],
        [row.values for row in rows],
        [row.folders for row in rows],
        given.metric,
        [*failed, *notes],
    )
    for row in rows[:5]:
        print(line(row))
    for note in notes:
        print(note)
    print(f"\nAll points: {path}")
    if failed:
        raise ValueError(f"{len(failed)} of the runs did not end: {failed[0]}")
    return 0


def axis(text: str) -> dict[str, Any]:
    """An option and its values, from ``name=value,value`` or ``name=low..high``.

    Raises:
        ValueError: for a text without a name or values, and for a part whose options would be values.

    Example:
        >>> from zoo.cli.sweep import axis
        >>> axis("beta=1,4,16"), axis("latents=5..20"), axis("hidden=[64,32],[8]")
        ({'beta': [1, 4, 16]}, {'latents': Range(low=5, high=20)}, {'hidden': [[64, 32], [8]]})
    """
    from zoo.sweeps.space import Range

    name, equals, rest = text.partition("=")
    if not equals or not name.strip().isidentifier() or not rest.strip():
        raise ValueError(f"Expected name=value,value or name=low..high; received --set {text!r}.")
    ends = _RANGE.fullmatch(rest)
    if ends:
        low, high = map(settings.value, ends.groups())
        if not all(type(end) in (int, float) for end in (low, high)):
            raise ValueError(f"Expected two numbers, low..high; received --set {text!r}.")
        return {name.strip(): Range(low, high)}
    values = settings.items(rest)
    for item in values:
        if _OPTION.match(item):  # the part before it would lose it
            raise ValueError(
                "Write the options of a part in parentheses, as in linear(start=0,end=1,steps=100); "
                f"received --set {text!r}."
            )
    return {name.strip(): [settings.value(item) for item in values]}


def line(row: Any) -> str:
    """A point and what it gave, as a line."""
    from zoo.sweeps.space import label
    from zoo.values import number_text

    spread = f" ± {row.spread:.2g}" if len(row.values) > 1 else ""
    return f"{number_text(row.mean)}{spread}  {label(row.point)}"
