"""One call that tells how good a representation is, for any encoder, on the user's own data."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from zoo.evaluation.checks import NotComputable, as_codes, as_examples, as_labels, as_seen
from zoo.evaluation.groups import GROUPS, Task
from zoo.evaluation.levels import FEWER_ROWS, settings_of
from zoo.evaluation.subject import condition_of, opened, subject_of
from zoo.evaluation.table import table
from zoo.registry import one_of, suggest
from zoo.values import whole_number


def evaluate(
    model_or_codes: Any,
    x: Any = None,
    labels: Any = None,
    factors: Any = None,
    *,
    x_train: Any = None,
    labels_train: Any = None,
    condition: Any = None,
    condition_train: Any = None,
    decode: Callable[[np.ndarray], np.ndarray] | None = None,
    groups: Iterable[str] | None = None,
    level: str = "full",
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    bootstrap: int | Mapping[str, int] = 0,
    details: bool = False,
    seed: int = 0,
    batch_size: int = 500,
    verbose: bool = True,
) -> dict[str, dict[str, Any]]:
    """Measure a representation, in all groups of metrics that the arguments allow.

    reconstruction   needs a decoder
    density          needs a model with q(z|x), p(x|z) and p(z)
    sparsity         needs two units
    dictionary       needs a model whose decoder has atoms; with labels it probes units too
    probing          needs labels
    clustering       needs labels
    disentanglement  needs factors
    generation       needs a model that generates, and training examples with labels, or features

    Args:
        model_or_codes: an `Autoencoder`, a function from a batch of examples to codes, a Keras model,
            the path of a SavedModel folder with an ``encode`` endpoint or of a ``.keras`` file, or
            the codes of x, (n, units). A function or Keras model is given x as it is; a model of the zoo
            divides bytes as it always does, and so does its export. Other measures take uint8 as pixels.
        x: (n, ...) held-out examples, or a `zoo.data.Data` record, which brings its labels and
            factors along. May be left out for an array of codes.
        labels: (n,) classes.
        factors: (n, factors) factors of variation, discrete (continuous ones with
            ``settings={"disentanglement": {"factor_bins": 20}}``).
        x_train: (m, ...) training examples, or a `Data` record: probes are then fitted to them, and
            generated examples compared with them. Without them, probes are fitted to a part of x.
        labels_train: (m,) their classes.
        condition: of each row of x, for a model that declares one; None for the labels. What such a model
            gives is measured under it, and the group density is left out.
        condition_train: the same of x_train.
        decode: from codes to examples, for an encoder that has no decoder of its own.
        groups: which groups; all by default.
        level: "full" for the settings of the sources, "quick" for fewer rows and draws in the groups
            density, probing, clustering, disentanglement and generation, which then cost seconds. Quick
            scores of disentanglement are not the protocol's; the result says so under "skipped".
        settings: group -> options, for example ``{"density": {"samples": 500}}``. They are the
            keyword arguments of the functions in `zoo.evaluation.groups`.
        bootstrap: resamples for 95 % intervals, for example 200; 0 for none; or group -> resamples, 0
            for those that are not named. What is resampled stands with each metric.
        details: also return arrays: the values of each example, as many as x and in its order, and the
            picture of each unit.
        seed: of every random choice but the features of the group "generation", which belong to the
            training data.
        batch_size: examples that a function, Keras model or endpoint is given at a time.
        verbose: print the result as a table.

    Returns:
        group -> metric -> float, or {"value", "low", "high"} with a bootstrap. Under "skipped", group
        -> the reason why it is missing. Under "details", where asked for, group -> name -> array.

    Raises:
        ValueError: for arguments that do not match each other, unknown groups or options, or codes
            that are not finite.

    Warns:
        UserWarning: for each metric that is NaN, with the reason.

    Example:
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,))
        >>> x = np.random.default_rng(0).random((50, 6), np.float32)
        >>> found = zoo.evaluation.evaluate(model, x, groups=["reconstruction", "density"], verbose=False)
        >>> "psnr" in found["reconstruction"], "elbo" in found["density"]
        (True, True)
        >>> codes = np.random.default_rng(0).normal(size=(200, 4))  # of any encoder
        >>> settings = {"probing": {"labels_per_class": [10]}}
        >>> found = zoo.evaluation.evaluate(
        ...     codes, labels=codes[:, 0] > 0, settings=settings, verbose=False
        ... )
        >>> found["probing"]["logistic_regression"] > 0.8, "density" in found["skipped"]
        (True, True)
    """
    settings = dict(settings or {})
    seed = whole_number(seed, "seed", 0)
    chosen = _chosen_groups(groups, settings)
    options = settings_of(level, settings)
    model_or_codes = opened(model_or_codes)
    if hasattr(model_or_codes, "intake"):
        for data in (x, x_train):
            model_or_codes.intake.columns(data)  # the bytes of a record are pixels
    x, labels, factors = _record(x, labels, factors)
    x_train, labels_train, _ = _record(x_train, labels_train, None)
    if x is None:
        x = _codes_alone(model_or_codes, decode)
    x = as_seen(model_or_codes, as_examples(x, "x"))
    if x_train is not None:
        x_train = as_seen(model_or_codes, as_examples(x_train, "x_train"))
    _check_lengths(x, labels, factors, x_train, labels_train)
    condition = labels if condition is None else condition
    condition = condition_of(model_or_codes, condition, len(x), "condition")
    if x_train is not None:
        of_train = labels_train if condition_train is None else condition_train
        condition_train = condition_of(model_or_codes, of_train, len(x_train), "condition_train")
    subject = subject_of(model_or_codes, x, batch_size).with_decoder(decode)
    task = Task(
        subject=subject,
        x=x,
        labels=labels,
        factors=factors,
        x_train=x_train,
        labels_train=labels_train,
        condition=condition,
        condition_train=condition_train,
        seed=seed,
        details=details,
    )
    resamples = _resamples(bootstrap)
    started = time.perf_counter()
    result: dict[str, dict[str, Any]] = {}
    arrays: dict[str, dict[str, np.ndarray]] = {}
    for name in chosen:
        task.bootstrap = resamples[name]
        try:
            result[name], arrays[name] = GROUPS[name].run(task, **options.get(name, {}))
        except NotComputable as reason:
            task.skipped[name] = str(reason)
    if level == "quick" and "disentanglement" in result:
        task.skipped["disentanglement: protocol"] = FEWER_ROWS
    result["skipped"] = task.skipped
    if details:
        result["details"] = arrays
    if verbose:
        units = task.units
        title = f"Evaluation of {subject.name}: {len(x):,} examples, {units} units"
        print(table(result, f"{title} ({time.perf_counter() - started:.1f} s)"))
    return result


def _chosen_groups(groups: Iterable[str] | None, settings: Mapping[str, Any]) -> list[str]:
    if isinstance(groups, str):
        groups = [groups]
    chosen = list(GROUPS) if groups is None else list(groups)
    _check_groups([*chosen, *settings])
    for name, options in settings.items():
        known = GROUPS[name].options()
        for option in options:
            if option not in known:
                raise ValueError(
                    f"The group {name!r} takes no option {option!r}.{suggest(option, known)}"
                )
    return chosen


def _check_groups(names: Iterable[str]) -> None:
    for name in names:
        one_of(name, "group of metrics", GROUPS)


def _resamples(bootstrap: int | Mapping[str, int]) -> dict[str, int]:
    """The resamples of each group."""
    if not isinstance(bootstrap, Mapping):
        return dict.fromkeys(GROUPS, bootstrap)
    _check_groups(bootstrap)
    return {name: bootstrap.get(name, 0) for name in GROUPS}


def _record(x: Any, labels: Any, factors: Any) -> tuple[Any, Any, Any]:
    """The arrays of a `zoo.data.Data` record; what the caller gave beside it overrides them."""
    if not hasattr(x, "inputs"):
        return x, labels, factors
    return (
        x.inputs,
        x.labels if labels is None else labels,
        x.factors if factors is None else factors,
    )


def _codes_alone(codes: Any, decode: Any) -> np.ndarray:
    if callable(codes) or hasattr(codes, "encode") or isinstance(codes, str) or decode is not None:
        raise ValueError("evaluate needs x, the examples, unless it is given codes alone.")
    return as_codes(codes, 1)


def _check_lengths(x: Any, labels: Any, factors: Any, x_train: Any, labels_train: Any) -> None:
    if labels is not None:
        as_labels(labels, len(x))
    if labels_train is not None:
        if x_train is None:
            raise ValueError("labels_train need x_train; received None.")
        as_labels(labels_train, len(x_train), "labels_train")
    if factors is not None and len(factors) != len(x):
        raise ValueError(f"factors must match the {len(x)} examples; received {len(factors)}.")
