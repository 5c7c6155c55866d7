"""Whether what a sweep varies is there to be varied, seen before the first run."""

from __future__ import annotations

from zoo.models import options
from zoo.registry import suggest
from zoo.runs.building import checked
from zoo.sweeps.space import Range
from zoo.sweeps.sweep import SETTINGS, Sweep


def check_options(sweep: Sweep) -> None:
    """Check that every model of a sweep has the options that are varied, and takes their values.

    Raises:
        ValueError: for an unknown model or option, with the nearest known one, and for a value that an option
            cannot take.

    Example:
        >>> from zoo.sweeps import Sweep
        >>> from zoo.sweeps.options import check_options
        >>> check_options(Sweep(zoo.runs.RunConfig(model="vae"), {"bta": [1, 4]}, 1, "sweep"))
        Traceback (most recent call last):
            ...
        ValueError: The model 'vae' has no option 'bta'. Did you mean 'beta'? ...
    """
    models = sweep.axes.get("model", [sweep.config.model])
    if isinstance(models, Range):
        raise ValueError(f"model must be names; received {models}.")
    for name in models:
        known = options(name)
        for option in sweep.axes:
            if option not in known and option not in SETTINGS:
                hint = suggest(option, [*known, *SETTINGS])
                raise ValueError(f"The model {name!r} has no option {option!r}.{hint}")
    for option, axis in sweep.axes.items():
        for value in axis if isinstance(axis, list) else axis[:2]:  # a range by its ends
            for name in models if option != "model" else [value]:
                checked(sweep.run({"model": name, option: value}, 0))
