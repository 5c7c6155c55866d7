"""The one model of the zoo: encoder, bottleneck, decoder, likelihood, with a prior and regularizers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from zoo.bottlenecks import Bottleneck
from zoo.code_model import CodeModel
from zoo.distributions.likelihoods import Likelihood
from zoo.distributions.priors import Prior
from zoo.forward import ForwardPass, Generated
from zoo.networks.build import built_shape, check_event_shape
from zoo.networks.corruption import Corruption
from zoo.networks.statistics import KeptStatistics, with_kept_statistics
from zoo.networks.tied import Tied
from zoo.noise import Noise
from zoo.regularizers import AdversarialRegularizer, resolve
from zoo.serialization import (
    at_step,
    deserialize_part,
    part,
    policy,
    scalar,
    scalar_config,
    serializable,
    serialize_part,
    whole_number,
)
from zoo.trainer.replicas import filled_up
from zoo.trainer.updates import apply_finite_gradients, apply_gradients


@serializable
class Autoencoder(CodeModel):
    """Encoder -> bottleneck -> decoder -> likelihood, with a prior and a list of regularizers.

    Training minimises the mean over the batch of

        reconstruction_weight * -log p(x|z) + sum_i weight_i * penalty_i

    with log p(x|z) summed over the event: the negative evidence lower bound where the regularizer is KL.

    Args:
        input_shape: shape of one example, (h, w, channels) or (d,).
        encoder: Keras model or layer, (batch, *input_shape) -> (batch, features).
        bottleneck: a name, a dict with "name" and options, or a `Bottleneck`, see `zoo.bottlenecks`.
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
        bottleneck: Any,
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
        self.bottleneck: Bottleneck = part(bottleneck, "bottleneck", Bottleneck)
        self.decoder = decoder
        self.likelihood: Likelihood = part(likelihood, "likelihood", Likelihood)
        self.prior: Prior | None = part(prior, "prior", Prior)
        self.regularizers = resolve(regularizers)
        self.corruption = _checked_corruption(corruption)
        self.reconstruction_weight = scalar(reconstruction_weight, "reconstruction_weight", 0)
        self.seed = whole_number(seed, "seed")
        self.objective = objective
        # Of the networks that a prior and critics make for themselves.
        self._policy = keras.config.dtype_policy().name
        for regularizer in self.regularizers:
            regularizer.check(self)
        self._build_parts()

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
    def jit_possible(self) -> bool:
        """Whether XLA has all operations of the step."""
        return all(regularizer.jit_possible for regularizer in self.regularizers)

    @property
    def input_bounds(self) -> tuple[float, float] | None:
        """The range of the inputs, where the likelihood has one."""
        return self.likelihood.bounds

    @property
    def critics(self) -> list[AdversarialRegularizer]:
        """The regularizers that own a critic."""
        return [r for r in self.regularizers if isinstance(r, AdversarialRegularizer)]

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
        code, posterior = self.bottleneck.draw(features, noise.fold("code"), step, training)
        if self.bottleneck.samples > 1:
            inputs = tf.repeat(inputs, self.bottleneck.samples, axis=0)
        rows = tf.shape(inputs)[0]
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
        loss = self.likelihood.loss(output, record.inputs)
        reconstruction = _mean(loss, weights, "reconstruction")
        total, penalties = self._weighted(reconstruction, record.step), []
        added = self.losses  # what the layers of a user's own encoder and decoder add
        for regularizer in self.regularizers:
            own = record._replace(noise=record.noise.fold(regularizer.name))
            penalty = _mean(regularizer.penalty(own, training), weights, regularizer.name)
            total = total + at_step(regularizer.weight, record.step) * penalty
            penalties.append(penalty)
        if added:
            total = total + tf.add_n([tf.cast(loss, tf.float32) for loss in added])
        return [total, reconstruction, *penalties]

    def update(self, inputs: tf.Tensor, noise: Noise) -> list[tf.Tensor]:
        """One training step; see `BlockTrainer.update`."""
        variables, share = self.model_variables, noise.share
        kept = KeptStatistics(self) if self.skip_nonfinite else None
        with tf.GradientTape() as tape:
            record, output = self.forward(inputs, noise, training=True)
            terms = self.terms(record, output, training=True)
            loss = self.optimizer.scale_loss(terms[0] * share)
        gradients = tape.gradient(loss, variables)
        critics = [self._critic_update(critic, record, share) for critic in self.critics]
        if kept is None:
            apply_gradients(self.optimizer, gradients, variables)
            return [*terms, *critics]
        skipped = apply_finite_gradients(self.optimizer, gradients, variables)
        kept.restore(skipped > 0)
        return [*terms, *critics, skipped]

    def measure(self, inputs: tf.Tensor, noise: Noise, weights: Any) -> list[tf.Tensor]:
        """The terms of an evaluation batch; see `BlockTrainer.measure`."""
        record, output = self.forward(inputs, noise, training=False)
        if weights is not None:
            weights = tf.repeat(weights, self.bottleneck.samples, axis=0)
        with filled_up(weights):
            return self.terms(record, output, training=False, weights=weights)

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
            "policy": self._policy,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Autoencoder:
        """The inverse of `get_config`."""
        config = dict(config)
        with policy(config.pop("policy", None)):  # models saved before it was kept have none
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

    def _critic_update(
        self, critic: AdversarialRegularizer, record: ForwardPass, share: Any
    ) -> tf.Tensor:
        variables = critic.critic_variables
        apply = apply_finite_gradients if self.skip_nonfinite else apply_gradients
        for index in range(critic.critic_steps):
            own = record._replace(noise=record.noise.fold(critic.name).fold(index))
            with tf.GradientTape() as tape:
                loss = critic.critic_loss(own)
                part_of_loss = loss * share
            apply(critic.optimizer, tape.gradient(part_of_loss, variables), variables)
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

    def _build_parts(self) -> None:
        features = built_shape(self.encoder, self.event_shape, "encoder")
        if not self.bottleneck.built:
            self.bottleneck.build(features)
        if isinstance(self.decoder, Tied):
            dense = [
                la for la in self.encoder._flatten_layers() if isinstance(la, keras.layers.Dense)
            ]
            self.decoder.tie([*dense, self.bottleneck.dense])
        output = built_shape(self.decoder, (self.units,), "decoder")
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
            if regularizer.built and regularizer.weights:
                raise ValueError(
                    f"regularizer {regularizer.name!r} has the weights of another model already: give "
                    "every model one of its own."
                )
            regularizer.build(self.event_shape, self.units)
        for part_ in (self.bottleneck, self.prior, self.likelihood, *self.regularizers):
            if part_ is not None and not part_.trainable:
                part_.trainable = True  # TensorFlow skips the assignment of the value that is there
                part_.trainable = False
        self.built = True


def _checked_corruption(corruption: Any) -> Corruption | None:
    if corruption is None or isinstance(corruption, Corruption):
        return corruption
    raise ValueError(
        "corruption must be None or a layer such as zoo.networks.MaskingNoise(0.2); received "
        f"{corruption!r}."
    )


def _mean(values: tf.Tensor, weights: Any, name: str) -> tf.Tensor:
    values = tf.cast(values, tf.float32)
    if len(values.shape) > 1:
        raise ValueError(
            f"The term {name!r} must be one number for each example, (batch,), or a scalar; it has shape "
            f"{tuple(values.shape)}. Sum it over the other axes."
        )
    if len(values.shape) == 0:
        return values
    if weights is None:
        return tf.reduce_mean(values)
    return tf.math.divide_no_nan(tf.reduce_sum(values * weights), tf.reduce_sum(weights))
