"""Batches of sprites in each of which one factor varies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from zoo.data.sprites import FACTOR_SIZES, indices_of, render
from zoo.values import positive_int


def sprite_scenes(
    batch_size: int = 128,
    *,
    seed: int = 0,
    chances: Sequence[float] | None = None,
    antialias: bool = False,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Batches without end, each of a random sprite of which one factor is drawn anew for every row.

    Kulkarni et al., "Deep Convolutional Inverse Graphics Network", 2015, section 3.1, for
    ``model.fit(sprite_scenes(128), steps_per_epoch=400)`` of a `dc_ign`.

    Args:
        batch_size: rows of a batch.
        seed: of the draws.
        chances: of each factor to be the one that varies, in the order of
            `zoo.data.sprites.FACTOR_NAMES`, as weights; None for all alike. The paper gives what its
            intrinsic units stand for, here the shape, ten times as many batches as each other factor.
        antialias: as in `zoo.data.sprites.render`.

    Returns:
        An iterator over pairs: pictures, (batch_size, 64, 64, 1) uint8, and the factor that varies,
        (batch_size,) int32, the same number throughout a batch.

    Raises:
        ValueError: for chances that are not one weight for each factor.

    Example:
        >>> from zoo.data import sprite_scenes
        >>> x, factor = next(sprite_scenes(8, chances=[0, 0, 0, 1, 0]))  # horizontal positions
        >>> x.shape, factor.tolist()
        ((8, 64, 64, 1), [3, 3, 3, 3, 3, 3, 3, 3])
        >>> heights = x.any(axis=2)
        >>> bool((heights == heights[0]).all())
        True
    """
    rows, count = positive_int(batch_size, "batch_size"), len(FACTOR_SIZES)
    weights = np.ones(count) if chances is None else np.asarray(chances, float)
    if weights.shape != (count,) or not (weights >= 0).all() or not 0 < weights.sum() < np.inf:
        raise ValueError(
            f"chances must be {count} weights of at least 0, one for each factor of the sprites; received "
            f"{chances!r}."
        )
    return _scenes(rows, weights / weights.sum(), np.random.default_rng(seed), antialias)


def _scenes(
    rows: int, chances: np.ndarray, random: np.random.Generator, antialias: bool
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    while True:
        factor = random.choice(len(chances), p=chances)
        factors = np.tile(random.integers(0, FACTOR_SIZES), (rows, 1))
        factors[:, factor] = random.integers(0, FACTOR_SIZES[factor], rows)
        yield render(indices_of(factors), antialias), np.full(rows, factor, np.int32)
