"""The pass of a batch in slices, and what is a matter of the whole batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from zoo.bottlenecks import Code
from zoo.distributions.likelihoods import Likelihood
from zoo.forward import ForwardPass
from zoo.objectives import ELBO, Objective
from zoo.regularizers import AdversarialRegularizer, Regularizer
from zoo.trainer.slices import by_rows, joined, meetings, why_whole
from zoo.trainer.terms import scalars


class Passes:
    """The passes of the slices of a batch.

    Args:
        slices: their records in order; one for a batch that is not cut.
        join: () -> the record of the whole batch.
        alike: whether the records of the slices hold what that of the whole batch holds; else only what the
            reconstruction needs, since rows met in the bottleneck or may meet in the prior.
    """

    def __init__(
        self,
        slices: Sequence[ForwardPass],
        join: Callable[[], ForwardPass] | None = None,
        alike: bool = True,
    ):
        self.slices = list(slices)
        self.alike = alike
        self._join = join
        self._whole = None if len(self.slices) > 1 else self.slices[0]

    @property
    def whole(self) -> ForwardPass:
        """The record of the whole batch, made when it is first read."""
        if self._whole is None:
            join: Any = self._join
            self._whole = join()
        return self._whole

    def objective(self, objective: Objective, likelihood: Likelihood) -> dict[str, tf.Tensor]:
        """The terms of an objective, means over the batch."""
        alone = by_rows(objective) and by_rows(likelihood)
        source = f"The objective {type(objective).__name__}"
        # The reconstruction asks for no more than what the decoder gave.
        return self._terms(
            lambda record: scalars(objective.terms(record), source),
            alone and (self.alike or type(objective) is ELBO),
        )

    def penalty(
        self, regularizer: Regularizer, compute: Callable[[ForwardPass], tf.Tensor]
    ) -> tf.Tensor:
        """The mean of what a regularizer computes: of the slices, or of the whole batch where rows meet."""
        alone = why_whole([regularizer], training=True) is None
        critic = isinstance(regularizer, AdversarialRegularizer)
        found = self._terms(
            lambda record: {"": compute(record)}, alone and not critic and self.alike
        )
        return found[""]

    def means(self, read: Callable[[ForwardPass], Mapping[str, tf.Tensor]]) -> dict[str, tf.Tensor]:
        """Means over the batch of what the bottleneck says of its rows, by name."""

        def means(record: ForwardPass) -> dict[str, tf.Tensor]:
            return {name: record.mean(value, name) for name, value in read(record).items()}

        return self._terms(means, self.alike)

    def _terms(
        self, compute: Callable[[ForwardPass], dict[str, tf.Tensor]], by_slices: bool
    ) -> dict[str, tf.Tensor]:
        if len(self.slices) == 1 or not by_slices:
            return compute(self.whole)
        with meetings() as met:
            first = compute(self.slices[0])
        if met:
            return compute(self.whole)
        terms = [first, *map(compute, self.slices[1:])]
        return {
            name: tf.add_n([_share(t[name], s) for t, s in zip(terms, self.slices, strict=True)])
            for name in first
        }


def says_rows_only(code: Code) -> bool:
    """Whether what a bottleneck says is one value for each row, so that the codes of slices can be joined."""
    terms = (*code.losses.values(), *code.measures.values())
    rows_only = all(len(term.shape) == 1 for term in terms) and _can_be_joined(code.posterior)
    return not code.notes and rows_only


def _can_be_joined(posterior: Any) -> bool:
    """Whether a distribution is made of tensors with a value for each row; that of a flow is not."""
    if posterior is None:
        return True
    leaves = tf.nest.flatten(posterior, expand_composites=True)
    tensors = all(tf.is_tensor(leaf) and leaf.shape.rank for leaf in leaves)
    return tensors and len({leaf.shape[0] for leaf in leaves}) == 1


def joined_code(slices: Sequence[ForwardPass]) -> Code:
    """The code of the whole batch from those of its slices, see `says_rows_only`."""

    def join(name: str) -> Any:
        values = [getattr(record, name) for record in slices]
        return None if values[0] is None else joined(values)

    own = {name: join(name) for name in ("posterior", "raw", "losses", "measures")}
    return Code(join("code"), **own)


def _share(mean: tf.Tensor, record: ForwardPass) -> tf.Tensor:
    """What the mean over a slice adds to that over the batch."""
    shares = record.noise.shares
    if shares is not None:  # a slice of no rows has no mean
        mean = tf.where(shares.own > 0, mean, tf.zeros_like(mean))
    return mean * record.noise.share
