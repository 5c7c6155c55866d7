"""The one model of the zoo: encoder, bottleneck, decoder, likelihood, with a prior and regularizers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from zoo.bottlenecks import Bottleneck
from zoo.distributions.likelihoods import Likelihood
from zoo.distributions.priors import Prior
from zoo.forward import ForwardPass, Generated
from zoo.networks.build import check_event_shape
from zoo.networks.corruption import Corruption
from zoo.networks.statistics import with_kept_statistics
from zoo.networks.tied import Tied
from zoo.noise import Noise
from zoo.regularizers import AdversarialRegularizer, resolve
from zoo.serialization import (
    at_step,
    deserialize_part,
    part,
    scalar,
    scalar_config,
    serializable,
    serialize_part,
)
from zoo.trainer.block_trainer import BlockTrainer
from zoo.trainer.inference import map_batches
from zoo.trainer.sources import array_of, checked, is_array, to_float


@serializable
class Autoencoder(BlockTrainer):
    """Encoder -> bottleneck -> decoder -> likelihood, with a prior and a list of regularizers.

    Training minimises the mean over the batch of

        reconstruction_weight * -log p(x|z) + sum_i weight_i * penalty_i

    with log p(x|z) summed over the event: the negative evidence lower bound where the regularizer is KL.

    Args:
        input_shape: shape of one example, (h, w, channels) or (d,).
        encoder: Keras model or layer, (batch, *input_shape) -> (batch, features).
        bottleneck: see `zoo.bottlenecks`.
        decoder: Keras model or layer, (batch, units) -> (batch, *input_shape), before the likelihood's link.
        likelihood: p(x|z), a name, a dict with "name" and options, or a `Likelihood`.
        prior: p(z), likewise, or None.
        regularizers: names, dicts, Keras regularizers (act on the code) or `Regularizer`s.
        corruption: what to do to the encoder's input in training, or None.
        reconstruction_weight: a number of at least 0 or a Keras schedule of the training step; other than
            1 for objectives that weigh the reconstruction, 0 for those without one.
        seed: of the noise and of the order of the data, a whole number.
        objective: the objective as a formula, for reports.

    Raises:
        ValueError: for parts that do not fit together.
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        encoder: keras.Layer,
        bottleneck: Bottleneck,
        decoder: keras.Layer,
        likelihood: Any = "bernoulli",
        prior: Any = None,
        regularizers: Any = None,
        corruption: Corruption | None = None,
        reconstruction_weight: Any = 1.0,
        seed: int = 0,
        objective: str = "",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.event_shape = check_event_shape(input_shape)
        self.encoder = encoder
        self.bottleneck = bottleneck
        self.decoder = decoder
        self.likelihood: Likelihood = part(likelihood, "likelihood", Likelihood)
        self.prior: Prior | None = part(prior, "prior", Prior)
        self.regularizers = resolve(regularizers)
        self.corruption = corruption
        self.reconstruction_weight = scalar(reconstruction_weight, "reconstruction_weight", 0)
        self.seed = int(seed)
        self.objective = objective
        for regularizer in self.regularizers:
            regularizer.check(self)
        self._build_parts()

    @property
    def units(self) -> int:
        """Dimensions of the code."""
        return self.bottleneck.units

    @property
    def heavy_tailed(self) -> bool:
        """Whether single draws of the code can be huge."""
        return self.bottleneck.heavy_tailed

    @property
    def jit_friendly(self) -> bool:
        """Whether XLA makes the step faster: oneDNN's convolutions outrun XLA's on a processor."""
        convolutional = any("Conv" in type(layer).__name__ for layer in self._flatten_layers())
        return self.bottleneck.jit_friendly and not convolutional and not self.critics

    @property
    def input_bounds(self) -> tuple[float, float] | None:
        """The range of the inputs, where the likelihood has one."""
        return self.likelihood.bounds

    @property
    def critics(self) -> list[AdversarialRegularizer]:
        """The regularizers that own a critic."""
        return [r for r in self.regularizers if isinstance(r, AdversarialRegularizer)]

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

    @property
    def term_names(self) -> list[str]:
        """Names of the metrics, "loss" first."""
        names = ["loss", "reconstruction", *(r.name for r in self.regularizers)]
        return names + [f"{r.name}_critic" for r in self.critics]

    @property
    def model_variables(self) -> list[keras.Variable]:
        """What the main optimizer trains: everything but the critics."""
        critics = {id(v) for r in self.critics for v in r.critic_variables}
        return [v for v in self.trainable_variables if id(v) not in critics]

    def forward(
        self, inputs: tf.Tensor, noise: Noise, training: bool
    ) -> tuple[ForwardPass, tf.Tensor]:
        """One pass of a batch.

        Args:
            inputs: (batch, *event) float32.
            noise: random numbers of this step.
            training: whether this is a training step.

        Returns:
            The record that regularizers read, and the decoder's output, which the likelihood reads.
        """
        seen = inputs
        if training and self.corruption is not None:
            seen = self.corruption.corrupt(inputs, noise.fold("corruption"))
        features = self.encoder(seen, training=training)
        step = self.step.value
        rows = tf.shape(inputs)[0]
        code, posterior = self.bottleneck.draw(features, noise.fold("code"), step, training)
        if self.bottleneck.samples > 1:
            inputs = tf.repeat(inputs, self.bottleneck.samples, axis=0)
        output = self.decoder(code, training=training)
        record = ForwardPass(
            inputs=inputs,
            code=code,
            posterior=posterior,
            prior=self.prior_distribution(),
            output=self.likelihood.distribution(output),
            noise=noise,
            step=step,
            generated=self._generated(noise.fold("generated"), rows, training),
            encode=lambda views: self._encode_view(views, training),
        )
        return record, output

    def terms(
        self, record: ForwardPass, output: tf.Tensor, training: bool, weights: Any = None
    ) -> list[tf.Tensor]:
        """The weighted sum, the reconstruction term and every penalty, scalars.

        Args:
            record: see `forward`.
            output: see `forward`.
            training: whether this is a training step.
            weights: (batch,), the weight of every row in the means, or None.
        """
        reconstruction = _mean(self.likelihood.loss(output, record.inputs), weights)
        total, penalties = self._weighted(reconstruction, record.step), []
        added = self.losses  # what the layers of a user's own encoder and decoder add
        for regularizer in self.regularizers:
            own = record._replace(noise=record.noise.fold(regularizer.name))
            penalty = _mean(regularizer.penalty(own, training), weights)
            total = total + at_step(regularizer.weight, record.step) * penalty
            penalties.append(penalty)
        if added:
            total = total + tf.add_n([tf.cast(loss, tf.float32) for loss in added])
        return [total, reconstruction, *penalties]

    def update(self, inputs: tf.Tensor, noise: Noise) -> list[tf.Tensor]:
        """One training step; see `BlockTrainer.update`."""
        variables = self.model_variables
        with tf.GradientTape() as tape:
            record, output = self.forward(inputs, noise, training=True)
            terms = self.terms(record, output, training=True)
            loss = terms[0] / noise.replicas
        gradients = tape.gradient(loss, variables)
        critics = [self._critic_update(critic, record) for critic in self.critics]
        return [*terms, *critics, *self.apply(self.optimizer, gradients, variables)]

    def measure(self, inputs: tf.Tensor, noise: Noise, weights: Any) -> list[tf.Tensor]:
        """The terms of an evaluation batch; see `BlockTrainer.measure`."""
        record, output = self.forward(inputs, noise, training=False)
        if weights is not None:
            weights = tf.repeat(weights, self.bottleneck.samples, axis=0)
        return self.terms(record, output, training=False, weights=weights)

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
        z = np.asarray(z, np.float32)
        if z.ndim != 2 or z.shape[1] != self.units:
            raise ValueError(f"Expected codes of shape (rows, {self.units}); received {z.shape}.")
        return self._map(self.decode_batch, z, batch_size)

    def reconstruct(self, x: Any, batch_size: int = 500) -> np.ndarray:
        """decode(encode(x)), (rows, *event) float32; arguments as in `encode`."""
        return self._map(self.__call__, self._checked(x), batch_size)

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
        if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
            raise ValueError(f"n must be a whole number of at least 1; received {n!r}.")
        return self.decode(self.sample_prior(int(n), int(seed), label).numpy(), batch_size)

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

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "name": self.name,
            "input_shape": self.event_shape,
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "bottleneck": serialize_part(self.bottleneck),
            "decoder": keras.saving.serialize_keras_object(self.decoder),
            "likelihood": serialize_part(self.likelihood),
            "prior": serialize_part(self.prior),
            "regularizers": [serialize_part(r) for r in self.regularizers],
            "corruption": serialize_part(self.corruption),
            "reconstruction_weight": scalar_config(self.reconstruction_weight),
            "seed": self.seed,
            "objective": self.objective,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Autoencoder:
        """The inverse of `get_config`."""
        config = dict(config)
        for name in ("encoder", "decoder"):
            config[name] = keras.saving.deserialize_keras_object(config[name], custom_objects)
        for name in ("bottleneck", "likelihood", "prior", "corruption"):
            config[name] = deserialize_part(config[name], name)
        config["regularizers"] = [
            deserialize_part(item, "regularizer") for item in config["regularizers"]
        ]
        return cls(**config)

    def build(self, input_shape: Any = None) -> None:
        """The constructor has built everything."""

    def apply(
        self, optimizer: keras.optimizers.Optimizer, gradients: list, variables: list
    ) -> list[tf.Tensor]:
        """One step of an optimizer, correct over replicas; [1 if skipped else 0] where steps may be."""
        if self.distribute_strategy.num_replicas_in_sync > 1:
            gradients = _global_gradients(optimizer, gradients)
        if not self.skip_nonfinite or optimizer is not self.optimizer:
            optimizer.apply(gradients, variables)
            return []
        finite = tf.math.is_finite(tf.linalg.global_norm(gradients))
        tf.cond(finite, lambda: _applied(optimizer, gradients, variables), lambda: tf.constant(0))
        return [1.0 - tf.cast(finite, tf.float32)]

    def _critic_update(self, critic: AdversarialRegularizer, record: ForwardPass) -> tf.Tensor:
        variables = critic.critic_variables
        for index in range(critic.critic_steps):
            own = record._replace(noise=record.noise.fold(critic.name).fold(index))
            with tf.GradientTape() as tape:
                loss = critic.critic_loss(own)
                share = loss / record.noise.replicas
            self.apply(critic.optimizer, tape.gradient(share, variables), variables)
        return loss

    def _weighted(self, reconstruction: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        if self.reconstruction_weight == 0:  # spare the backward pass
            return 0.0 * tf.stop_gradient(reconstruction)
        return at_step(self.reconstruction_weight, step) * reconstruction

    def _generated(self, noise: Noise, rows: tf.Tensor, training: bool) -> Generated | None:
        if self.prior is None:
            return None
        return Generated(
            draw=lambda: self.prior.draw(noise, rows, self.units, training=training),
            decode=lambda code: self._decoded(code, training),
            encode=lambda views: self._encode_view(views, training),
        )

    def _encode_view(self, views: tf.Tensor, training: bool) -> tf.Tensor:
        if not training:
            return self.encode_batch(views)
        return self.bottleneck.encode(with_kept_statistics(self.encoder, views))

    def _decoded(self, code: tf.Tensor, training: bool) -> tf.Tensor:
        return self.likelihood.mean(self.decoder(code, training=training))

    def _map(self, function: Any, data: Any, batch_size: int) -> np.ndarray:
        if not hasattr(self, "_compiled"):
            self._compiled: dict[str, Any] = {}
        name = function.__name__
        if name not in self._compiled:
            self._compiled[name] = tf.function(function, reduce_retracing=True, autograph=False)
        return map_batches(self._compiled[name], data, batch_size, self.distribute_strategy)

    def _checked(self, x: Any) -> Any:
        x = array_of(x)
        return checked(x, self.event_shape, "x", self.input_bounds) if is_array(x) else x

    def _build_parts(self) -> None:
        features = _built(self.encoder, self.event_shape, "encoder")
        if not self.bottleneck.built:
            self.bottleneck.build(features)
        if isinstance(self.decoder, Tied):
            dense = [
                la for la in self.encoder._flatten_layers() if isinstance(la, keras.layers.Dense)
            ]
            self.decoder.tie([*dense, self.bottleneck.dense])
        output = _built(self.decoder, (self.units,), "decoder")
        if tuple(output[1:]) != self.event_shape:
            raise ValueError(
                f"The decoder must give (batch, {', '.join(map(str, self.event_shape))}), the shape of the "
                f"inputs; it gives {tuple(output)}."
            )
        if self.prior is not None and not self.prior.built:
            self.prior.build((None, self.units))
        if not self.likelihood.built:
            self.likelihood.build((None, *self.event_shape))
        for regularizer in self.regularizers:
            regularizer.build(self.event_shape, self.units)
        self.built = True


def _built(network: keras.Layer, event: tuple[int, ...], name: str) -> tuple[int | None, ...]:
    """Build a network and return the shape of its output."""
    try:
        output = network(keras.Input(event))
    except Exception as error:
        raise ValueError(
            f"The {name} cannot take inputs of shape (batch, {', '.join(map(str, event))}): {error}"
        ) from error
    shape = getattr(output, "shape", None)
    if shape is None or (name == "encoder" and len(shape) != 2):
        raise ValueError(
            f"The {name} must give one tensor (batch, features); it gives {shape or type(output)}. "
            "End it with keras.layers.Flatten()."
        )
    return tuple(shape)


def _mean(values: tf.Tensor, weights: Any) -> tf.Tensor:
    values = tf.cast(values, tf.float32)
    if len(values.shape) == 0:
        return values
    if weights is None:
        return tf.reduce_mean(values)
    return tf.math.divide_no_nan(tf.reduce_sum(values * weights), tf.reduce_sum(weights))


def _applied(optimizer: keras.optimizers.Optimizer, gradients: list, variables: list) -> tf.Tensor:
    optimizer.apply(gradients, variables)
    return tf.constant(0)


def _global_gradients(optimizer: keras.optimizers.Optimizer, gradients: list) -> list:
    """Gradients that Keras's own sum over the replicas makes those of the global batch.

    Keras clips every replica's gradient before it sums them, so that two devices differ from one. Here
    the sum comes first where the optimizer clips; each replica then hands Keras its share of the result.
    """
    clips = (optimizer.clipnorm, optimizer.clipvalue, optimizer.global_clipnorm)
    if all(clip is None for clip in clips):
        return gradients
    context = tf.distribute.get_replica_context()
    summed = context.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
    clipped = optimizer._clip_gradients(summed)
    return [gradient / context.num_replicas_in_sync for gradient in clipped]
