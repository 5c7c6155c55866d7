"""Traversals: one unit of a code moves, the others stand still."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from zoo.values import positive_int
from zoo.visualization.drawing.inputs import as_codes, decoder_of
from zoo.visualization.drawing.mosaics import Limits
from zoo.visualization.drawing.quantiles import central, quantiles
from zoo.visualization.drawing.rows import draw_walks
from zoo.visualization.drawing.style import styled
from zoo.visualization.drawing.units import choose_units


def traversal_codes(base: Any, units: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Codes in which one unit takes each of its values.

    Args:
        base: (length,), the values of the units that stand still.
        units: (k,), the units that move, one after the other.
        values: (k, steps), what they take.

    Returns:
        (k, steps, length).

    Example:
        >>> base, units = np.array([9.0, 9.0]), np.array([1])
        >>> zoo.visualization.traversal_codes(base, units, values=np.array([[-1.0, 0.0, 1.0]])).tolist()
        [[[9.0, -1.0], [9.0, 0.0], [9.0, 1.0]]]
    """
    base = as_codes(base, "base")[:, 0]
    codes = np.tile(base, (*values.shape, 1))
    codes[
        np.arange(len(units))[:, None], np.arange(values.shape[1]), np.asarray(units)[:, None]
    ] = values
    return codes


def prior_traversals(
    model: Any,
    prior: Any,
    length: int,
    units: Any = None,
    steps: int = 9,
    coverage: float = 0.95,
    codes: Any = None,
    limit: int = 10,
    limits: Limits = None,
) -> Figure:
    """Each unit through the quantiles of the prior, the others at its median.

    Args:
        model: a model with `decode`, or a function from codes to examples.
        prior: anything that `quantiles` reads: a TFP or SciPy distribution, or codes.
        length: number of units of the code.
        units: indices of those to move; by default the leading ones of `codes`, or the first.
        steps: pictures a unit.
        coverage: part of the prior that is walked through, in equal steps of probability.
        codes: (n, length), codes of data; they only choose the units. Optional.
        limit: units to show at most where none are named.
        limits: values of black and white; by default those of `value_range` of what is decoded.

    Returns:
        A figure; see `traversals`.

    Raises:
        ValueError: for units that are not there, or a prior of another length.

    Example:
        >>> model = zoo.create("vae", (8, 8, 1), latents=2, hidden=(4,))
        >>> figure = zoo.visualization.prior_traversals(model, model.prior_distribution(), length=2)
        >>> len(figure.axes)
        1
    """
    seen = None if codes is None else as_codes(codes)
    chosen = choose_units(units, length, limit, seen)
    probabilities = central(positive_int(steps, "steps"), coverage)
    values = quantiles(prior, probabilities, length)[:, chosen].T
    base = quantiles(prior, np.array([0.5]), length)[0]
    return traversals(
        model,
        base,
        chosen,
        values,
        "Each unit through the prior, the others at its median",
        probabilities,
        limits,
    )


def posterior_traversals(
    model: Any,
    codes: Any,
    base: Any = None,
    units: Any = None,
    steps: int = 9,
    coverage: float = 0.95,
    limit: int = 10,
    limits: Limits = None,
) -> Figure:
    """Each unit through the quantiles that it has over data: the aggregate posterior.

    This shows what a unit does where the decoder was trained, also for models without a prior.

    Args:
        model: a model with `decode`, or a function from codes to examples.
        codes: (n, length), codes of data, as ``model.encode(x)``.
        base: (length,), the code of the units that stand still; by default the median code.
        units: indices of those to move; by default the leading ones.
        steps: pictures a unit.
        coverage: part of the codes that is walked through, in equal steps of probability.
        limit: units to show at most where none are named.
        limits: values of black and white; by default those of `value_range` of what is decoded.

    Returns:
        A figure; see `traversals`.

    Raises:
        ValueError: for units that are not there, or codes that are not finite.

    Example:
        >>> model = zoo.create("vae", (8, 8, 1), latents=2, hidden=(4,))
        >>> codes = np.random.default_rng(0).normal(size=(50, 2))
        >>> figure = zoo.visualization.posterior_traversals(model, codes, units=[1])
        >>> len(figure.axes)
        1
    """
    z = as_codes(codes)
    chosen = choose_units(units, z.shape[1], limit, z)
    probabilities = central(positive_int(steps, "steps"), coverage)
    # A sparse unit is 0 for most data, so that its quantiles do not move: equal steps then.
    values = np.quantile(z[:, chosen], probabilities, axis=0).T
    still = (values == np.median(values, axis=1, keepdims=True)).mean(axis=1) > 0.5
    ends = np.stack([z[:, chosen].min(axis=0), z[:, chosen].max(axis=0)])[:, still]
    values[still] = np.linspace(ends[0], ends[1], len(probabilities)).T
    origin = np.median(z, axis=0) if base is None else base
    place = "the median code" if base is None else "a given code"
    return traversals(
        model,
        origin,
        chosen,
        values,
        f"Each unit through its values over the data, the others at {place}",
        None if still.any() else probabilities,
        limits,
    )


@styled
def traversals(
    model: Any,
    base: Any,
    units: np.ndarray,
    values: np.ndarray,
    title: str = "Traversals",
    probabilities: np.ndarray | None = None,
    limits: Limits = None,
) -> Figure:
    """Decoded traversals through given values.

    Pictures: a row for each unit, a column for each step. Points of a plane: a path for each unit.
    Other vectors: a panel for each unit, a line for each step, dark for the first.

    Args:
        model: a model with `decode`, or a function from codes to examples.
        base: (length,), the code of the units that stand still.
        units: (k,) indices.
        values: (k, steps), the values of each unit.
        title: above the figure.
        probabilities: (steps,), shown below the columns as the quantiles that these values are.
        limits: values of black and white; by default those of `value_range` of what is decoded.

    Returns:
        A figure with 1 axes for pictures, one a unit otherwise.

    Raises:
        ValueError: for a decoder that does not answer with one example a code.

    Example:
        >>> model = zoo.create("vae", (8, 8, 1), latents=2, hidden=(4,))
        >>> figure = zoo.visualization.traversals(
        ...     model, base=np.zeros(2), units=np.array([0]), values=np.array([[-2.0, 0.0, 2.0]])
        ... )
        >>> len(figure.axes)
        1
    """
    values = np.asarray(values, np.float64)
    codes = traversal_codes(base, units, values)
    decoded = decoder_of(model)(codes.reshape(-1, codes.shape[-1]))
    names = [
        f"unit {unit}\n{ends[0]:.2g} to {ends[-1]:.2g}"
        for unit, ends in zip(units, values, strict=True)
    ]
    if probabilities is None:
        steps, xlabel = None, "from the lowest to the highest value of the moving unit"
    else:
        steps = [f"{100 * p:.3g} %" for p in probabilities]
        xlabel = "quantile of the moving unit"
    figure = draw_walks(
        decoded.reshape(*values.shape, *decoded.shape[1:]), names, steps, xlabel, limits
    )
    figure.suptitle(title, x=0.01, ha="left")
    return figure
