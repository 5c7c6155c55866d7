"""A model whose rows fall into clusters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.base import ClusterMixin
from sklearn.cluster import KMeans

import zoo
from zoo.autoencoder import Autoencoder
from zoo.sklearn.estimator import ModelEstimator, _defaults


class Clusterer(ClusterMixin, ModelEstimator):
    """scikit-learn clusterer: the classes of a model that clusters, or k-means on the codes of any other.

    Args:
        model: its name. One with an option `classes` is given `n_clusters` of them, and its classifier says
            the cluster of a row.
        n_clusters: how many clusters.
        epochs: as of `zoo.sklearn.Encoder`, as are the further arguments.
        batch_size: rows of a batch.
        optimizer: Keras's name of it.
        learning_rate: of it.
        input_shape: of an example.
        random_state: of the weights, the noise, the order and k-means.
        verbose: 1 for a line an epoch.
        **options: of the model.

    Attributes:
        labels_: the cluster of every row that it was trained on, from 0.
        model_: the trained `zoo.Autoencoder`.
        kmeans_: the clusters of the codes; None where the model has its own.

    Example:
        >>> from zoo.sklearn import Clusterer
        >>> x = np.repeat(np.eye(3), 20, axis=0) + np.random.default_rng(0).normal(size=(60, 3)) / 9
        >>> found = Clusterer(n_clusters=3, latents=2, hidden=(8,), epochs=5).fit_predict(x)
        >>> found.shape, sorted(set(found.tolist()))
        ((60,), [0, 1, 2])
    """

    def __init__(
        self,
        model: str = "autoencoder",
        *,
        n_clusters: int = 8,
        epochs: int = 20,
        batch_size: int | None = None,
        optimizer: str = "adam",
        learning_rate: float | None = None,
        input_shape: Sequence[int] | None = None,
        random_state: Any = 0,
        verbose: int = 0,
        **options: Any,
    ):
        super().__init__(
            model,
            epochs=epochs,
            batch_size=batch_size,
            optimizer=optimizer,
            learning_rate=learning_rate,
            input_shape=input_shape,
            random_state=random_state,
            verbose=verbose,
            **options,
        )
        self.n_clusters = n_clusters

    def fit(self, X: Any, y: Any = None) -> Clusterer:
        """Train the model and find the clusters.

        Args:
            X: (rows, columns), an array or a data frame.
            y: of no effect.

        Returns:
            The estimator.

        Raises:
            ValueError: for a model that has clusters of its own, of another number.
        """
        own = "classes" in _defaults(self.model)
        x = self._train(X, {"classes": self.n_clusters} if own else {})
        self.kmeans_ = None
        if not self.model_.classifies:
            starts: Any = 10  # a checker knows only "auto"
            kmeans = KMeans(self.n_clusters, n_init=starts, random_state=self.random_state)
            self.kmeans_ = kmeans.fit(self._codes(x))
        self.labels_ = self._clusters(x)
        return self

    def _created(self, shape: tuple[int, ...], options: Mapping[str, Any]) -> Autoencoder:
        """With as many classes, where the model has its own: those of an option or of a mixture."""
        model = zoo.create(self.model, shape, **options)
        if not model.classifies or model.classifier.classes == self.n_clusters:
            return model
        if "components" in options or "components" not in _defaults(self.model):
            raise ValueError(
                f"n_clusters={self.n_clusters}, and {self.model!r} with its options has "
                f"{model.classifier.classes} clusters of its own. Give both the same number."
            )
        return self._created(shape, {**options, "components": self.n_clusters})

    def predict(self, X: Any) -> np.ndarray:
        """The cluster of every row, (rows,) int."""
        return self._clusters(self._checked(X))

    def _clusters(self, x: np.ndarray) -> np.ndarray:
        if self.kmeans_ is not None:
            return np.asarray(self.kmeans_.predict(self._codes(x)))
        return self._asked("cluster", x, self.model_.event_shape)[:, 0]
