"""From a run's settings to a compiled model."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import zoo
from zoo import models, registry
from zoo.autoencoder import Autoencoder
from zoo.autoencoder.fitting import fittable
from zoo.recipes import schedules
from zoo.runs.modules import import_modules
from zoo.runs.run_config import RunConfig
from zoo.serialization import policy

SCHEDULES = {
    "linear": schedules.LinearSchedule,
    "warm_up": schedules.WarmUp,
    "cyclic": schedules.CyclicWarmUp,
}
# Annotations of options that the command line can check: their types, and in words.
_KINDS = {
    "int": (int, "a whole number"),
    "float": (int | float, "a number"),
    "str": (str, "a text"),
    "bool": (bool, "true or false"),
    "None": (type(None), "none"),
}
OPTIMIZERS = (
    "adadelta",
    "adafactor",
    "adagrad",
    "adam",
    "adamax",
    "adamw",
    "ftrl",
    "lion",
    "nadam",
    "rmsprop",
    "sgd",
)


def checked(config: RunConfig) -> RunConfig:
    """Refuse names that are not known and options of another kind, before data are read.

    Returns:
        The settings, a single number for a list of them turned into a list.

    Raises:
        ValueError: for an unknown model, option, regularizer or optimizer, with the nearest known one, and
            for a value that the option cannot take.
    """
    import_modules(config.imports)
    known = dict(inspect.signature(models.function(config.model)).parameters)
    known.pop("input_shape", None)
    takes_any = any(p.kind is p.VAR_KEYWORD for p in known.values())
    for option in [*config.options, *(["regularizers"] if config.regularizers else [])]:
        if option not in known and not takes_any:
            raise ValueError(
                f"The model {config.model!r} has no option {option!r}."
                f"{registry.suggest(option, sorted(known))}"
            )
    for regularizer in config.regularizers:
        registry.lookup(regularizer["name"])
    if config.fit_prior is not None:
        registry.lookup(config.fit_prior["name"], "prior")
    registry.one_of(config.optimizer, "optimizer", OPTIMIZERS)
    options = {
        name: _fitting(name, value, _annotation(known.get(name)), config.model)
        for name, value in config.options.items()
    }
    return dataclasses.replace(config, options=options)


def build(config: RunConfig, event_shape: Sequence[int]) -> Autoencoder:
    """The compiled model of a run.

    Args:
        config: the run's settings.
        event_shape: shape of one example.

    Returns:
        A compiled model.

    Raises:
        ValueError: for options that do not fit, and a `fit_prior` that cannot be fitted to the model's codes.
    """
    options = {name: _scheduled(value) for name, value in config.options.items()}
    if config.regularizers:
        given = options.get("regularizers") or []
        given = [given] if isinstance(given, str | Mapping) else list(given)
        options["regularizers"] = [*given, *map(_scheduled, config.regularizers)]
    if "seed" in models.options(config.model):
        options.setdefault("seed", config.seed)
    try:
        with policy(config.precision):
            model = zoo.create(config.model, event_shape, **options)
        model.compile(
            config.optimizer, skip_nonfinite=config.skip_nonfinite, slices=config.slices or "auto"
        )
    except ValueError:
        raise
    except Exception as error:  # an option of a kind that no part expected
        shown = ", ".join(f"{name}={value!r}" for name, value in config.options.items())
        raise ValueError(
            f"The model {config.model!r} cannot be built for examples of shape {tuple(event_shape)} with "
            f"{shown or 'its defaults'}: {error}"
        ) from error
    if config.learning_rate is not None:
        model.optimizer.learning_rate = config.learning_rate
    if config.fit_prior is not None:  # seen now, and not when the training is through
        fittable(model, dict(config.fit_prior))
    return model


def _annotation(parameter: inspect.Parameter | None) -> str:
    """As it stands in the source, also where the module does not postpone annotations."""
    annotation = getattr(parameter, "annotation", "")
    return annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)


def _fitting(name: str, value: Any, annotation: str, model: str) -> Any:
    """`value` where it is what the annotation of an option says, as far as that is plain."""
    kinds = [kind.strip() for kind in annotation.split("|")]
    single = isinstance(value, int | float | str) and not isinstance(value, bool)
    if single and any(kind.startswith("Sequence") for kind in kinds):
        return [value]
    if not set(kinds) <= set(_KINDS):
        return value
    if isinstance(value, float) and value.is_integer() and "int" in kinds and "float" not in kinds:
        return int(value)
    for kind in kinds:
        wanted = _KINDS[kind][0]
        if isinstance(value, wanted) and (kind == "bool" or not isinstance(value, bool)):
            return value
    words = " or ".join(_KINDS[kind][1] for kind in kinds)
    raise ValueError(f"The option {name!r} of {model!r} must be {words}; received {value!r}.")


def _scheduled(value: Any) -> Any:
    """`value` with every dict that names a schedule turned into the schedule."""
    if not isinstance(value, Mapping):
        return value
    inner = {key: _scheduled(item) for key, item in value.items()}
    schedule = SCHEDULES.get(inner.get("name", ""))
    if schedule is None:
        return inner
    options = {key: item for key, item in inner.items() if key != "name"}
    known = sorted(registry.option_names(schedule))
    for option in options:
        if option not in known:
            raise ValueError(
                f"The schedule {inner['name']!r} has no option {option!r}.{registry.suggest(option, known)}"
            )
    try:
        return schedule(**options)
    except TypeError as error:
        raise ValueError(f"The schedule {inner['name']!r} cannot be built: {error}") from error
