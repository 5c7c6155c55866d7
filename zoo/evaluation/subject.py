"""What is evaluated: a model of the zoo, any other encoder, or codes, brought to one form."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data.pixels import as_unit_floats
from zoo.evaluation.checks import NotComputable, as_codes, batches

# Of rows, and of their condition where the model declares one.
Function = Callable[..., np.ndarray]


@dataclass(frozen=True)
class Subject:
    """What the groups of metrics may ask for; None where there is no such thing.

    Args:
        name: for the table's head.
        encode: from examples (n, ...) to codes (n, units).
        decode: from codes to examples.
        reconstruct: from examples to examples.
        generate: from a number and a seed to new examples.
        cluster: from examples to clusters (n,).
        sample_prior: from a number and a seed to codes (n, units).
        model: has ``posterior``, ``conditional`` and ``prior_distribution``.
        reconstructs_y: whether what it reconstructs is not x.
    """

    name: str
    encode: Function
    decode: Function | None = None
    reconstruct: Function | None = None
    generate: Callable[..., np.ndarray] | None = None
    cluster: Function | None = None
    sample_prior: Callable[[int, int], np.ndarray] | None = None
    model: Any = None
    reconstructs_y: bool = False

    def with_decoder(self, decode: Function | None) -> Subject:
        """The same with a decoder, where it has none of its own."""
        return self if decode is None or self.decode else replace(self, decode=decode)


def subject_of(model_or_codes: Any, x: np.ndarray, batch_size: int = 500) -> Subject:
    """The subject that a user's argument stands for.

    Args:
        model_or_codes: a model with ``encode`` (as an `Autoencoder`), a Keras model, a function from
            a batch of examples to codes, the path of a SavedModel folder with an ``encode`` endpoint
            or of a ``.keras`` file, or the codes of x as an array.
        x: the examples, (n, ...).
        batch_size: examples that a function, Keras model or SavedModel is given at a time.

    Returns:
        A `Subject`.

    Raises:
        ValueError: for anything else, or codes that do not match x.

    Example:
        >>> from zoo.evaluation.subject import subject_of
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> subject = subject_of(zoo.create("vae", (6,), latents=2, hidden=(4,)), x)
        >>> subject.encode(x).shape, subject.generate(3, 0).shape
        ((20, 2), (3, 6))
        >>> subject_of(lambda batch: batch[:, :2], x).decode is None
        True
    """
    if isinstance(model_or_codes, str | os.PathLike):
        return _saved(Path(model_or_codes), x, batch_size)
    if callable(getattr(model_or_codes, "encode", None)):
        return _autoencoder(model_or_codes)
    if callable(getattr(model_or_codes, "predict_on_batch", None)):
        encode = _in_batches(model_or_codes.predict_on_batch, batch_size)
        return Subject(f"the Keras model {model_or_codes.name!r}", encode)
    if callable(model_or_codes):
        name = getattr(model_or_codes, "__name__", type(model_or_codes).__name__)
        function: Any = model_or_codes
        return Subject(f"the function {name}", _in_batches(function, batch_size))
    return _codes(model_or_codes, x)


def _autoencoder(model: Any) -> Subject:
    densities = ("posterior", "conditional", "prior_distribution")
    name = f"the model {getattr(model, 'name', type(model).__name__)!r}"
    if needs_condition(model):
        return _conditional(model, name)
    return Subject(
        name=name,
        encode=lambda x: np.asarray(model.encode(x)),
        decode=getattr(model, "decode", None),
        reconstruct=getattr(model, "reconstruct", None),
        generate=_generator(model),
        sample_prior=_prior_sampler(model),
        cluster=_clusterer(model),
        model=model if all(hasattr(model, name) for name in densities) else None,
        reconstructs_y=getattr(model, "target_shape", None) is not None,
    )


def needs_condition(model: Any) -> bool:
    """Whether a model can do nothing without the condition that it declares."""
    declared = getattr(getattr(model, "intake", None), "condition", None)
    return declared is not None and not model.bottleneck.infers_condition


def condition_of(model: Any, condition: Any, rows: int, name: str = "condition") -> Any:
    """The condition of so many rows, checked; None for a model that needs none.

    Args:
        model: anything.
        condition: one for each row, or None.
        rows: how many there must be.
        name: what an error calls it.

    Returns:
        Arrays in the form that the model declares, or None.

    Raises:
        ValueError: where the model needs one and there is none, or another.

    Example:
        >>> from zoo.evaluation.subject import condition_of
        >>> model = zoo.create("conditional_vae", (6,), condition=3, latents=2, hidden=(4,))
        >>> condition_of(model, [2, 0], rows=2).tolist()
        [2, 0]
    """
    if not needs_condition(model):
        return None
    if condition is None:
        raise ValueError(
            f"The model declares a condition. Pass {name}=..., one for each row; labels serve where they are "
            "it."
        )
    return model.intake.condition.arrays(condition, rows, name)


def of_rows(condition: Any, rows: Any) -> Any:
    """Some rows of a condition, an array or a dict of arrays.

    Args:
        condition: (n, ...) arrays.
        rows: a slice or an array of indices.

    Returns:
        The condition of these rows.

    Example:
        >>> from zoo.evaluation.subject import of_rows
        >>> of_rows({"kind": np.array([0, 1, 2])}, slice(2))["kind"].tolist()
        [0, 1]
    """
    if isinstance(condition, Mapping):
        return {name: value[rows] for name, value in condition.items()}
    return condition[rows]


def _conditional(model: Any, name: str) -> Subject:
    """A model whose functions are given the condition of the rows behind them."""
    able = model.prior is not None
    clusters = _clusterer(model) is not None
    return Subject(
        name=name,
        encode=lambda x, condition: model.encode(x, condition=condition),
        reconstruct=lambda x, condition: model.reconstruct(x, condition=condition),
        generate=(lambda n, seed, condition: model.generate(n, seed=seed, condition=condition))
        if able
        else None,
        cluster=(lambda x, condition: model.cluster(x, condition=condition)) if clusters else None,
        reconstructs_y=model.target_shape is not None,
    )


def _generator(model: Any) -> Callable[[int, int], np.ndarray] | None:
    # Models of the zoo without a prior have the method and refuse.
    if not hasattr(model, "generate") or getattr(model, "prior", True) is None:
        return None
    return lambda n, seed: np.asarray(model.generate(n, seed=seed))


def _prior_sampler(model: Any) -> Callable[[int, int], np.ndarray] | None:
    if hasattr(model, "sample_prior"):  # also where the prior is a network without a density
        if getattr(model, "prior", True) is None:
            return None
        return lambda n, seed: np.asarray(model.sample_prior(n, seed))
    prior = getattr(model, "prior_distribution", lambda: None)()
    return None if prior is None else lambda n, seed: prior.sample(n, seed=[seed, 0]).numpy()


def _clusterer(model: Any) -> Function | None:
    try:
        # Models of the zoo have `cluster` even without a classifier, and refuse in this property.
        getattr(model, "classifier", None)
    except ValueError:
        return None
    return getattr(model, "cluster", None)


def _codes(codes: Any, x: np.ndarray) -> Subject:
    try:
        codes = as_codes(codes, 1)
    except NotComputable as reason:
        raise ValueError(f"The array of codes {reason}.") from reason
    if len(codes) != len(x):
        raise ValueError(f"Codes must match the {len(x)} examples of x; received {len(codes)}.")

    def encode(examples: np.ndarray) -> np.ndarray:
        if examples is not x:
            raise NotComputable("an array of codes cannot encode further examples")
        return codes

    return Subject("an array of codes", encode)


def opened(model: Any) -> Any:
    """The model of a .keras file; anything else as it is."""
    if not isinstance(model, str | os.PathLike) or Path(model).suffix != ".keras":
        return model
    import keras

    import zoo.autoencoder  # noqa: F401, so that Keras knows the classes of the zoo

    return keras.saving.load_model(model)


def _saved(path: Path, x: np.ndarray, batch_size: int) -> Subject:
    if path.suffix == ".keras":
        return subject_of(opened(path), x, batch_size)
    if not (path / "saved_model.pb").is_file():
        raise ValueError(f"Expected a SavedModel folder or a .keras file; received {path}.")
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))
    encode = _endpoint(loaded, "encode")
    if encode is None:
        known = ", ".join(sorted(loaded.signatures)) or "none"
        raise ValueError(f"The SavedModel {path} needs an endpoint 'encode'; it has: {known}.")
    decode, reconstruct = _endpoint(loaded, "decode"), _endpoint(loaded, "reconstruct")
    subject = Subject(f"the SavedModel {path.name!r}", _in_batches(encode, batch_size))
    if decode is not None:
        subject = subject.with_decoder(_in_batches(decode, batch_size))
    if reconstruct is not None:
        subject = replace(subject, reconstruct=_in_batches(reconstruct, batch_size))
    generate = _endpoint(loaded, "generate")
    if generate is not None:
        subject = replace(subject, generate=lambda n, seed: np.asarray(generate(n, seed)))
    return subject


def _endpoint(loaded: Any, name: str) -> Callable | None:
    """An endpoint as a function of arrays and numbers, which keeps the loaded object alive."""
    if callable(getattr(loaded, name, None)):
        return lambda *values: getattr(loaded, name)(*map(_endpoint_input, values))
    if name not in loaded.signatures:
        return None

    def call(*values: Any) -> Any:
        signature = loaded.signatures[name]
        keys = signature.structured_input_signature[1]
        outputs = signature(**dict(zip(keys, map(_endpoint_input, values), strict=True)))
        if len(outputs) != 1:
            raise ValueError(
                f"The endpoint {name!r} must return one tensor; it returns {sorted(outputs)}."
            )
        return next(iter(outputs.values()))

    return call


def _endpoint_input(value: Any) -> Any:
    import tensorflow as tf

    return tf.constant(as_unit_floats(value) if isinstance(value, np.ndarray) else value)


def _in_batches(function: Function, size: int) -> Function:
    def call(x: np.ndarray) -> np.ndarray:
        parts = []
        for rows in batches(len(x), size):
            part = np.asarray(function(x[rows]))
            expected = rows.stop - rows.start
            if part.ndim == 0 or len(part) != expected:
                raise ValueError(
                    f"An encoder must return one code for each of the {expected} examples of a "
                    f"batch; received shape {part.shape}."
                )
            parts.append(part)
        return np.concatenate(parts)

    return call
