"""What a file of weights says beside them, so that no model that would misuse them loads them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from zoo.autoencoder.autoencoder import Autoencoder

# Beside the numbers by which Keras names weights.
_SCALE = "scale_of_bytes"
_PRIOR = "prior"


def write(model: Autoencoder, store: Any) -> None:
    """Keep what bytes are divided by, and the name of a prior that has weights."""
    divisors = _divisors(model)
    if any(divisor is not None for divisor in divisors.values()):
        store[_SCALE] = _packed({"scale": model.intake.kept_scale, "divisors": divisors})
    if _has_weights(model.prior):
        store[_PRIOR] = _packed(_name(model.prior))


def read(model: Autoencoder, store: Any) -> dict[str, Any]:
    """Check that the weights are for this model, and divide bytes as the model did whose they are.

    Args:
        model: whose weights are loaded.
        store: what `write` wrote to, by name.

    Returns:
        The rest: the weights.

    Raises:
        ValueError: where the model divides bytes by another number already, or its prior has no place for
            the weights of theirs, which Keras leaves out without a word.
    """
    weights = {name: store[name] for name in store.keys()}  # noqa: SIM118, no mapping
    prior, scale = weights.pop(_PRIOR, None), weights.pop(_SCALE, None)
    if prior is not None and not _has_weights(model.prior):
        _refuse_prior(model, _unpacked(prior))
    if scale is not None:
        _divide_bytes(model, _unpacked(scale))
    return weights


def _refuse_prior(model: Autoencoder, name: str) -> None:
    own = "none" if model.prior is None else f"the prior {_name(model.prior)!r}, without any"
    raise ValueError(
        f"These weights are of a model with the prior {name!r}, whose weights are among them, and this one "
        f"has {own}: it would generate otherwise. Create it with that prior; where `fit_prior` found it, "
        "save the model as .keras and read that by `zoo.load_model`."
    )


def _divide_bytes(model: Autoencoder, said: dict[str, Any]) -> None:
    before = _divisors(model)
    if all(divisor is None for divisor in before.values()):
        model.intake.give_scale(said["scale"])
    elif before != said["divisors"]:
        raise ValueError(
            f"These weights are of a model that divides bytes by {said['divisors']}, and this one divides "
            f"them by {before}. Create it with the same scale."
        )


def _divisors(model: Autoencoder) -> dict[str, float | None]:
    return {name: scale.divisor for name, scale in model.intake.scales.items()}


def _has_weights(prior: Any) -> bool:
    return prior is not None and bool(prior.weights)


def _name(prior: Any) -> str:
    return vars(type(prior)).get("zoo_name") or type(prior).__name__


def _packed(value: Any) -> np.ndarray:
    return np.frombuffer(json.dumps(value).encode(), np.uint8)


def _unpacked(stored: Any) -> Any:
    return json.loads(np.asarray(stored, np.uint8).tobytes())
