"""What is drawn: a model, some of its data, and their codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from zoo.evaluation.checks import as_seen
from zoo.evaluation.subject import condition_of, of_rows
from zoo.visualization.drawing.inputs import as_codes, as_examples, as_labels
from zoo.visualization.drawing.mosaics import Limits, value_range

_EXAMPLES = 2000  # at most; more make no clearer picture
_CLASSES = 20  # more labels are not classes
_APART = 30  # times that a column may vary more than another before it hides it on one scale


class Subject(NamedTuple):
    """What is drawn: a model, some of its data, and their codes."""

    model: Any
    x: np.ndarray
    codes: np.ndarray
    classes: np.ndarray | None
    class_names: Sequence[str] | None
    factors: np.ndarray | None
    prior: Any
    stochastic: bool
    limits: Limits
    seed: int
    columns: tuple[np.ndarray, np.ndarray] | None = None
    conditional: bool = False

    @property
    def event(self) -> tuple[int, ...]:
        """Shape of an example."""
        return self.x.shape[1:]

    @property
    def decoder(self) -> Any:
        """What draws codes: the model, or a function that gives `shown` of what it decodes."""
        if self.columns is None:
            return self.model
        return lambda codes: self.shown(self.model.decode(codes))

    @property
    def in_words(self) -> str:
        """What a caption says of the units of what is shown; "" where they are the data's."""
        if self.columns is None:
            return ""
        return (
            " Each coordinate in its standard deviations from its mean, since their scales differ."
        )

    @property
    def decoded_in_words(self) -> str:
        """As `in_words`, of codes that are decoded under one condition where the model declares one."""
        under = " Codes are decoded under the condition of the first example." * self.conditional
        return under + self.in_words

    def shown(self, examples: np.ndarray) -> np.ndarray:
        """Examples on scales on which every column of a table can be seen."""
        if self.columns is None:
            return examples
        mean, deviation = self.columns
        return (as_examples(examples) - mean) / deviation

    @property
    def units(self) -> int:
        """Length of a code."""
        return self.codes.shape[1]

    @property
    def few_classes(self) -> np.ndarray | None:
        """The labels where they are few enough to be classes."""
        known = self.classes
        return None if known is None or len(np.unique(known)) > _CLASSES else known

    @property
    def source(self) -> tuple[Any, str]:
        """Where codes come from, and its name: a code without noise need not follow its prior."""
        return (self.prior, "the prior") if self.stochastic else (self.codes, "the data's codes")


class Given:
    """A model that declares a condition, on rows whose condition is known.

    Codes are decoded under the condition of the first row, and examples generated under those of all in turn.

    Args:
        model: as `zoo.models.conditional_vae`.
        condition: of each row, (n, ...) or a dict of such.
        rows: n.

    Example:
        >>> from zoo.visualization.subject import Given
        >>> model = zoo.create("conditional_vae", (6,), condition=3, latents=2, hidden=(4,))
        >>> given = Given(model, np.array([0, 1, 2, 1]), 4)
        >>> given.encode(np.zeros((4, 6), "float32")).shape, given.generate(7).shape
        ((4, 2), (7, 6))
    """

    def __init__(self, model: Any, condition: Any, rows: int):
        self.model, self.condition, self.rows = model, condition, rows

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)

    def encode(self, x: np.ndarray) -> np.ndarray:
        """The codes of the first rows."""
        return self.model.encode(x, condition=of_rows(self.condition, slice(len(x))))

    def reconstruct(self, x: np.ndarray) -> np.ndarray:
        """The first rows, reconstructed."""
        return self.model.reconstruct(x, condition=of_rows(self.condition, slice(len(x))))

    def decode(self, z: np.ndarray) -> np.ndarray:
        """Codes decoded under the first row's condition."""
        return self.model.decode(z, condition=of_rows(self.condition, np.zeros(len(z), int)))

    def generate(self, n: int, seed: int = 0) -> np.ndarray:
        """New examples under the rows' conditions."""
        in_turn = np.arange(n) % self.rows
        return self.model.generate(n, seed, condition=of_rows(self.condition, in_turn))


def subject_of(
    model: Any,
    x: Any,
    labels: Any,
    factors: Any,
    seed: int,
    names: Sequence[str] | None,
    condition: Any = None,
) -> Subject:
    """The subject of `zoo.visualization.figures_for`'s arguments.

    Args:
        model: encodes.
        x: (n, *event); 2000 at most are drawn from it.
        labels: (n,), or None.
        factors: (n, k), or None.
        seed: of the choice of examples, and of every later draw.
        names: the name of each label, or None.
        condition: of each row, where the model declares one; None for the labels.

    Returns:
        A `Subject`.

    Raises:
        ValueError: for data that are empty or not finite, or labels and factors that do not match.
    """
    whole = np.asarray(x)
    count = len(whole) if whole.ndim else 0
    classes = as_labels(labels, count)
    known = None if factors is None else as_codes(factors, "factors")
    if known is not None and len(known) != count:
        raise ValueError(
            f"factors must be one row for each of the {count} examples; received {len(known)} rows."
        )
    chosen = np.random.default_rng(seed).permutation(count)[:_EXAMPLES]
    data = as_seen(model, whole[chosen] if count else whole)
    of_all = condition_of(model, labels if condition is None else condition, count)
    conditional = of_all is not None
    if conditional:
        model = Given(model, of_rows(of_all, chosen), len(chosen))
    limits = value_range(as_examples(data))
    codes = as_codes(model.encode(data), "model.encode(x)")
    prior = model.prior_distribution() if hasattr(model, "prior_distribution") else None
    return Subject(
        model=model,
        x=data,
        codes=codes,
        classes=None if classes is None else classes[chosen],
        class_names=names,
        factors=None if known is None else known[chosen],
        prior=prior,
        stochastic=not conditional and prior is not None and model.posterior(data[:1]) is not None,
        limits=limits,
        seed=seed,
        columns=_far_apart(as_examples(data)),
        conditional=conditional,
    )


def _far_apart(x: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Mean and standard deviation of the columns of a table where one would hide another on one scale."""
    if x.ndim != 2 or x.shape[1] < 3:
        return None
    mean, deviation = x.mean(axis=0), x.std(axis=0)
    moves = deviation[deviation > 0]
    if not len(moves) or moves.max() < _APART * moves.min():
        return None
    return mean, np.where(deviation > 0, deviation, 1.0)
