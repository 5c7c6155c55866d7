"""Whether an export answers as the model does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from zoo.exporting.endpoints import Endpoint, as_dict, endpoints

if TYPE_CHECKING:
    from zoo.autoencoder import Autoencoder

TOLERANCE = 1e-5
QUANTIZED = 0.1  # of the largest number: more is no answer of the model
ROWS = 16
# A relative change of the inputs, some ten times what another order of summation does to the answers.
_NUDGE = 1e-6


def rows_to_compare(model: Autoencoder, check: Any) -> np.ndarray | None:
    """The rows that an export is compared on.

    Args:
        model: whose inputs they are.
        check: True for `ROWS` uniform ones on [0, 1), counts where the likelihood counts; an array of rows,
            or False.

    Returns:
        (rows, *event) float32, or None for no comparison.

    Raises:
        ValueError: for rows that do not fit the model.

    Example:
        >>> from zoo.exporting.parity import rows_to_compare
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,))
        >>> rows_to_compare(model, check=True).shape
        (16, 6)
    """
    if check is False or check is None:
        return None
    if check is True:
        rows = np.random.default_rng(0).random((ROWS, *model.event_shape), np.float32)
        return rows if model.target_shape is not None else model.likelihood.possible(rows)
    return model.intake.values(check, "check")


def compare(
    model: Autoencoder, exported: Mapping[str, Callable[..., Any]], rows: np.ndarray
) -> None:
    """Hold every exported function to the model's own answers.

    Args:
        model: what was exported.
        exported: name of an endpoint -> the function as it was loaded back.
        rows: (rows, *event) float32.

    Raises:
        ValueError: where an answer differs by more than `TOLERANCE`, or the model's is not finite.

    Example:
        >>> from zoo.exporting.parity import compare, rows_to_compare
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,))
        >>> rows = rows_to_compare(model, check=True)
        >>> compare(model, {"encode": model.encode}, rows)
        >>> compare(model, {"encode": lambda x: model.encode(x) + 1}, rows)
        Traceback (most recent call last):
            ...
        ValueError: The exported 'encode' disagrees with the model by up to ...
    """
    known = endpoints(model)
    for name, function in exported.items():
        compare_endpoint(name, known[name], function, arguments_of(model, known[name], rows))


def arguments_of(model: Autoencoder, endpoint: Endpoint, rows: np.ndarray) -> list[Any]:
    """What an endpoint of a model is asked with, for rows (rows, *event)."""
    condition = _condition(model, len(rows))
    given: dict[str | None, Any] = {"x": rows, "n": np.int32(len(rows)), "seed": np.int32(1)}
    own = endpoint.signature[: len(endpoint.signature) - len(condition)]
    if any(spec.name == "z" for spec in own):
        given["z"] = model.encode(rows, **({"condition": condition[0]} if condition else {}))
    return [*(given[spec.name] for spec in own), *condition]


def _condition(model: Autoencoder, rows: int) -> tuple[Any, ...]:
    """A condition of all rows, in a tuple; none where the model declares none."""
    declared = model.intake.condition
    if declared is None:
        return ()
    return (tf.nest.map_structure(lambda a: np.repeat(a, rows, axis=0), declared.example()),)


def compare_endpoint(
    name: str, endpoint: Endpoint, function: Callable[..., Any], arguments: list[np.ndarray]
) -> None:
    """Hold one exported function to the model's answers.

    Rows where the model itself gives another answer for nearly the same input, as where two units tie for
    the k-th place, are left out, as long as some other row agrees.

    Args:
        name: of the endpoint, for errors.
        endpoint: whose `answer` is the truth.
        function: the exported function.
        arguments: of both.

    Raises:
        ValueError: as in `compare`.
    """
    expected, received = as_dict(endpoint.answer(*arguments)), as_dict(function(*arguments))
    if not all(np.isfinite(value).all() for value in expected.values()):
        raise ValueError(
            f"The model's answers to {name!r} are not all finite numbers, so nothing was exported. Load "
            "the weights of a training that did not diverge."
        )
    distance = _distance(expected, received)
    wrong = distance > TOLERANCE
    if wrong.any() and arguments[0].ndim:
        wrong &= ~_jumps(endpoint, arguments, expected) | ~(distance <= TOLERANCE).any()
    if wrong.any():
        raise ValueError(
            f"The exported {name!r} disagrees with the model by up to {distance[wrong].max():.3g} in "
            f"{wrong.sum()} of {len(wrong)} rows; expected at most {TOLERANCE:g}. Nothing was exported."
        )


def said_of_errors(
    model: Autoencoder, exported: Mapping[str, Callable[..., Any]], rows: np.ndarray
) -> str:
    """How far the functions of a quantized export are from the model's answers; see `said_of_error`."""
    known = endpoints(model)
    return " ".join(
        said_of_error(name, known[name], function, arguments_of(model, known[name], rows))
        for name, function in exported.items()
    )


def said_of_error(
    name: str, endpoint: Endpoint, function: Callable[..., Any], arguments: list[np.ndarray]
) -> str:
    """How far one function of a quantized export is from the model's answers.

    Args:
        name: of the endpoint.
        endpoint: whose `answer` is the truth.
        function: the exported function.
        arguments: of both.

    Returns:
        A sentence with the root mean square and the largest difference of each output, in units of its
        largest number.

    Raises:
        ValueError: where an output differs by more than a tenth of its largest number (root mean square), or
            is not finite.
    """
    expected, received = as_dict(endpoint.answer(*arguments)), as_dict(function(*arguments))
    said = []
    for (key, value), found in zip(expected.items(), _in_order(expected, received), strict=True):
        largest = float(np.abs(value).max()) or 1.0
        difference = (found - value) / largest
        error, most = float(np.sqrt(np.mean(np.square(difference)))), np.abs(difference).max()
        if not error <= QUANTIZED:
            raise ValueError(
                f"With weights of 8 bits {key or name!r} is off by {error:.3g} of its largest number; "
                f"expected at most {QUANTIZED:g}. Nothing was exported: leave quantize out."
            )
        said.append(f"{key or name} by {error:.2g} (at most {most:.2g})")
    rows = len(arguments[0])
    return f"On {rows} rows they change {' and '.join(said)} of the largest number."


def _in_order(expected: dict[str, np.ndarray], received: dict[str, np.ndarray]) -> list[np.ndarray]:
    return [received[key] if key in received else next(iter(received.values())) for key in expected]


def _jumps(endpoint: Endpoint, arguments: list[Any], answers: dict[str, np.ndarray]) -> np.ndarray:
    """(rows,), True where the model's own answer to nearly the same row is another one."""
    generator = np.random.default_rng(0)
    inputs, *others = arguments
    jumps = np.zeros(len(inputs), bool)
    for _ in range(4):
        noise = generator.standard_normal(inputs.shape, np.float32)
        nudged = endpoint.answer(inputs * (1 + _NUDGE * noise), *others)
        jumps |= _distance(answers, as_dict(nudged)) > TOLERANCE
    return jumps


def _distance(expected: dict[str, np.ndarray], received: dict[str, np.ndarray]) -> np.ndarray:
    """(rows,), the largest difference of every row in units of its largest number, or of 1 if that is less.

    Infinite where names, shapes or finiteness differ.
    """
    rows = len(next(iter(expected.values())))
    if {key: value.shape for key, value in expected.items()} != {
        key: value.shape for key, value in received.items()
    }:
        return np.full(rows, np.inf)
    distances = []
    for key, value in expected.items():
        want, have = value.reshape(rows, -1), received[key].reshape(rows, -1)
        unit = np.maximum(np.abs(want).max(axis=1), 1)
        distance = np.abs(want - have).max(axis=1) / unit
        distances.append(np.where(np.isfinite(distance), distance, np.inf))
    return np.max(distances, axis=0)
