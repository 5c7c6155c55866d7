"""Likelihoods of the columns of a table: one for each kind, and all of them as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from zoo.distributions.likelihoods import Likelihood
from zoo.registry import register
from zoo.serialization import deserialize_part, part, serialize_part, whole_number
from zoo.tfp import tfd
from zoo.values import ColumnRule

if TYPE_CHECKING:
    from zoo.autoencoder import Autoencoder


@register("one_hot", kind="likelihood")
class OneHotLikelihood(Likelihood):
    """A category of several, in as many columns of which one is 1: softmax over the last axis.

    -log p = -sum_k x_k log softmax(l)_k

    Args:
        reduction: as in `Likelihood`.

    Example:
        >>> model = zoo.create("vae", (3,), latents=2, hidden=(4,), likelihood="one_hot")
        >>> found = model.reconstruct(np.eye(3, dtype="float32"))  # probabilities
        >>> bool(np.allclose(found.sum(axis=1), 1, atol=1e-5))
        True
    """

    bounds = (0.0, 1.0)

    def __init__(self, reduction: str = "sum", **kwargs: Any):
        if kwargs.pop("activation", None) not in (None, "softmax"):
            raise ValueError("The likelihood 'one_hot' has the activation 'softmax'; leave it out.")
        super().__init__(reduction, "softmax", **kwargs)

    def distribution(self, output: tf.Tensor) -> tfd.Distribution:
        """One category for each row of the last axis, independent over the others."""
        logits = tf.cast(output, tf.float32)
        found = tfd.OneHotCategorical(logits=logits, dtype=tf.float32)
        return tfd.Independent(found, len(logits.shape) - 2)

    def elementwise(self, output: tf.Tensor, inputs: tf.Tensor) -> tf.Tensor:
        """-x_k log softmax(l)_k of every column, in nats: 0 but for the category's own."""
        return -inputs * tf.nn.log_softmax(output)


@register("columns", kind="likelihood")
class ColumnsLikelihood(Likelihood):
    """p(x|z) = prod_g p_g(x_g|z): each group of neighbouring columns of a table has a likelihood of its own.

    The model of Nazabal et al., "Handling incomplete heterogeneous data using VAEs", 2020, equation 1, whose
    kinds are these: "normal" for real numbers, "bernoulli" for yes and no, "one_hot" for a category,
    "poisson" and "negative_binomial" for counts. `zoo.data.columns` encodes a table so, and gives this part.
    Any likelihood of rows of numbers may be a group.

    A number outside of what its column's likelihood takes, such as a 2 for a Bernoulli, is refused by the
    model's methods. Its term of `loss` is NaN.

    Args:
        groups: the likelihoods in the order of the columns, each a name, or a dict of a name and options,
            with "columns", how many columns it is of; 1 where it is left out.
        reduction: "sum" over the columns, in nats; the groups' own is not used.

    Attributes:
        members: the groups' likelihoods.
        widths: how many columns each has.

    Example:
        >>> groups = [{"name": "normal", "columns": 2}, "bernoulli", {"name": "one_hot", "columns": 3}]
        >>> likelihood = {"name": "columns", "groups": groups}
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,), likelihood=likelihood)
        >>> x = np.float32([[0.3, -1.2, 1, 0, 0, 1], [-0.5, 2.0, 0, 1, 0, 0]])
        >>> model.reconstruct(x).shape
        (2, 6)
    """

    fixed = ("groups",)

    def __init__(self, groups: Sequence[Any] = (), reduction: str = "sum", **kwargs: Any):
        kwargs.pop("activation", None)
        super().__init__(reduction, **kwargs)
        if reduction == "root":
            raise ValueError(
                "The likelihood 'columns' takes reduction='sum' or 'mean'; received 'root'."
            )
        if isinstance(groups, str | Mapping):
            groups = [groups]
        if not groups:
            raise ValueError(
                "The likelihood 'columns' needs groups=[...], a likelihood for each group of columns. "
                "zoo.data.columns.fit(table).likelihood() gives it for a table."
            )
        made = [_group(each) for each in groups]
        self.members = [member for member, _ in made]
        self.widths = tuple(width for _, width in made)
        bounds = {member.bounds for member in self.members}
        # Of no range as a whole; not None either, which is for numbers that may be brought to another scale.
        self.bounds = bounds.pop() if len(bounds) == 1 else (-np.inf, np.inf)

    @property
    def groups(self) -> list[dict[str, Any]]:
        """The likelihoods and their widths, as the constructor takes them."""
        pairs = zip(self.members, self.widths, strict=True)
        return [{"part": serialize_part(member), "columns": width} for member, width in pairs]

    def build(self, input_shape: Any) -> None:
        """Build the members, each for its own columns.

        Raises:
            ValueError: for another number of columns than the groups have.
        """
        self._check_width(tuple(input_shape[1:]))
        for member, width in zip(self.members, self.widths, strict=True):
            member.build((None, width))
        self.built = True

    def check(self, model: Autoencoder) -> None:
        """Let `model` refuse what a column cannot hold."""
        model.intake.rules = self.rules

    @property
    def rules(self) -> list[ColumnRule]:
        """What each group's columns may hold, for the groups that do not take every number."""
        ends = np.cumsum(self.widths)
        return [
            ColumnRule(
                slice(int(end) - width, int(end)),
                type(member).zoo_name,
                *(member.bounds or (-np.inf, np.inf)),
                member.only_whole,
            )
            for member, width, end in zip(self.members, self.widths, ends, strict=True)
            if member.bounds is not None or member.only_whole
        ]

    def decoder_shape(self, event_shape: Sequence[int]) -> tuple[int, ...]:
        """The sum of what the members need."""
        self._check_width(tuple(event_shape))
        return (sum(self._needed),)

    def encoder_shape(self, event_shape: Sequence[int]) -> tuple[int, ...]:
        """The shape of a row."""
        self._check_width(tuple(event_shape))
        return tuple(event_shape)

    def seen(self, inputs: tf.Tensor) -> tf.Tensor:
        """What each member shows the encoder of its columns: counts as log(1 + x)."""
        pairs = zip(self.members, tf.split(inputs, self.widths, axis=-1), strict=True)
        return tf.concat([member.seen(x) for member, x in pairs], axis=-1)

    def is_of_counts(self, event_shape: Sequence[int]) -> bool:
        """False: fractions may stand beside counts, and `rules` hold each column to its own."""
        del event_shape
        return False

    def possible(self, uniform: np.ndarray) -> np.ndarray:
        """See `Likelihood.possible`: of each column what its likelihood takes."""
        parts = np.split(uniform, np.cumsum(self.widths)[:-1], axis=-1)
        pairs = zip(self.members, parts, strict=True)
        return np.concatenate([member.possible(own) for member, own in pairs], axis=-1)

    def mean(self, output: tf.Tensor) -> tf.Tensor:
        """E[x|z], (batch, columns) float32: of categories the probabilities."""
        pairs = zip(self.members, self._split(output), strict=True)
        return tf.concat([member.mean(own) for member, own in pairs], axis=-1)

    def distribution(self, output: tf.Tensor) -> tfd.Distribution:
        """The groups beside each other, independent given z."""
        pairs = zip(self.members, self._split(output), strict=True)
        return tfd.Blockwise(
            [member.distribution(own) for member, own in pairs], dtype_override=tf.float32
        )

    def elementwise(self, output: tf.Tensor, inputs: tf.Tensor) -> tf.Tensor:
        """-log p of every column, in nats; NaN where a column cannot hold its number."""
        terms = []
        columns = tf.split(inputs, self.widths, axis=-1)
        for member, own, x in zip(self.members, self._split(output), columns, strict=True):
            term = member.elementwise(own, x)
            if member.bounds is not None:
                low, high = member.bounds
                term = tf.where((x >= low) & (x <= high), term, np.nan)
            terms.append(term)
        return tf.concat(terms, axis=-1)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"name": self.name, "reduction": self.reduction, "groups": self.groups}

    @property
    def _needed(self) -> list[int]:
        """How many numbers of the decoder each member takes."""
        found = []
        for member, width in zip(self.members, self.widths, strict=True):
            needed = member.decoder_shape((width,))
            if len(needed) != 1 or tuple(member.encoder_shape((width,))) != (width,):
                raise ValueError(
                    f"The likelihood {type(member).zoo_name!r} is not one of rows of numbers, as a group of "
                    "columns needs; for a category take 'one_hot'."
                )
            found.append(needed[0])
        return found

    def _split(self, output: tf.Tensor) -> list[tf.Tensor]:
        return tf.split(tf.cast(output, tf.float32), self._needed, axis=-1)

    def _check_width(self, shape: tuple[int, ...]) -> None:
        if shape != (sum(self.widths),):
            raise ValueError(
                f"The groups of the likelihood 'columns' have {sum(self.widths)} columns; received examples "
                f"of shape {shape}."
            )


def _group(given: Any) -> tuple[Likelihood, int]:
    """A likelihood and its number of columns, from what names it or what a configuration holds."""
    options = dict(given) if isinstance(given, Mapping) else {"name": given}
    width = whole_number(options.pop("columns", 1), "columns of a group", 1)
    if "part" in options:
        return deserialize_part(options["part"], "likelihood"), width
    named = options["name"] if isinstance(options.get("name"), Likelihood) else options
    member = part(named, "likelihood", Likelihood)
    if isinstance(member, ColumnsLikelihood):
        raise ValueError("A group of the likelihood 'columns' cannot be 'columns' itself.")
    return member, width
