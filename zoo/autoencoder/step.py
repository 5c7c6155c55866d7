"""One pass and one step: what the parts of a model compute together."""

from __future__ import annotations

from typing import Any, cast

import keras
import tensorflow as tf

from zoo.batch import Batch
from zoo.bottlenecks import Bottleneck
from zoo.distributions.likelihoods import Likelihood
from zoo.distributions.priors import Prior, PriorDraw
from zoo.forward import ForwardPass, Generated
from zoo.networks.corruption import Corruption
from zoo.networks.statistics import KeptStatistics, with_kept_statistics
from zoo.noise import Noise
from zoo.objectives import Objective
from zoo.regularizers import AdversarialRegularizer, Regularizer
from zoo.serialization import at_step
from zoo.trainer.block_trainer import BlockTrainer
from zoo.trainer.replicas import filled_up
from zoo.trainer.updates import apply_finite_gradients, apply_gradients


class StepModel(BlockTrainer):
    """The part of `zoo.Autoencoder` that trains."""

    encoder: keras.Layer
    bottleneck: Bottleneck
    decoder: keras.Layer
    likelihood: Likelihood
    prior: Prior | None
    objective: Objective
    regularizers: list[Regularizer]
    corruption: Corruption | None

    @property
    def critics(self) -> list[AdversarialRegularizer]:
        """The regularizers that own a critic."""
        return [r for r in self.regularizers if isinstance(r, AdversarialRegularizer)]

    @property
    def model_variables(self) -> list[keras.Variable]:
        """What the main optimizer trains: everything but the critics."""
        critics = {id(v) for r in self.critics for v in r.critic_variables}
        return [v for v in self.trainable_variables if id(v) not in critics]

    def forward(
        self,
        batch: Batch | tf.Tensor,
        noise: Noise,
        training: bool,
        present: tf.Tensor | None = None,
    ) -> ForwardPass:
        """One pass of a batch.

        Args:
            batch: see `zoo.batch.Batch`; a tensor counts as its x.
            noise: random numbers of this step.
            training: whether this is a training step.
            present: (batch,), 1 for the rows that count and 0 for those that fill up the batch; None for all.

        Returns:
            The record that the objective and the regularizers read.
        """
        batch = batch if isinstance(batch, Batch) else Batch(batch)
        x = batch.x
        if training and self.corruption is not None:
            x = self.corruption.corrupt(x, noise.fold("corruption"))
        features = self._features(self.seen(x, batch.mask), batch.condition, training)
        step = self.step.value
        code = self.bottleneck.draw(features, noise.fold("code"), step, training)
        code = self.objective.received(code)
        samples = self.bottleneck.samples
        rows = batch.repeated(samples)
        count = tf.shape(rows.x)[0]
        if training and batch.target is not None and hasattr(self.decoder, "see_target"):
            self.decoder.see_target(batch.target)
        output = self._decoded(code.value, rows.condition, training)
        weight, counted = batch.weight, None
        if present is not None:
            weight = present if weight is None else weight * present
            counted = tf.reduce_sum(present)
        return ForwardPass(
            inputs=rows.x,
            code=code.value,
            posterior=code.posterior,
            prior=self.prior_distribution(rows.condition),
            output=self.likelihood.distribution(output),
            noise=noise,
            step=step,
            generated=self._generated(noise.fold("generated"), count, rows.condition, training),
            target=rows.target,
            condition=rows.condition,
            mask=rows.mask,
            raw=code.raw,
            notes=code.notes,
            losses=code.losses,
            measures=code.measures,
            decoded=output,
            samples=samples,
            training=training,
            weight=weight,
            weighted=batch.weight is not None,
            counted=counted,
            _model=self,
        )

    def terms(self, forward: ForwardPass) -> dict[str, tf.Tensor]:
        """The terms of the loss by name, scalars: "loss", the weighted sum, and every one without its weight.

        Args:
            forward: see `forward`.

        Returns:
            Name -> value; "loss" is what training minimises.
        """
        terms = dict(self.objective.terms(forward))
        total, added = terms["loss"], self.losses
        for regularizer in self.regularizers:
            record = forward.with_noise(forward.noise.fold(regularizer.name))
            penalty = regularizer.penalty(record, forward.training)
            if forward.weighted:
                _refuse_weights(regularizer, penalty)
            terms[regularizer.name] = penalty = forward.mean(penalty, regularizer.name)
            total = total + at_step(regularizer.weight, forward.step) * penalty
        for name, value in forward.losses.items():
            terms[name] = value = forward.mean(value, name)
            total = total + value
        for name, value in forward.measures.items():
            terms[name] = forward.mean(tf.stop_gradient(value), name)
        if added:  # by the layers of a user's own encoder and decoder
            total = total + tf.add_n([tf.cast(loss, tf.float32) for loss in added])
        terms["loss"] = total
        return terms

    def update(self, batch: Batch, noise: Noise) -> dict[str, tf.Tensor]:
        """One training step; see `BlockTrainer.update`."""
        variables, share = self.model_variables, noise.share
        kept = KeptStatistics(self) if self.skip_nonfinite else None
        with tf.GradientTape() as tape:
            forward = self.forward(batch, noise, training=True)
            terms = self.terms(forward)
            loss = self.optimizer.scale_loss(terms["loss"] * share)
        gradients = tape.gradient(loss, variables)
        for critic in self.critics:
            terms[critic_name(critic)] = self._critic_update(critic, forward, share)
        if kept is None:
            apply_gradients(self.optimizer, gradients, variables)
            return terms
        skipped = apply_finite_gradients(self.optimizer, gradients, variables)
        kept.restore(skipped > 0)
        return {**terms, "skipped": skipped}

    def measure(
        self, batch: Batch, noise: Noise, present: tf.Tensor | None
    ) -> dict[str, tf.Tensor]:
        """The terms of an evaluation batch; see `BlockTrainer.measure`."""
        forward = self.forward(batch, noise, training=False, present=present)
        rows = present
        if present is not None:
            # An operation of its own: between machines an argument of the step has no device to gather from.
            rows = tf.repeat(present, forward.samples, axis=0)
        with filled_up(rows):
            return self.terms(forward)

    def look(self, batch: Batch, noise: Noise) -> list[str]:
        """The names of the terms of a training step; see `BlockTrainer.look`."""
        forward = self.forward(batch, noise, training=True)
        return [*self.terms(forward), *map(critic_name, self.critics)]

    def encode_view(self, views: tf.Tensor, condition: Any, training: bool) -> tf.Tensor:
        """Codes of further inputs without noise, moving statistics kept; see `ForwardPass.encode`."""
        seen = self.seen(views, None)
        if not training:
            return self.bottleneck.encode(self._features(seen, condition, False))
        return self.bottleneck.encode(with_kept_statistics(self.encoder, _beside(seen, condition)))

    def decode_view(self, code: tf.Tensor, condition: Any, training: bool) -> tf.Tensor:
        """The mean of p(x|z) for codes; see `ForwardPass.decode`."""
        return self.likelihood.mean(self._decoded(code, condition, training))

    def seen(self, x: tf.Tensor, mask: tf.Tensor | None) -> tf.Tensor:
        """What the encoder is given: x, with its mask behind it where values may be missing."""
        if not self.intake.missing:
            return x
        return tf.concat([x, tf.ones_like(x) if mask is None else mask], axis=-1)

    def _features(self, seen: tf.Tensor, condition: Any, training: bool) -> tf.Tensor:
        return self.encoder(_beside(seen, condition), training=training)

    def _decoded(self, code: tf.Tensor, condition: Any, training: bool) -> tf.Tensor:
        return self.decoder(_beside(code, condition), training=training)

    def _prior_draw(
        self, noise: Noise, n: Any, label: Any, condition: Any, training: bool
    ) -> PriorDraw:
        given = {} if condition is None else {"condition": condition}
        prior = cast(Prior, self.prior)  # who asks has made sure that there is one
        return prior.draw(
            noise, n, *self.bottleneck.code_shape, label=label, training=training, **given
        )

    def _generated(
        self, noise: Noise, rows: tf.Tensor, condition: Any, training: bool
    ) -> Generated | None:
        if self.prior is None:
            return None
        return Generated(
            draw=lambda: self._prior_draw(noise, rows, None, condition, training),
            decode=lambda code: self.decode_view(code, condition, training),
            encode=lambda views: self.encode_view(views, condition, training),
        )

    def _critic_update(
        self, critic: AdversarialRegularizer, forward: ForwardPass, share: Any
    ) -> tf.Tensor:
        variables = critic.critic_variables
        apply = apply_finite_gradients if self.skip_nonfinite else apply_gradients
        for index in range(critic.critic_steps):
            own = forward.with_noise(forward.noise.fold(critic.name).fold(index))
            with tf.GradientTape() as tape:
                loss = critic.critic_loss(own)
                part_of_loss = loss * share
            apply(critic.optimizer, tape.gradient(part_of_loss, variables), variables)
        return loss


def _beside(values: tf.Tensor, condition: tf.Tensor | None) -> Any:
    """What a network is given: the values, and beside them the condition where there is one."""
    return values if condition is None else [values, condition]


def critic_name(critic: AdversarialRegularizer) -> str:
    """The name of the metric of a critic's loss."""
    return f"{critic.name}_critic"


def _refuse_weights(regularizer: Regularizer, penalty: tf.Tensor) -> None:
    """A scalar term of the rows, or a critic, cannot know how much every row counts."""
    couples = isinstance(regularizer, AdversarialRegularizer) or len(penalty.shape) == 0
    if couples and regularizer.of_rows:
        raise ValueError(
            f"The term {regularizer.name!r} couples the rows of a batch and knows no weights; received "
            "sample weights. Leave them out, or the regularizer."
        )
