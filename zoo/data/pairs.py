"""Pairs of sprites that differ in few of their factors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from zoo.data.sprites import FACTOR_SIZES, indices_of, render
from zoo.values import positive_int


class Pairs(NamedTuple):
    """Pairs of pictures, for ``model.fit(pairs.x, pairs.partner)``.

    Attributes:
        x: (n, 64, 64, 1) uint8.
        partner: (n, 64, 64, 1) uint8, the second picture of each pair.
        factors: (n, 2, 5) int64, of both.
    """

    x: np.ndarray
    partner: np.ndarray
    factors: np.ndarray


def sprite_pairs(
    count: int, *, changed: int | None = None, seed: int = 0, antialias: bool = False
) -> Pairs:
    """Pairs of sprites of which some factors, any k of them, were drawn anew.

    Locatello et al., "Weakly-Supervised Disentanglement Without Compromises", 2020, section 5: k = 1, or k
    uniform on 1 .. d - 1 for each pair. A factor that is drawn anew takes another value than before.

    Args:
        count: of pairs.
        changed: k; None for a k of its own for each pair.
        seed: of the draws.
        antialias: as in `zoo.data.sprites.render`.

    Returns:
        The pairs.

    Raises:
        ValueError: for k above the number of factors.

    Example:
        >>> from zoo.data import sprite_pairs
        >>> pairs = sprite_pairs(5, changed=1)
        >>> pairs.x.shape, (pairs.factors[:, 0] != pairs.factors[:, 1]).sum(axis=1).tolist()
        ((5, 64, 64, 1), [1, 1, 1, 1, 1])
    """
    count, sizes = positive_int(count, "count"), np.array(FACTOR_SIZES)
    if changed is not None and positive_int(changed, "changed") > len(sizes):
        raise ValueError(f"Sprites have {len(sizes)} factors; received changed={changed}.")
    random = np.random.default_rng(seed)
    first = random.integers(0, sizes, (count, len(sizes)))
    drawn = random.integers(1, len(sizes), count)
    places = np.argsort(random.random(first.shape), axis=1)
    anew = places < (drawn[:, None] if changed is None else changed)
    moved = (first + random.integers(1, sizes, first.shape)) % sizes  # any other value
    second = np.where(anew, moved, first)
    x, partner = (render(indices_of(factors), antialias) for factors in (first, second))
    return Pairs(x, partner, np.stack([first, second], axis=1))
