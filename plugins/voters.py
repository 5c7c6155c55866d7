"""Several over-clusterings of the codes, each merged to classes, that vote."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import zoo


class Voters(keras.layers.Layer):
    """K-means cells of the codes, merged to classes by the neighbourhood graph of the pictures.

    A cell is small, so it holds one class nearly alone; which cells belong together is read from the
    pictures and not from the codes, whose errors the cells would only confirm. Voters of different cells
    err in different places: a label that all agree on is more reliable than that of any one.

    Args:
        classes: number of classes.
        cells: number of cells of every voter.

    Example:
        >>> from zoo_plugins.voters import Voters
        >>> x = np.concatenate([np.linspace(0, 1, 20), np.linspace(9, 10, 20)])[:, None].astype("float32")
        >>> voters = Voters(classes=2, cells=(4, 5))
        >>> voters.build((None, 1))
        >>> voters.fit(codes=x, examples=x, neighbours=5)  # all voters agree on all
        1.0
        >>> votes = voters(x).numpy()  # (examples, voters, classes)
        >>> votes.shape, bool(np.any(votes[0, 0] != votes[-1, 0]))
        ((40, 2, 2), True)
    """

    def __init__(self, classes: int, cells: Sequence[int], **kwargs: Any):
        super().__init__(dtype="float32", **kwargs)
        self.classes = classes
        self.cells = tuple(cells)

    def build(self, input_shape: Any) -> None:
        """Create the cells' centres and names for codes of shape (batch, units)."""
        options = {"trainable": False, "initializer": "zeros"}
        self.centres = [
            self.add_weight(name=f"centres_{voter}", shape=(count, input_shape[-1]), **options)
            for voter, count in enumerate(self.cells)
        ]
        self.names = [
            self.add_weight(name=f"names_{voter}", shape=(count,), dtype="int32", **options)
            for voter, count in enumerate(self.cells)
        ]
        self.ready = self.add_weight(name="ready", shape=(), dtype="bool", **options)
        self.built = True

    def call(self, code: tf.Tensor) -> tf.Tensor:
        """Every voter's class, one-hot: (batch, units) -> (batch, voters, classes)."""
        votes = [
            tf.gather(names.value, zoo.bottlenecks.nearest(code, centres.value))
            for centres, names in zip(self.centres, self.names, strict=True)
        ]
        return tf.one_hot(tf.stack(votes, axis=1), self.classes)

    def fit(
        self, codes: np.ndarray, examples: np.ndarray, limit: int = 15_000, neighbours: int = 10
    ) -> float:
        """Find the cells and name them.

        Args:
            codes: (n, units).
            examples: (n, *event), what the codes are of.
            limit: at most so many examples are linked, the first ones, as the cost is quadratic.
            neighbours: links of each.

        Returns:
            The share of the codes for which all voters agree: a measure that needs no label.

        Raises:
            ValueError: for fewer codes than the largest number of cells.
        """
        from sklearn.cluster import MiniBatchKMeans

        if len(codes) != len(examples) or len(codes) < max(self.cells):
            raise ValueError(
                f"Expected codes and examples of at least {max(self.cells)} rows; received {len(codes)} and "
                f"{len(examples)}."
            )
        merging = zoo.evaluation.merging
        near = merging.nearest(examples[:limit], neighbours)
        named: list[np.ndarray] = []
        for voter, count in enumerate(self.cells):
            means = MiniBatchKMeans(
                count,
                batch_size=4096,
                n_init=1,  # pyright: ignore[reportArgumentType]  # no str, which the default is
                random_state=voter,
            )
            cell: Any = means.fit(codes).labels_
            # A cell without an example among the linked ones keeps the name 0.
            parts = merging.merge_clusters(cell[:limit], near, self.classes, total=count)
            if named:
                parts = merging.renaming(parts[cell], named[0], self.classes)[parts]
            named.append(parts[cell])
            self.centres[voter].assign(means.cluster_centers_)
            self.names[voter].assign(parts)
        self.ready.assign(True)
        return float(np.mean([len(set(votes)) == 1 for votes in np.stack(named, axis=1)]))

    def rename(self, names: np.ndarray) -> None:
        """Give class c the name names[c], for every voter."""
        for variable in self.names:
            variable.assign(names[variable.numpy()])
