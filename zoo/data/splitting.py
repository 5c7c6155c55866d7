"""Splits of sets that bring none of their own."""

from __future__ import annotations

import numpy as np

SPLITS = ("train", "test", "all")
TEST_FRACTION = 0.2


def share_of_test(test_fraction: float | None, name: str, own: bool) -> float:
    """The share of the test split of a set that may have a test split of its own.

    Args:
        test_fraction: as the user gives it; None for the usual share.
        name: what an error calls the set.
        own: whether the set has a test split of its own.

    Returns:
        The share, which a set with its own split does not use.

    Raises:
        ValueError: where a share is named that would change nothing.

    Example:
        >>> from zoo.data.splitting import share_of_test
        >>> share_of_test(None, "mine", own=True), share_of_test(0.5, "mine", own=False)
        (0.2, 0.5)
    """
    if own and test_fraction is not None:
        raise ValueError(
            f"{name} has splits of its own, which test_fraction={test_fraction!r} would not change. Leave it "
            "out, or load the split 'all' and divide that."
        )
    return TEST_FRACTION if test_fraction is None else test_fraction


def check_split(split: str, known: tuple[str, ...] = SPLITS, name: str = "This set") -> None:
    """Raise a ValueError for a split that is not among the known ones."""
    if split not in known:
        raise ValueError(f"{name} has the splits {', '.join(known)}; received split={split!r}.")


def split_sizes(n: int, test_fraction: float) -> tuple[int, int]:
    """How many of n examples train and how many test.

    Args:
        n: number of examples, at least 2.
        test_fraction: share of the test split, between 0 and 1.

    Returns:
        The two sizes, each at least one.

    Raises:
        ValueError: for fewer than two examples, or a share outside (0, 1).
    """
    if n < 2:
        raise ValueError(f"A set to be split needs at least 2 examples; received {n}.")
    if not 0 < test_fraction < 1:
        raise ValueError(f"test_fraction must lie between 0 and 1; received {test_fraction!r}.")
    test = min(max(round(n * test_fraction), 1), n - 1)
    return n - test, test


def split_rows(n: int, split: str, test_fraction: float, seed: int, name: str) -> np.ndarray:
    """The rows of a split, drawn by a seed.

    Args:
        n: number of examples of the whole set.
        split: "train", "test", or "all" for every row in its order.
        test_fraction: share of the test split.
        seed: the same seed gives the same two disjoint splits.
        name: what an error calls the set.

    Returns:
        (m,) int64 indices, shuffled.

    Example:
        >>> from zoo.data.splitting import split_rows
        >>> train, test = (split_rows(10, split, 0.2, 0, "mine") for split in ("train", "test"))
        >>> len(train), len(test), sorted([*train.tolist(), *test.tolist()]) == list(range(10))
        (8, 2, True)
    """
    check_split(split, name=name)
    train, _ = split_sizes(n, test_fraction)
    if split == "all":
        return np.arange(n)
    order = np.random.default_rng(seed).permutation(n)
    return order[:train] if split == "train" else order[train:]


def split_slice(n: int, split: str, test_fraction: float, name: str) -> slice:
    """The rows of a split as a slice: the last examples are the test split.

    For files that are too large to be copied: a slice of a memory map is a memory map.

    Args:
        n: number of examples of the whole set.
        split: "train", "test" or "all".
        test_fraction: share of the test split.
        name: what an error calls the set.

    Returns:
        A slice.
    """
    check_split(split, name=name)
    train, _ = split_sizes(n, test_fraction)
    return {"train": slice(0, train), "test": slice(train, n), "all": slice(0, n)}[split]
