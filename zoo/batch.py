"""What one step sees of the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import tensorflow as tf


class Batch(NamedTuple):
    """The rows of one step; a field that the model has no use for is None.

    Attributes:
        x: (batch, *event) float32, what the encoder reads.
        target: (batch, *target) float32, what is to be reconstructed; None for x.
        condition: (batch, width) float32, labels as one-hot rows and covariates side by side.
        weight: (batch,) float32, how much every row counts in the means.
        mask: (batch, *event) float32, 1 where a value of x was observed and 0 where it is missing.

    Example:
        >>> batch = zoo.Batch(np.array([[1.0], [2.0]]), weight=np.array([1.0, 0.5]))
        >>> batch.repeated(2).x.numpy().tolist()
        [[1.0], [1.0], [2.0], [2.0]]
    """

    x: tf.Tensor
    target: tf.Tensor | None = None
    condition: tf.Tensor | None = None
    weight: tf.Tensor | None = None
    mask: tf.Tensor | None = None

    def repeated(self, samples: int) -> Batch:
        """Every row `samples` times, the copies of a row side by side; `weight` stays by row."""
        if samples == 1:
            return self
        import tensorflow as tf

        fields = self._replace(weight=None)
        copies: Any = (None if v is None else tf.repeat(v, samples, axis=0) for v in fields)
        return Batch(*copies)._replace(weight=self.weight)
