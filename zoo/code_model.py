"""What one does with a trained autoencoder: encode, decode, reconstruct, generate, cluster, export."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from zoo.bottlenecks import Bottleneck
from zoo.distributions.likelihoods import Likelihood
from zoo.distributions.priors import Prior
from zoo.noise import Noise
from zoo.regularizers import Regularizer
from zoo.serialization import whole_number
from zoo.trainer.block_trainer import BlockTrainer
from zoo.trainer.inference import map_batches
from zoo.trainer.sources import (
    array_of,
    batches_of,
    checked,
    is_array,
    plain_errors,
    to_float,
)


class CodeModel(BlockTrainer):
    """The part of `zoo.Autoencoder` that is there to be used rather than trained."""

    encoder: keras.Layer
    bottleneck: Bottleneck
    decoder: keras.Layer
    likelihood: Likelihood
    prior: Prior | None
    regularizers: list[Regularizer]

    @property
    def units(self) -> int:
        """Dimensions of the code."""
        return self.bottleneck.units

    @property
    def classifier(self) -> Any:
        """The bottleneck or the first regularizer with a method `classify`: codes to class logits.

        Raises:
            ValueError: where there is none.
        """
        for candidate in (self.bottleneck, *self.regularizers):
            if hasattr(candidate, "classify"):
                return candidate
        raise ValueError(
            "No part of this model classifies codes. Add a regularizer that does, such as "
            "'mutual_information', or cluster the codes: "
            "zoo.evaluation.clustering.kmeans(model.encode(x), k)."
        )

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """The mean of p(x|z) at the posterior's location.

        Args:
            inputs: (batch, *event), uint8 or float.
            training: passed to the networks.

        Returns:
            (batch, *event) float32.
        """
        features = self.encoder(to_float(inputs, self.event_shape), training=training)
        return self._decoded(self.bottleneck.encode(features), training)

    def encode(self, x: Any, batch_size: int = 500) -> np.ndarray:
        """The code of every row without noise: the posterior's location, or the deterministic code.

        Args:
            x: array (rows, *event) of uint8 or float, a `zoo.data.Data` record, or a `tf.data.Dataset`.
            batch_size: rows of a batch.

        Returns:
            (rows, units) float32.
        """
        return self._map(self.encode_batch, self._checked(x), batch_size)

    def decode(self, z: Any, batch_size: int = 500) -> np.ndarray:
        """The mean of p(x|z).

        Args:
            z: (rows, units).
            batch_size: rows of a batch.

        Returns:
            (rows, *event) float32.

        Raises:
            ValueError: for codes of another width.
        """
        z = np.asarray(z)
        if z.ndim != 2 or z.shape[1] != self.units or z.dtype.kind not in "fiub":
            raise ValueError(
                f"Expected codes of shape (rows, {self.units}) of numbers; received {z.shape} of {z.dtype}."
            )
        z = z.astype(np.float32, copy=False)
        return self._map(self.decode_batch, z, batch_size)

    def reconstruct(self, x: Any, batch_size: int = 500) -> np.ndarray:
        """decode(encode(x)), (rows, *event) float32; arguments as in `encode`."""
        return self._map(self.__call__, self._checked(x), batch_size)

    def predict(self, x: Any, batch_size: int | None = None, **kwargs: Any) -> np.ndarray:
        """As `reconstruct`, with the further arguments of `keras.Model.predict`."""
        with plain_errors():
            return super().predict(self._checked(x), batch_size=batch_size, **kwargs)

    def save(self, filepath: Any, *args: Any, **kwargs: Any) -> None:
        """As `keras.Model.save`, to a .keras file.

        Raises:
            ValueError: for an HDF5 file, which Keras writes and cannot read again.
        """
        if str(filepath).endswith((".h5", ".hdf5")):
            raise ValueError(
                f"A model is saved to a .keras file; received {str(filepath)!r}. (Weights alone go to "
                "save_weights('....weights.h5').)"
            )
        super().save(filepath, *args, **kwargs)

    def generate(
        self, n: int, seed: int = 0, batch_size: int = 500, label: Any = None
    ) -> np.ndarray:
        """New examples: the mean of p(x|z) at draws from the prior.

        Args:
            n: how many.
            seed: the same seed gives the same examples, whatever the label.
            batch_size: rows of a batch.
            label: class of all examples, or (n,) classes, where the prior has labels; None for random ones.

        Returns:
            (n, *event) float32.

        Raises:
            ValueError: where the model has no prior, or its prior no such label.
        """
        n, seed = whole_number(n, "n", 1), whole_number(seed, "seed")
        return self.decode(self.sample_prior(n, seed, label).numpy(), batch_size)

    def cluster(self, x: Any, batch_size: int = 500) -> np.ndarray:
        """The class that the model's classifier gives every row, (rows,) int64.

        Args:
            x: as in `encode`.
            batch_size: rows of a batch.

        Raises:
            ValueError: where no part of the model classifies codes.
        """
        return self._map(self.classify_batch, self._checked(x), batch_size).argmax(axis=-1)

    def encode_batch(self, inputs: tf.Tensor) -> tf.Tensor:
        """`encode` for one batch, in a graph."""
        features = self.encoder(to_float(inputs, self.event_shape), training=False)
        return self.bottleneck.encode(features)

    def classify_batch(self, inputs: tf.Tensor) -> tf.Tensor:
        """Class logits of one batch, (batch, classes), in a graph."""
        return self.classifier.classify(self.encode_batch(inputs))

    def decode_batch(self, code: tf.Tensor) -> tf.Tensor:
        """`decode` for one batch, in a graph."""
        return self._decoded(code, False)

    def sample_prior(self, n: Any, seed: Any, label: Any = None) -> tf.Tensor:
        """Draws from the prior, (n, units) float32; `n` and `seed` may be scalar tensors.

        `label` is as in `generate`.
        """
        if self.prior is None:
            raise ValueError(
                "This model has no prior to draw codes from. Give it one with prior=..., or decode codes "
                "of your own with decode(z)."
            )
        noise = Noise(self.seed, seed).fold("generate")
        return self.prior.draw(noise, n, self.units, label=label).code

    def posterior(self, x: Any) -> tfd.Distribution | None:
        """q(z|x), batch shape (rows,), event shape (units,); None for a deterministic bottleneck."""
        inputs = to_float(tf.convert_to_tensor(array_of(x)), self.event_shape)
        return self.bottleneck.posterior(self.encoder(inputs, training=False))

    def conditional(self, z: Any) -> tfd.Distribution:
        """p(x|z), batch shape (rows,), event shape (*event), for z of (rows, units)."""
        code = tf.convert_to_tensor(z, tf.float32)
        return self.likelihood.distribution(self.decoder(code, training=False))

    def prior_distribution(self) -> tfd.Distribution | None:
        """p(z), event shape (units,); None without a prior, or with one that has no density."""
        return None if self.prior is None else self.prior.distribution(self.units)

    def example_posterior(self) -> tfd.Distribution | None:
        """A member of the posterior's family, to ask what divergences it has."""
        family = getattr(self.bottleneck, "_family", None)
        ones = tf.ones((1, self.units))
        return None if family is None else family(ones, ones)

    def export(self, filepath: Any, format: str = "tf_saved_model", **kwargs: Any) -> None:
        """Export for serving; see `zoo.exporting.export`."""
        from zoo.exporting import export

        export(self, filepath, format=format, **kwargs)

    def _decoded(self, code: tf.Tensor, training: bool) -> tf.Tensor:
        return self.likelihood.mean(self.decoder(code, training=training))

    def _map(self, function: Any, data: Any, batch_size: int) -> np.ndarray:
        if not hasattr(self, "_compiled"):
            self._compiled: dict[str, Any] = {}
        name = function.__name__
        if name not in self._compiled:
            self._compiled[name] = tf.function(function, reduce_retracing=True, autograph=False)
        batch_size = whole_number(batch_size, "batch_size", 1)
        with plain_errors():
            return map_batches(self._compiled[name], data, batch_size, self.distribute_strategy)

    def _checked(self, x: Any) -> Any:
        x = array_of(x)
        if is_array(x):
            return checked(x, self.event_shape, "x", self.input_bounds)
        return batches_of(x, "x", self.input_bounds)
