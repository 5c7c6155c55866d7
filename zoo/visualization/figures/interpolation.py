"""Interpolation between the codes of two examples, within and between classes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from zoo.values import positive_int, whole_number
from zoo.visualization.drawing.inputs import as_codes, as_labels, class_name, decoder_of
from zoo.visualization.drawing.mosaics import Limits
from zoo.visualization.drawing.rows import draw_walks
from zoo.visualization.drawing.style import literal, styled


def interpolation_codes(first: Any, second: Any, steps: int = 9) -> np.ndarray:
    """Codes on the straight line between two: z_1 + t (z_2 - z_1), t = 0 ... 1 (InfoAE, figure 2).

    Args:
        first: (k, units), where the lines start.
        second: (k, units), where they end.
        steps: codes on each line, the ends included; at least 2.

    Returns:
        (k, steps, units).

    Raises:
        ValueError: for unequal shapes, or fewer than 2 steps.

    Example:
        >>> first, second = np.array([[0.0, 0.0]]), np.array([[1.0, 2.0]])
        >>> zoo.visualization.interpolation_codes(first, second, steps=3).tolist()
        [[[0.0, 0.0], [0.5, 1.0], [1.0, 2.0]]]
    """
    start, end = as_codes(first, "first"), as_codes(second, "second")
    if start.shape != end.shape:
        raise ValueError(
            f"first and second need one shape; received {start.shape} and {end.shape}."
        )
    steps = whole_number(steps, "steps", 2)  # the two ends
    t = np.linspace(0, 1, steps)[None, :, None]
    return start[:, None] + t * (end - start)[:, None]


def choose_pairs(labels: np.ndarray | None, count: int, pairs: int, seed: int = 0) -> np.ndarray:
    """Pairs of examples to interpolate between.

    Args:
        labels: (count,), or None.
        count: number of examples, at least 2.
        pairs: how many pairs of each kind.
        seed: of the choice.

    Returns:
        (k, 2) indices. With labels the first pairs are each of one class, the following of two; a
        kind that the labels do not allow is left out. Without labels, `pairs` pairs of any two
        examples.

    Raises:
        ValueError: for fewer than 2 examples.
    """
    if count < 2:
        raise ValueError(f"Interpolation needs at least 2 examples; received {count}.")
    order = np.random.default_rng(seed).permutation(count)
    if labels is None:
        chosen = order[: 2 * min(pairs, count // 2)]
        return chosen.reshape(-1, 2)
    groups = [order[labels[order] == value] for value in np.unique(labels)]
    within = [group[:2] for group in groups if len(group) > 1][:pairs]
    between = [(a[-1], b[-1]) for a, b in itertools.pairwise(groups)][:pairs]
    return np.array([*within, *between])


@styled
def interpolations(
    model: Any,
    codes: Any,
    labels: Any = None,
    pairs: int = 4,
    steps: int = 9,
    seed: int = 0,
    limits: Limits = None,
    names: Sequence[str] | None = None,
) -> Figure:
    """Decoded codes on the lines between examples.

    Args:
        model: a model with `decode`, or a function from codes to examples.
        codes: (n, units), codes of data, n at least 2.
        labels: (n,), classes: then `pairs` lines within and `pairs` lines between classes. Optional.
        pairs: lines of each kind.
        steps: pictures on a line, the ends included.
        seed: of the choice of pairs.
        limits: values of black and white; by default those of `value_range` of what is decoded.
        names: the name of each label, where labels are 0, 1, ... Optional.

    Returns:
        A figure with 1 axes for pictures, one a line otherwise.

    Raises:
        ValueError: for fewer than 2 codes or steps, or labels that do not match.

    Example:
        >>> model = zoo.create("vae", (8, 8, 1), latents=2, hidden=(4,))
        >>> codes = np.random.default_rng(0).normal(size=(20, 2))
        >>> figure = zoo.visualization.interpolations(model, codes, labels=np.arange(20) % 2, pairs=2)
        >>> len(figure.axes)
        1
    """
    z = as_codes(codes)
    classes = as_labels(labels, len(z))
    chosen = choose_pairs(classes, len(z), positive_int(pairs, "pairs"), seed)
    lines = interpolation_codes(z[chosen[:, 0]], z[chosen[:, 1]], steps)
    decoded = decoder_of(model)(lines.reshape(-1, z.shape[1]))
    if classes is None:
        rows = [f"{a} to {b}" for a, b in chosen]
    else:
        ends = [[literal(class_name(classes[end], names)) for end in pair] for pair in chosen]
        rows = [f"{first} to {last}" for first, last in ends]
    decoded = decoded.reshape(len(chosen), steps, *decoded.shape[1:])
    ticks = [f"{t:.2g}" for t in np.linspace(0, 1, steps)]
    figure = draw_walks(
        decoded, rows, ticks, "share of the way from the first to the second code", limits
    )
    kinds = "between examples" if classes is None else "within and between classes"
    figure.suptitle(f"Interpolation {kinds}, on straight lines in the code", x=0.01, ha="left")
    return figure
