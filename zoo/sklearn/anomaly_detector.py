"""A model that detects unlikely rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import OutlierMixin

from zoo.sklearn.estimator import ModelEstimator


class AnomalyDetector(OutlierMixin, ModelEstimator):
    """scikit-learn outlier detector: the rows that the model reconstructs worst.

    The score of a row is the negative squared error of its reconstruction,

        -sum_j (x_ij - r_ij)^2

    so that columns should be of one scale: put a scaler before it.

    Args:
        model: its name.
        contamination: the share of the training rows that counts as anomalies, above 0 and at most 0.5.
        epochs: as of `zoo.sklearn.Encoder`, as are the further arguments.
        batch_size: rows of a batch.
        optimizer: Keras's name of it.
        learning_rate: of it.
        input_shape: of an example.
        random_state: of the weights, the noise and the order.
        verbose: 1 for a line an epoch.
        **options: of the model.

    Attributes:
        offset_: the score below which a row is an anomaly.
        model_: the trained `zoo.Autoencoder`.

    Example:
        >>> from zoo.sklearn import AnomalyDetector
        >>> random = np.random.default_rng(0)
        >>> x = random.normal(size=(200, 2)) @ random.normal(size=(2, 6))
        >>> detector = AnomalyDetector(latents=2, hidden=(), epochs=30).fit(x)
        >>> odd = 3 * random.normal(size=(5, 6))
        >>> bool(detector.score_samples(odd).max() < np.median(detector.score_samples(x)))
        True
    """

    def __init__(
        self,
        model: str = "autoencoder",
        *,
        contamination: float = 0.1,
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
        self.contamination = contamination

    def fit(self, X: Any, y: Any = None) -> AnomalyDetector:
        """Train the model, and set the threshold.

        Args:
            X: (rows, columns), an array or a data frame.
            y: of no effect.

        Returns:
            The estimator.

        Raises:
            ValueError: for a contamination out of range.
        """
        share = self.contamination
        if not (isinstance(share, int | float) and 0 < share <= 0.5):
            raise ValueError(
                f"contamination must be a number above 0 and at most 0.5; received {share!r}."
            )
        x = self._train(X)
        self.offset_ = float(np.percentile(self._scores(x), 100 * share))
        return self

    def score_samples(self, X: Any) -> np.ndarray:
        """The score of every row, (rows,); lower for anomalies."""
        return self._scores(self._checked(X))

    def decision_function(self, X: Any) -> np.ndarray:
        """`score_samples` above the threshold, (rows,); negative for anomalies."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> np.ndarray:
        """-1 for anomalies and 1 for all others, (rows,) int."""
        return np.where(self.decision_function(X) < 0, -1, 1)

    def _scores(self, x: np.ndarray) -> np.ndarray:
        return -np.sum((x - self._reconstructions(x)) ** 2, axis=1, dtype=np.float64)
