"""The groups of metrics that `evaluate` runs, each with what it needs and the options it takes."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from zoo.data.pixels import as_unit_floats
from zoo.evaluation import aggregate_posterior as aggregate
from zoo.evaluation import (
    clustering,
    density,
    dictionary,
    generation,
    probing,
    reconstruction,
    sparsity,
)
from zoo.evaluation import disentanglement as disentangled
from zoo.evaluation.checks import NotComputable, as_codes, as_factors, as_labels, batches
from zoo.evaluation.disentanglement.mutual_information import discretise, mutual_information
from zoo.evaluation.features import reference_features
from zoo.evaluation.splicing import attach
from zoo.evaluation.subject import Subject, of_rows, subject_of

_BOUNDED = 2000  # examples, unless each one's bound is asked for
Result = tuple[dict[str, Any], dict[str, np.ndarray]]  # scores and details


@dataclass
class Task:
    """One evaluation: what is evaluated, on what, and how.

    Args:
        subject: what is evaluated.
        x: (n, ...) examples.
        labels: (n,) or None.
        factors: (n, factors) or None.
        x_train: (m, ...) or None.
        labels_train: (m,) or None.
        condition: of each row of x, as the model declares it, or None.
        condition_train: of each row of x_train, or None.
        bootstrap: resamples for intervals.
        seed: of every random choice.
        details: whether arrays are wanted beside the scores.
        skipped: what is left out, and why; a group that is left out in part adds its line.
    """

    subject: Subject
    x: np.ndarray
    labels: Any = None
    factors: Any = None
    x_train: np.ndarray | Any = None
    labels_train: Any = None
    condition: Any = None
    condition_train: Any = None
    bootstrap: int = 0
    seed: int = 0
    details: bool = False
    skipped: dict[str, str] = field(default_factory=dict)

    @cached_property
    def codes(self) -> np.ndarray:
        """(n, units)."""
        return as_codes(self.subject.encode(self.x, *self.given()), 1)

    def given(self, rows: Any = slice(None), train: bool = False) -> tuple[Any, ...]:
        """What stands beside some rows of x or x_train: their condition, or nothing."""
        condition = self.condition_train if train else self.condition
        return () if condition is None else (of_rows(condition, rows),)

    @property
    def units(self) -> int:
        """Units of a code; the codes are computed only where the model does not say their number."""
        known = getattr(self.subject.model, "code_shape", None)
        return self.codes.shape[1] if known is None else math.prod(known)

    @property
    def random(self) -> dict[str, int]:
        """The arguments of every score that has intervals."""
        return {"bootstrap": self.bootstrap, "seed": self.seed}


def run_reconstruction(task: Task, *, data_range: float | None = None) -> Result:
    """See `zoo.evaluation.reconstruction`."""
    subject = task.subject
    _require_own_examples(subject, "zoo.evaluation.reconstruction.scores")
    if subject.reconstruct is None and subject.decode is None:
        raise NotComputable(f"{subject.name} has no decoder; pass decode=")
    reconstructions = subject.reconstruct or _decoded(task)
    if task.condition is not None and callable(reconstructions):
        reconstructions = reconstructions(task.x, *task.given())
    scale = reconstruction.data_range_of(task.x) if data_range is None else data_range
    errors = reconstruction.per_example(task.x, reconstructions, data_range=scale)
    return reconstruction.scores(errors, data_range=scale, **task.random), errors


def run_density(
    task: Task,
    *,
    samples: int = 100,
    examples: int | str | None = "auto",
    prior_samples: int = 50_000,
    **options: Any,
) -> Result:
    """See `zoo.evaluation.density` and `zoo.evaluation.aggregate_posterior`.

    Args:
        task: what to evaluate.
        samples: draws of q(z|x) an example, for the bounds.
        examples: the bounds take so many random examples, None all, since each is decoded
            ``samples`` times. "auto" is 2,000, and all where details are wanted. In the details the
            bounds of an example that was not taken are NaN.
        prior_samples: draws of the prior for the aggregate posterior.
        **options: of `zoo.evaluation.aggregate_posterior.scores`.

    Returns:
        The scores by name, and the bounds of each example with the rows that they are of.

    Raises:
        NotComputable: for a subject without a posterior and a prior, and what the bounds refuse.
    """
    model, sample_prior = task.subject.model, task.subject.sample_prior
    if task.condition is not None:
        raise NotComputable("the bounds of a model with a condition are not measured here")
    if model is None:
        raise NotComputable(f"{task.subject.name} has no posterior and prior")
    if sample_prior is None:
        raise NotComputable("the model has no prior")
    try:
        _require_own_examples(task.subject, "the terms of model.evaluate(x, y)")
        rows = _taken(len(task.x), examples, task)
        bounds = density.per_example(model, task.x[rows], samples=samples, seed=task.seed)
        scores = density.scores(bounds, **task.random)
        details = {name: _in_order(values, rows, len(task.x)) for name, values in bounds.items()}
    except NotComputable as reason:
        task.skipped["density: bounds"] = str(reason)
        scores, details = {}, {}
    draws = density.posterior_samples(model, task.x, seed=task.seed)
    draws = task.codes if draws is None else draws
    prior = sample_prior(prior_samples, task.seed)
    return {**scores, **aggregate.scores(task.codes, draws, prior, **options)}, details


def run_sparsity(task: Task, **options: Any) -> Result:
    """See `zoo.evaluation.sparsity`."""
    if task.codes.shape[1] < 2:
        raise NotComputable("a code of one unit has no sparsity")
    scores = sparsity.scores(task.codes, **task.random, **options)
    return scores, {"unit_pictures": _unit_pictures(task)} if task.details else {}


def run_dictionary(
    task: Task,
    *,
    features: Any = None,
    active: Any = None,
    top: int = 8,
    rare: float = dictionary.RARE,
    other: Any = None,
    network: Any = None,
    layer: str = "",
    inputs: Any = None,
    loss: Any = None,
) -> Result:
    """See `zoo.evaluation.dictionary` and `zoo.evaluation.splicing`.

    Args:
        task: what to evaluate.
        features: (m, d) true directions, where they are known.
        active: (n, m) which of them are on in each example.
        top: examples that are kept of each unit for the details.
        rare: a unit is rare that fires on fewer than this share of the examples.
        other: a model of the same data from another seed, to compare the atoms with.
        network: a Keras model, to measure what it loses where the dictionary stands in for a layer's output.
        layer: the name of that layer.
        inputs: (rows, ...) of the network.
        loss: from the network's outputs for these rows to a number.

    Returns:
        The scores by name; densities and top examples of the units.

    Raises:
        NotComputable: for a model whose decoder has no atoms, or that reconstructs something else than x.
        ValueError: for some of network, layer, inputs and loss without the others.
    """
    model = task.subject.model
    spliced = {"network": network, "layer": layer or None, "inputs": inputs, "loss": loss}
    missing = [name for name, value in spliced.items() if value is None]
    if 0 < len(missing) < len(spliced):
        raise ValueError(
            "The loss recovered needs network, layer, inputs and loss; received none for "
            f"{', '.join(missing)}. Give all four, or none of them."
        )
    _require_own_examples(task.subject, "zoo.evaluation.dictionary.tally(model, x, y)")
    if not dictionary.has_atoms(model):
        raise NotComputable(f"{task.subject.name} has no dictionary of atoms")
    found = dictionary.tally(model, task.x, top=top)
    scores = found.scores(**task.random, rare=rare)
    if features is not None and active is not None:
        scores |= dictionary.against_features(model, task.x, features, active, **task.random)
    if other is not None:
        scores["agreement"] = dictionary.agreement(model, other)
    if not missing:
        scores["loss_recovered"] = attach(network, layer, model).loss_recovered(inputs, loss)
    if task.labels is not None:
        codes, labels = dictionary.encode_csr(model, task.x), as_labels(task.labels, len(task.x))
        try:
            for k in (1, 5):
                probe = dictionary.k_sparse_probe(codes, labels, k, seed=task.seed)
                scores[f"probe_of_{k}"] = probe
            atoms = np.asarray(model.decoder.atoms)
            scores["absorption"] = dictionary.class_absorption(task.x, codes, atoms, labels)
        except NotComputable as reason:
            task.skipped["dictionary: probes"] = str(reason)
    details = {
        "density": found.density,
        "top_examples": found.top_rows,
        "top_codes": found.top_values,
    }
    return scores, details


def run_probing(task: Task, **options: Any) -> Result:
    """See `zoo.evaluation.probing`."""
    _require(task.labels, "labels")
    train: tuple[Any, ...] = ()
    if task.x_train is not None and task.labels_train is not None:
        train = _training_codes(task, options.get("max_train", 10_000))
    return probing.scores(task.codes, task.labels, *train, **task.random, **options), {}


def run_clustering(task: Task, **options: Any) -> Result:
    """See `zoo.evaluation.clustering`."""
    _require(task.labels, "labels")
    found = task.subject.cluster
    own = {} if found is None else {"model": found(task.x, *task.given())}
    scores = clustering.scores(task.codes, task.labels, clusters=own, **task.random, **options)
    return scores, own


def run_disentanglement(task: Task, **options: Any) -> Result:
    """See `zoo.evaluation.disentanglement`."""
    _require(task.factors, "factors")
    scores = disentangled.scores(task.codes, task.factors, **task.random, **options)
    if not task.details:
        return scores, {}
    factors = as_factors(task.factors, len(task.codes), options.get("factor_bins"))
    return scores, {"mutual_information": mutual_information(discretise(task.codes), factors)}


def run_generation(
    task: Task, *, features: Any = None, samples: int = 5000, neighbours: int = 3
) -> Result:
    """See `zoo.evaluation.generation`.

    Args:
        task: what to evaluate.
        features: a function from examples to features (n, d), or a Keras model, which are given bytes
            divided by 255 as generated examples come, or `zoo.evaluation.features.pixels`; by default
            `zoo.evaluation.features.reference_features` of the training set, which are the same
            whatever the seed of the evaluation.
        samples: how many examples to generate, and to compare with.
        neighbours: of the precision and recall.

    Returns:
        The scores by name, and the generated examples.

    Raises:
        NotComputable: for a subject that cannot generate, or features that cannot be had.
    """
    if task.subject.generate is None:
        raise NotComputable(f"{task.subject.name} cannot generate")
    if features is None:
        if task.x_train is None or task.labels_train is None:
            raise NotComputable(
                "the default features need x_train and labels_train; or name your own with "
                "settings={'generation': {'features': ...}}"
            )
        features = reference_features(task.x_train, task.labels_train)
    rows = np.random.default_rng(task.seed).permutation(len(task.x))[:samples]
    x = task.x[rows]
    describe = _of_unit_floats(subject_of(features, x).encode)
    generated = task.subject.generate(len(x), task.seed, *task.given(rows))
    found = describe(generated)
    train = None if task.x_train is None else describe(task.x_train)
    scores = generation.scores(describe(x), found, train, neighbours=neighbours)
    details = {"generated": generated}
    if task.details and train is not None:
        details["nearest_training_examples"] = generation.nearest(found, train)[0][:, 0]
    return scores, details


@dataclass(frozen=True)
class Group:
    """A group of metrics.

    Args:
        run: from a `Task` and options to scores and details.
        delegates: functions whose keyword arguments ``run`` passes on.
    """

    run: Callable[..., Result]
    delegates: tuple[Callable, ...] = field(default=())

    def options(self) -> list[str]:
        """The names that ``settings`` may hold for this group."""
        found = set()
        for function in (self.run, *self.delegates):
            parameters = inspect.signature(function).parameters.values()
            found |= {p.name for p in parameters if p.kind == p.KEYWORD_ONLY}
        return sorted(found - {"bootstrap", "seed", "clusters"})


GROUPS = {
    "reconstruction": Group(run_reconstruction),
    "density": Group(run_density, (aggregate.scores,)),
    "sparsity": Group(run_sparsity, (sparsity.scores,)),
    "dictionary": Group(run_dictionary),
    "probing": Group(run_probing, (probing.scores,)),
    "clustering": Group(run_clustering, (clustering.scores,)),
    "disentanglement": Group(run_disentanglement, (disentangled.scores,)),
    "generation": Group(run_generation),
}


def _require(value: Any, name: str) -> None:
    if value is None:
        raise NotComputable(f"needs {name}")


def _require_own_examples(subject: Subject, instead: str) -> None:
    if subject.reconstructs_y:
        raise NotComputable(f"the model reconstructs y, which is not here: see {instead}")


def _taken(n: int, examples: int | str | None, task: Task) -> np.ndarray:
    """The rows of n that the bounds take, in their order."""
    if examples == "auto":
        examples = None if task.details else _BOUNDED
    return np.sort(np.random.default_rng(task.seed).permutation(n)[:examples])


def _in_order(values: np.ndarray, rows: np.ndarray, n: int) -> np.ndarray:
    """Values of some rows as values of all n: each at its own place, NaN at the others."""
    whole = np.full(n, np.nan)
    whole[rows] = values
    return whole


def _of_unit_floats(describe: Callable[..., np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    """A function of examples given bytes as pixels in [0, 1], which generated examples are."""

    def described(x: np.ndarray) -> np.ndarray:
        if x.dtype != np.uint8:
            return describe(x)
        parts = [describe(as_unit_floats(x[rows])) for rows in batches(len(x), 500)]
        return np.concatenate(parts)

    return described


def _of_codes(task: Task) -> Callable[[np.ndarray], np.ndarray]:
    """The decoder of codes as rows, (n, units), also where the model's have places."""
    decode: Any = task.subject.decode
    shape = getattr(task.subject.model, "code_shape", None)
    return decode if shape is None else lambda codes: decode(codes.reshape(-1, *shape))


def _decoded(task: Task) -> np.ndarray:
    decode = _of_codes(task)
    parts = [decode(task.codes[rows]) for rows in batches(len(task.x), 500)]
    return np.concatenate([np.asarray(part) for part in parts])


def _training_codes(task: Task, limit: int | None) -> tuple[np.ndarray, np.ndarray]:
    rows = np.random.default_rng(task.seed).permutation(len(task.x_train))[:limit]
    given = task.given(rows, train=True)
    codes = as_codes(task.subject.encode(task.x_train[rows], *given), 1)
    return codes, np.asarray(task.labels_train)[rows]


def _unit_pictures(task: Task) -> np.ndarray:
    """Decoded 3 standard deviations from the mean code, or, without a decoder, from the inputs."""
    if task.subject.decode is None:
        return sparsity.mean_active_inputs(task.x, task.codes)
    centre, spread = task.codes.mean(axis=0), task.codes.std(axis=0)
    return sparsity.decoded_units(_of_codes(task), len(spread), 3 * spread, centre)
