"""A model whose code is a table of features."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_array, check_is_fitted

from zoo.sklearn.estimator import ModelEstimator


class Encoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ModelEstimator):
    """scikit-learn transformer: a table (rows, columns) to the codes of a model, (rows, units) float32.

    The arguments are those of `zoo.sklearn.estimator.ModelEstimator`: a model's name, how it is trained, and
    the options of the model.

    Example:
        >>> from sklearn.pipeline import make_pipeline
        >>> from sklearn.preprocessing import StandardScaler
        >>> from zoo.sklearn import Encoder
        >>> x = np.random.default_rng(0).normal(size=(40, 6))
        >>> encoder = Encoder("vae", latents=2, hidden=(4,), epochs=1)
        >>> pipeline = make_pipeline(StandardScaler(), encoder)
        >>> pipeline.fit_transform(x).shape
        (40, 2)
        >>> encoder.get_feature_names_out()
        array(['encoder0', 'encoder1'], dtype=object)
    """

    def fit(self, X: Any, y: Any = None) -> Encoder:
        """Train the model.

        Args:
            X: (rows, columns), an array or a data frame; sparse matrices are refused.
            y: of no effect; pipelines hand it on.

        Returns:
            The estimator.
        """
        self._train(X)
        return self

    def transform(self, X: Any) -> Any:
        """The codes without noise, (rows, units) float32, or as `set_output` says."""
        return self._codes(self._checked(X))

    def inverse_transform(self, X: Any) -> np.ndarray:
        """The mean of p(x|z) at codes (rows, units): (rows, columns) float32."""
        check_is_fitted(self, "model_")
        single: Any = np.float32
        codes = check_array(X, dtype=single)
        if codes.shape[1] != self._n_features_out:
            raise ValueError(
                f"Expected codes of {self._n_features_out} units; received {codes.shape[1]} columns."
            )
        return self._asked("decode", codes, self.model_.code_shape)

    def score(self, X: Any, y: Any = None) -> float:
        """The share of the variance that the reconstruction explains, 1 at best.

            1 - sum_ij (x_ij - r_ij)^2 / sum_ij (x_ij - mean_i x_ij)^2

        Unlike a likelihood it can be compared between models. A scaler in front makes columns count alike.

        Args:
            X: (rows, columns).
            y: of no effect.

        Returns:
            A number of at most 1; columns count by their variance. NaN where all rows are equal.
        """
        x = self._checked(X)
        left = np.sum((x - self._reconstructions(x)) ** 2, dtype=np.float64)
        total = np.sum((x - x.mean(axis=0, dtype=np.float64)) ** 2)
        return float(1 - left / total) if total > 0 else float("nan")

    @property
    def _n_features_out(self) -> int:
        return int(np.prod(self.model_.code_shape))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
