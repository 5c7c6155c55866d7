"""Whether what a sweep varies is there to be varied, seen before the first run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.models import options
from zoo.registry import suggest
from zoo.runs.building import checked
from zoo.sweeps.space import Range, grid, label
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
        for value in _tried(axis):
            for name in models if option != "model" else [value]:
                checked(sweep.run({"model": name, option: value}, 0))


def check_runs(sweep: Sweep) -> str:
    """Read the data and build models of a sweep, as its runs would, until every value has been in one.

    A value is refused where no model can be built that has it: with others than the usual options beside it,
    one that alone would be wrong may be right. It runs in a process of the sweep's, since TensorFlow may take
    all of a processor's memory for the one that builds a model.

    Returns:
        What every run with a value would end with before its first step; "" for nothing.

    Example:
        >>> from zoo.sweeps import Sweep
        >>> from zoo.sweeps.options import check_runs
        >>> config = zoo.runs.RunConfig(model="k_sparse_autoencoder", dataset="digits", limit=50)
        >>> check_runs(Sweep(config, {"latents": [8, 40], "k": [4, 20]}, 1, "sweep"))
        ''
        >>> check_runs(Sweep(config, {"latents": [8, 40], "k": [4, 50]}, 1, "sweep"))
        'No run with k=50 can begin: ...'
    """
    import keras

    from zoo.runs.building import build
    from zoo.runs.run import read_data, settled

    axes = {name: list(_tried(axis)) for name, axis in sweep.axes.items()}
    left = {
        label({name: value}): (name, value) for name, values in axes.items() for value in values
    }
    errors: dict[str, str] = {}
    try:
        data, _ = read_data(sweep.config)
        for point in grid(axes):
            found = [text for text, (name, value) in left.items() if point[name] == value]
            if not found:
                continue
            try:
                build(settled(checked(sweep.run(point, 0)), data), data.event_shape)
            except ValueError as error:
                errors = {text: str(error) for text in found} | errors
            else:
                left = {text: pair for text, pair in left.items() if text not in found}
    except (ValueError, ImportError, OSError) as error:
        return str(error)
    finally:
        keras.backend.clear_session()  # the process goes on with runs
    return next((f"No run with {text} can begin: {errors[text]}" for text in left), "")


def _tried(axis: Sequence[Any] | Range) -> Sequence[Any]:
    """The values of an axis that are tried: of a range, its ends."""
    return axis[:2] if isinstance(axis, Range) else axis
