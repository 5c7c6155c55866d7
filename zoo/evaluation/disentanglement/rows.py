"""Which rows a score uses: subsets, training and test parts, rows that share a factor's value."""

from __future__ import annotations

import numpy as np

from zoo.evaluation.checks import NotComputable


def subset(n: int, limit: int, seed: int) -> np.ndarray:
    """At most ``limit`` of n row indices, at random and each once.

    Example:
        >>> from zoo.evaluation.disentanglement.rows import subset
        >>> sorted(subset(5, limit=10, seed=0).tolist()), len(subset(50, limit=10, seed=0))
        ([0, 1, 2, 3, 4], 10)
    """
    return np.random.default_rng(seed).permutation(n)[:limit]


def train_test(
    n: int, num_train: int, num_test: int, seed: int, minimum: int = 10
) -> tuple[np.ndarray, np.ndarray]:
    """Disjoint random rows for training and test.

    Args:
        n: the number of rows there are.
        num_train: rows for training.
        num_test: rows for the test. Where n is less than both, the rows are divided in the same
            proportion.
        seed: of the order.
        minimum: the fewest rows in either part.

    Returns:
        Two arrays of row indices.

    Raises:
        NotComputable: where a part would fall below the minimum.

    Example:
        >>> from zoo.evaluation.disentanglement.rows import train_test
        >>> train, test = train_test(30, num_train=10_000, num_test=5_000, seed=0)
        >>> len(train), len(test), len({*train.tolist(), *test.tolist()})
        (20, 10, 30)
    """
    total = min(n, num_train + num_test)
    count = round(total * num_train / (num_train + num_test))
    if min(count, total - count) < minimum:
        raise NotComputable(
            f"needs {minimum} rows each for training and test; {n} rows give "
            f"{count} and {total - count}"
        )
    rows = subset(n, total, seed)
    return rows[:count], rows[count:]


class SharedValues:
    """Draws rows that share a factor's value, from the rows that exist.

    On a complete grid of factors this is the protocol's draw: fix one factor, draw all others
    independently. Where combinations are missing, the other factors follow the rows at hand. A value
    that only one row has cannot be shared and is never drawn.

    Args:
        factors: (n, factors) value indices.

    Example:
        >>> from zoo.evaluation.disentanglement.rows import SharedValues
        >>> factors = np.array([[a, b] for a in range(4) for b in range(4)])
        >>> shared, rng = SharedValues(factors), np.random.default_rng(0)
        >>> rows = shared.anchors(factor=1, size=20, rng=rng)
        >>> partners = shared.partners(1, rows, rng)
        >>> bool(np.all(factors[rows, 1] == factors[partners, 1]))
        True
    """

    def __init__(self, factors: np.ndarray):
        self.factors = factors
        self._order = np.argsort(factors, axis=0, kind="stable")
        self._counts = [np.bincount(column) for column in factors.T]
        self._starts = [np.cumsum(counts) - counts for counts in self._counts]

    def anchors(self, factor: int, size: int, rng: np.random.Generator) -> np.ndarray:
        """(size,) rows whose value of the factor at least one more row has."""
        shared = np.flatnonzero(self._counts[factor][self.factors[:, factor]] > 1)
        if not len(shared):
            raise NotComputable(f"no two rows share a value of factor {factor}")
        return rng.choice(shared, size)

    def partners(self, factor: int, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """For each row, one row with the same value of the factor; the shape of ``rows``."""
        values = self.factors[rows, factor]
        offset = (rng.random(rows.shape) * self._counts[factor][values]).astype(np.int64)
        return self._order[self._starts[factor][values] + offset, factor]
