"""One pass and one step: what the parts of a model compute together."""

from __future__ import annotations

import contextlib
import functools
from typing import Any, cast

import keras
import tensorflow as tf

from zoo.autoencoder.given import (
    check_critic_gradients,
    code_of,
    critic_loss_of,
    named_once,
    penalty_of,
)
from zoo.autoencoder.passes import Passes, joined_code, says_rows_only
from zoo.batch import Batch
from zoo.bottlenecks import Bottleneck, Code
from zoo.distributions.likelihoods import Likelihood
from zoo.distributions.priors import Prior, PriorDraw
from zoo.forward import ForwardPass, Generated
from zoo.networks.corruption import Corruption
from zoo.networks.standardization import Standardization
from zoo.networks.statistics import KeptStatistics, with_kept_statistics
from zoo.noise import Noise
from zoo.objectives import Objective
from zoo.regularizers import AdversarialRegularizer, Regularizer
from zoo.serialization import at_step
from zoo.trainer.block_trainer import BlockTrainer
from zoo.trainer.casts import cast_once
from zoo.trainer.replicas import filled_up
from zoo.trainer.slices import (
    cut,
    divided,
    each_or_whole,
    joined,
    meetings,
    note_meeting,
    through,
    why_whole,
)
from zoo.trainer.terms import own_terms
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
    standardization: Standardization | None

    @property
    def critics(self) -> list[AdversarialRegularizer]:
        """The regularizers that own a critic."""
        return [r for r in self.regularizers if isinstance(r, AdversarialRegularizer)]

    @property
    def optimizers(self) -> list[keras.Optimizer]:
        """Those that a training step uses, the model's first."""
        return [*super().optimizers, *(critic.optimizer for critic in self.critics)]

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
        return self._passes(batch, noise, training, present, 1).whole

    def passes(
        self, batch: Batch, noise: Noise, training: bool, present: tf.Tensor | None = None
    ) -> Passes:
        """One pass of a batch, in slices where it is cut into several; arguments as in `forward`."""
        # A slice of no rows, which a number that is not known yet may make, has no gradient.
        uncut = present is not None or (training and batch.x.shape[0] is None)
        return self._passes(batch, noise, training, present, 1 if uncut else self.slices)

    def _passes(
        self,
        batch: Batch,
        noise: Noise,
        training: bool,
        present: tf.Tensor | None,
        count: int,
    ) -> Passes:
        batch = batch._replace(x=self.standardized(batch.x, batch.mask))
        cuts = cut(batch, noise, count)
        slices, noises = [own for own, _ in cuts], [of_own for _, of_own in cuts]
        inputs = [own.x for own in slices]
        if training and self.corruption is not None:
            streams = [n.fold("corruption") for n in noises]
            corrupt, stream = self.corruption.corrupt, noise.fold("corruption")
            inputs = each_or_whole(self.corruption, corrupt, inputs, streams, stream)
        seen = [self.seen(x, own.mask) for x, own in zip(inputs, slices, strict=True)]
        given = [_beside(x, own.condition) for x, own in zip(seen, slices, strict=True)]
        features = through(self.encoder, given, training)
        codes, whole = self._drawn(features, noises, noise, training)
        repeated = [own.repeated(self.bottleneck.samples).condition for own in slices]
        given = [_beside(code.value, c) for code, c in zip(codes, repeated, strict=True)]
        if training and batch.target is not None and hasattr(self.decoder, "see_target"):
            self.decoder.see_target(batch.target)
        outputs = through(self.decoder, given, training)
        records = [
            self._record(own, code, output, of_own, training, present)
            for own, code, output, of_own in zip(slices, codes, outputs, noises, strict=True)
        ]

        def join() -> ForwardPass:
            code = joined_code(records) if whole is None else whole
            return self._record(batch, code, tf.concat(outputs, 0), noise, training, present)

        known = why_whole([self.likelihood, *filter(None, [self.prior])], training) is None
        return Passes(records, join, alike=known and whole is None)

    def _drawn(
        self, features: list[Any], noises: list[Noise], noise: Noise, training: bool
    ) -> tuple[list[Code], Code | None]:
        """The codes of the slices, and that of the whole batch where the bottleneck had to see it whole."""
        step = self.step.value

        def draw(features: Any, noise: Noise) -> Code:
            own = self.bottleneck
            drawn = own.draw_pairs if self.intake.paired else own.draw
            code = code_of(own, drawn(features, noise.fold("code"), step, training))
            return self.objective.received(code)

        if len(features) == 1:
            return [draw(features[0], noise)], None
        if why_whole([self.bottleneck, self.objective], training) is None:
            with meetings() as met:
                codes = [draw(own, of_own) for own, of_own in zip(features, noises, strict=True)]
            if not met and says_rows_only(codes[0]):
                return codes, None
        whole = draw(joined(features), noise)
        values = divided(whole.value, features, times=self.bottleneck.samples)
        return [Code(value) for value in values], whole

    def _record(
        self,
        batch: Batch,
        code: Code,
        output: tf.Tensor,
        noise: Noise,
        training: bool,
        present: tf.Tensor | None,
    ) -> ForwardPass:
        samples, step = self.bottleneck.samples, self.step.value
        if batch.weight is not None:
            _refuse_weighted_code(code)
        rows = batch.repeated(samples)
        count = tf.shape(rows.x)[0]
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

    def terms(self, forward: ForwardPass | Passes) -> dict[str, tf.Tensor]:
        """The terms of the loss by name, scalars: "loss", the weighted sum, and every one without its weight.

        Args:
            forward: see `forward` and `passes`.

        Returns:
            Name -> value; "loss" is what training minimises.
        """
        passes = forward if isinstance(forward, Passes) else Passes([forward])
        terms = dict(passes.objective(self.objective, self.likelihood))
        total, added, step = terms["loss"], self.losses, self.step.value
        for regularizer in self.regularizers:
            penalty = passes.penalty(regularizer, functools.partial(_penalty, regularizer))
            terms[named_once(terms, regularizer.name, "A regularizer")] = penalty
            total = total + at_step(regularizer.weight, step) * penalty
        for name, value in passes.means(lambda record: record.losses).items():
            terms[named_once(terms, name, "The bottleneck")] = value
            total = total + value
        for name, value in passes.means(lambda record: record.measures).items():
            terms[named_once(terms, name, "The bottleneck")] = tf.stop_gradient(value)
        if added:  # by the layers of a user's own encoder and decoder
            total = total + tf.add_n([tf.cast(loss, tf.float32) for loss in added])
        terms["loss"] = total
        return terms

    def update(self, batch: Batch, noise: Noise) -> dict[str, tf.Tensor]:
        """One training step; see `BlockTrainer.update`."""
        variables, share = self.model_variables, noise.share
        kept = KeptStatistics(self) if self.skip_nonfinite else None
        critics = [v.value for critic in self.critics for v in critic.critic_variables]
        # What critics say of the model's pictures is computed once, for the model's loss and for their own.
        with tf.GradientTape(persistent=True, watch_accessed_variables=False) as judging:
            judging.watch(critics)
            with tf.GradientTape() as tape, self._weights_cast_once():
                passes = self.passes(batch, noise, training=True)
                terms = self.terms(passes)
                loss = self.optimizer.scale_loss(terms["loss"] * share)
                losses = [critic_loss(critic, passes.whole, 0) for critic in self.critics]
        gradients = tape.gradient(loss, variables)
        for critic, first in zip(self.critics, losses, strict=True):
            of_first = judging.gradient(first, critic.critic_variables, share)
            check_critic_gradients(critic.name, of_first)
            last = self._critic_update(critic, passes.whole, share, of_first)
            terms[critic_name(critic)] = first if last is None else last
        if kept is None:
            apply_gradients(self.optimizer, gradients, variables)
            return terms
        skipped = apply_finite_gradients(self.optimizer, gradients, variables)
        kept.restore(skipped > 0)
        return {**terms, "skipped": skipped}

    def _weights_cast_once(self) -> contextlib.AbstractContextManager[None]:
        several = self.distribute_strategy.num_replicas_in_sync > 1
        # Replicas are threads that trace at the same time, and a weight is one object for all of them.
        return cast_once([] if several else self._flatten_layers(include_self=False))

    def measure(
        self, batch: Batch, noise: Noise, present: tf.Tensor | None
    ) -> dict[str, tf.Tensor]:
        """The terms of an evaluation batch; see `BlockTrainer.measure`."""
        passes = self.passes(batch, noise, training=False, present=present)
        rows = present
        if present is not None:
            # An operation of its own: between machines an argument of the step has no device to gather from.
            rows = tf.repeat(present, self.bottleneck.samples, axis=0)
        with filled_up(rows):
            return self.terms(passes)

    def look(self, batch: Batch, noise: Noise) -> list[str]:
        """The names of the terms of a training step; see `BlockTrainer.look`."""
        passes = self.passes(batch, noise, training=True)
        names = [*self.terms(passes), *map(critic_name, self.critics)]
        if type(self).update is StepModel.update:
            return names
        return own_terms(self.update(batch, noise), names, self.skip_nonfinite)

    @property
    def used_by_rows(self) -> bool:
        """Whether nothing in the model lets rows meet outside training; see `BlockTrainer.used_by_rows`."""
        chosen = (self.bottleneck, self.prior, self.likelihood)
        return why_whole([self.encoder, self.decoder, *filter(None, chosen)], False) is None

    def encode_view(self, views: tf.Tensor, condition: Any, training: bool) -> tf.Tensor:
        """Codes of further inputs without noise, moving statistics kept; see `ForwardPass.encode`."""
        self._met([self.encoder, self.bottleneck], training)
        seen = self.seen(views, None)
        if not training:
            return self.bottleneck.encode(self._features(seen, condition, False))
        return self.bottleneck.encode(with_kept_statistics(self.encoder, _beside(seen, condition)))

    def decode_view(self, code: tf.Tensor, condition: Any, training: bool) -> tf.Tensor:
        """The mean of p(x|z) for codes; see `ForwardPass.decode`."""
        return self.likelihood.mean(self.decoder_view(code, condition, training))

    def decoder_view(self, code: tf.Tensor, condition: Any, training: bool) -> tf.Tensor:
        """What the decoder gives for codes; see `ForwardPass.decoder_output`."""
        self._met([self.decoder], training)
        return self._decoded(code, condition, training)

    def standardized(self, x: tf.Tensor, mask: tf.Tensor | None) -> tf.Tensor:
        """X as networks and likelihood see it; where it is standardized, missing values are 0, the mean."""
        if self.standardization is None:
            return x
        x = self.standardization(x)
        return x if mask is None else x * mask

    def seen(self, x: tf.Tensor, mask: tf.Tensor | None) -> tf.Tensor:
        """What the encoder is given: x, with its mask behind it where values may be missing."""
        if self.intake.target_shape is None or self.intake.paired:
            x = self.likelihood.seen(x)
        if not self.intake.missing:
            return x
        return tf.concat([x, tf.ones_like(x) if mask is None else mask], axis=-1)

    def _met(self, members: list[keras.Layer], training: bool) -> None:
        """Note that rows meet in what is about to be computed, where they do."""
        if why_whole(members, training) is not None:
            note_meeting()

    def _features(self, seen: tf.Tensor, condition: Any, training: bool) -> tf.Tensor:
        return through(self.encoder, [_beside(seen, condition)], training)[0]

    def _decoded(self, code: tf.Tensor, condition: Any, training: bool) -> tf.Tensor:
        return through(self.decoder, [_beside(code, condition)], training)[0]

    def _prior_draw(
        self, noise: Noise, n: Any, label: Any, condition: Any, training: bool
    ) -> PriorDraw:
        given = {} if condition is None else {"condition": condition}
        prior = cast(Prior, self.prior)  # who asks has made sure that there is one
        self._met([prior], training)
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
        self, critic: AdversarialRegularizer, forward: ForwardPass, share: Any, of_first: list[Any]
    ) -> tf.Tensor | None:
        """All steps of a critic, given the gradients of its first; the last loss, or None after one step."""
        variables, loss = critic.critic_variables, None
        apply = apply_finite_gradients if self.skip_nonfinite else apply_gradients
        apply(critic.optimizer, of_first, variables)
        for index in range(1, critic.critic_steps):
            with tf.GradientTape() as tape:
                loss = critic_loss(critic, forward.anew(), index)
                part_of_loss = loss * share
            apply(critic.optimizer, tape.gradient(part_of_loss, variables), variables)
        return loss


def critic_loss(critic: AdversarialRegularizer, forward: ForwardPass, index: int) -> tf.Tensor:
    """What a critic minimises in one of its steps, with noise of that step's own."""
    noise = forward.noise.fold(critic.name).fold(index)
    return critic_loss_of(critic.name, critic.critic_loss(forward.with_noise(noise)))


def _beside(values: tf.Tensor, condition: tf.Tensor | None) -> Any:
    """What a network is given: the values, and beside them the condition where there is one."""
    return values if condition is None else [values, condition]


def critic_name(critic: AdversarialRegularizer) -> str:
    """The name of the metric of a critic's loss."""
    return f"{critic.name}_critic"


def _penalty(regularizer: Regularizer, forward: ForwardPass) -> tf.Tensor:
    """The mean penalty of a pass."""
    record = forward.with_noise(forward.noise.fold(regularizer.name))
    penalty = penalty_of(regularizer.name, regularizer.penalty(record, forward.training))
    if forward.weighted:
        _refuse_weights(regularizer, penalty)
    if len(penalty.shape) == 0:
        note_meeting()  # of the rows, or of none
    return forward.mean(penalty, regularizer.name)


def _refuse_weighted_code(code: Code) -> None:
    """As `_refuse_weights`, for the terms of a bottleneck."""
    for name, value in code.losses.items():
        if len(value.shape) == 0:
            raise ValueError(
                f"The term {name!r} of the bottleneck couples the rows of a batch and knows no weights; "
                "received sample weights. Leave them out."
            )


def _refuse_weights(regularizer: Regularizer, penalty: tf.Tensor) -> None:
    """A scalar term of the rows, or a critic, cannot know how much every row counts."""
    couples = isinstance(regularizer, AdversarialRegularizer) or len(penalty.shape) == 0
    if couples and regularizer.of_rows:
        raise ValueError(
            f"The term {regularizer.name!r} couples the rows of a batch and knows no weights; received "
            "sample weights. Leave them out, or the regularizer."
        )
