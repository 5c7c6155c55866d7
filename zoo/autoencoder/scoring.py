"""How well each row fits a model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from zoo.noise import Noise
from zoo.registry import one_of
from zoo.serialization import whole_number
from zoo.trainer.refusals import plain_errors

if TYPE_CHECKING:
    from zoo.autoencoder.autoencoder import Autoencoder

WAYS = ("bound", "probability", "error")
# Odd, so that no two seeds meet where int64 wraps around, and large: 2^64 over the golden ratio.
_APART = 0x9E3779B97F4A7C15 - (1 << 64)


def scores(
    model: Autoencoder,
    x: Any,
    by: str,
    samples: int,
    condition: Any,
    batch_size: int,
    seed: int,
) -> np.ndarray:
    """See `Autoencoder.score`."""
    one_of(by, "score", WAYS)
    samples, seed = whole_number(samples, "samples", 1), whole_number(seed, "seed")
    drawn = model.example_posterior() is not None
    if by == "bound" and not (drawn and model.prior_distribution() is not None):
        raise ValueError(
            "by='bound' needs a stochastic bottleneck and a prior that has a density; this model has not "
            "both. Take by='error', or by='probability'."
        )
    if by != "error" and not model.likelihood.has_density:
        raise ValueError(
            f"by={by!r} needs a likelihood that is a density, which "
            f"{type(model.likelihood).zoo_name!r} is not. Take by='error'."
        )
    if model.target_shape is not None:
        raise ValueError("score is of models that reconstruct x; this one reconstructs a target.")
    model._refresh()
    found = []
    with plain_errors():
        for first, batch in _with_first(model._batches(x, batch_size, condition)):
            if by == "error":
                found.append(_errors(model)(*batch).numpy())
                continue
            terms = _terms(model, by)
            bottleneck = model.bottleneck
            wanted = samples if drawn or bottleneck.weighed else 1
            # Which draw several each, or one of all their draws together.
            rounds = -(-wanted // (1 if bottleneck.weighed else bottleneck.samples))
            each = [terms(tf.constant([seed, first, k], tf.int64), *batch) for k in range(rounds)]
            values = np.concatenate(each, axis=1, dtype=np.float64)[:, :wanted]
            found.append(_joined(values, by))
    return np.concatenate(found).astype(np.float64)


def _joined(values: np.ndarray, by: str) -> np.ndarray:
    """(rows, draws) -> (rows,)."""
    from scipy.special import logsumexp

    if by == "probability":
        return values.mean(axis=1)
    return logsumexp(values, axis=1) - np.log(values.shape[1])


def _with_first(batches: Iterator[Any]) -> Iterator[tuple[int, Any]]:
    first = 0
    for batch in batches:
        yield first, tf.nest.map_structure(tf.convert_to_tensor, batch)
        first += len(batch[0])


def _errors(model: Autoencoder) -> Callable[..., Any]:
    def errors(x: tf.Tensor, *condition: Any) -> tf.Tensor:
        batch = model.intake.floats({"x": x})
        output = model((x, *condition) if condition else x, training=False)
        squares = tf.square(batch.x - output)
        squares = squares if batch.mask is None else squares * batch.mask
        return -tf.reduce_sum(squares, axis=list(range(1, len(squares.shape))))

    return _kept(model, "score_error", errors)


def _terms(model: Autoencoder, by: str) -> Callable[..., Any]:
    def terms(place: tf.Tensor, x: tf.Tensor, *condition: Any) -> tf.Tensor:
        fields = {"x": x, **({"condition": condition[0]} if condition else {})}
        batch = model.intake.floats(fields)
        batch = batch._replace(x=model.standardized(batch.x, batch.mask))
        features = model._features(model.seen(batch.x, batch.mask), batch.condition, False)
        # Of seed, round and first row of the batch.
        noise = Noise(0, place[0] * _APART + place[2] * (1 << 32) + place[1]).fold("score")
        code = model.bottleneck.draw(features, noise, model.step.value, False)
        rows = batch.repeated(model.bottleneck.samples)
        decoded = model._decoded(code.value, rows.condition, False)
        elements = -model.likelihood.elementwise(tf.cast(decoded, tf.float32), rows.x)
        elements = elements if rows.mask is None else elements * rows.mask
        found = tf.reduce_sum(elements, axis=list(range(1, len(elements.shape))))
        if by == "bound":
            posterior: Any = code.posterior
            prior: Any = model.prior_distribution(rows.condition)
            found += prior.log_prob(code.value) - posterior.log_prob(code.value)
        found = tf.reshape(found, (-1, model.bottleneck.samples))
        if model.bottleneck.weighed:
            chances = tf.exp(code.notes["log_chances"])
            found = tf.reduce_sum(chances * found, axis=1, keepdims=True)
        return found

    return _kept(model, f"score_{by}", terms)


def _kept(model: Autoencoder, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    return model.traces.kept(
        name, lambda: tf.function(function, reduce_retracing=True, autograph=False)
    )
