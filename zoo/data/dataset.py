"""The record that every set is read into."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from zoo.data.columns import Columns


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Data:
    """One split of a data set.

    Args:
        name: the set's name, or the name of the file or folder it was read from.
        split: the split that was asked for.
        inputs: (n, *event) uint8 or float32; a read-only ``np.memmap`` where it does not fit in memory.
        labels: (n,) int64, the index into `classes`, or None.
        factors: (n, f) int64, the index of each factor's value, or None.
        factor_names: the f names of the columns of `factors`.
        classes: the names of the labels, or None.
        latents: (n, k) float32, the numbers that a synthetic example was made from, or None.
        parts: what all examples of a synthetic set are made from, by name (``"basis"``, ``"templates"``).
        description: one line: what the set is and how it was split.
        columns: how the columns of a mixed table are encoded in `inputs`, see `zoo.data.columns`; None for
            other data.
        column_names: what the columns of a table of numbers are called, one for each of `inputs`; empty for
            other data.

    Example:
        >>> x = np.random.default_rng(0).random((20, 6)).astype("float32")
        >>> data = zoo.data.Data("mine", "all", x, labels=np.arange(20) % 2)
        >>> data
        Data(name='mine', split='all', inputs=float32(20, 6))
        >>> len(data), data.event_shape
        (20, (6,))
        >>> data.take(data.labels == 1).inputs.shape
        (10, 6)
    """

    name: str
    split: str
    inputs: np.ndarray
    labels: np.ndarray | None = None
    factors: np.ndarray | None = None
    factor_names: tuple[str, ...] = ()
    classes: tuple[str, ...] | None = None
    latents: np.ndarray | None = None
    parts: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
    description: str = ""
    columns: Columns | None = None
    column_names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.inputs)

    def __repr__(self) -> str:
        return (
            f"Data(name={self.name!r}, split={self.split!r}, "
            f"inputs={self.inputs.dtype}{self.inputs.shape})"
        )

    @property
    def event_shape(self) -> tuple[int, ...]:
        """The shape of one example."""
        return self.inputs.shape[1:]

    def take(self, rows: slice | np.ndarray) -> Data:
        """The same set with only some examples.

        Args:
            rows: a slice, which copies nothing, or an array of indices.

        Returns:
            A `Data` of ``len(rows)`` examples.
        """
        by_row = ("inputs", "labels", "factors", "latents")
        present = (name for name in by_row if getattr(self, name) is not None)
        return dataclasses.replace(self, **{name: getattr(self, name)[rows] for name in present})
