"""What priors have in common whose weights are found from codes, after training."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.distributions.priors import Prior, UnscaledPrior
from zoo.noise import Noise
from zoo.serialization import deserialize_part, part, serialize_part
from zoo.tfp import tfb, tfd

HELD_OUT = 0.1  # share of the codes by which a fit is judged
_EVERY = 50  # steps between two judgements


class FittedPrior(UnscaledPrior):
    """A prior that `fit` makes for codes; see `Autoencoder.fit_prior`.

    What `fit` finds it hands to `found`: nothing else sets it in a model in use.

    Args:
        report: what `fit` found, which is saved with the model: plain numbers by name.
        trained_with: the prior that the model was trained with. Terms of the loss are given its density where
            the fitted prior can only be drawn from.

    Attributes:
        of_posteriors: whether `fit` takes the locations and scales of q(z|x), a pair, in the place of codes.
        of_indices: whether `fit` takes the indices of quantized codes in their place.

    Example:
        >>> model = zoo.create("autoencoder", (6,), latents=2, hidden=(4,))
        >>> x = np.random.default_rng(0).random((50, 6), np.float32)
        >>> fitted = model.fit_prior("gaussian_mixture", x, components="auto")
        >>> fitted.prior.components, sorted(fitted.prior.report)
        (1, ['held_out_log_likelihood', 'rows'])
    """

    fixed = ("report", "trained_with")
    of_posteriors = False
    of_indices = False

    def __init__(
        self, report: Mapping[str, Any] | None = None, trained_with: Any = None, **kwargs: Any
    ):
        super().__init__(**kwargs)
        if isinstance(trained_with, Mapping) and "name" not in trained_with:
            trained_with = deserialize_part(dict(trained_with), "prior")
        self.trained_with = part(trained_with, "prior", Prior)
        self.report = dict(report or {})

    @property
    def has_density(self) -> bool:
        """Whether the prior has a density of its own."""
        return True

    def distribution(self, *code_shape: int, condition: Any = None) -> tfd.Distribution | None:
        """p(z); a prior without a density gives that of the prior that the model was trained with."""
        if self.trained_with is None:
            return None
        given = {} if condition is None else {"condition": condition}
        return self.trained_with.distribution(*code_shape, **given)

    def build(self, input_shape: Any = None) -> None:
        """Build the prior of the training, where it is needed."""
        if self.trained_with is not None and not self.trained_with.built:
            self.trained_with.build(input_shape)
        super().build(input_shape)

    def found(self, **options: Any) -> None:
        """Set options that `fit` finds, such as the report, also where the prior is in use.

        Args:
            **options: new values by name.
        """
        in_use = self.__dict__.pop("_settled", False)
        try:
            for name, value in options.items():
                setattr(self, name, value)
        finally:
            self.__dict__["_settled"] = in_use

    def refuse_unfitted(self, found: Any) -> None:
        """Raise ValueError where `fit` has not found what it is to find."""
        if found is None:
            name = type(self).zoo_name
            raise ValueError(
                f"The prior {name!r} is fitted after training: model.fit_prior({name!r}, x)."
            )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "report": _plain(self.report),
            "trained_with": serialize_part(self.trained_with),
        }


def as_rows(codes: np.ndarray, least: int) -> np.ndarray:
    """Codes as vectors, (rows, units of all places) float64.

    Raises:
        ValueError: for fewer than `least` rows, or numbers that are not finite.
    """
    codes = np.asarray(codes, np.float64).reshape(len(codes), -1)
    if len(codes) < least:
        raise ValueError(
            f"This prior takes at least {least} codes to fit; received {len(codes)}. Pass more rows of x."
        )
    if not np.isfinite(codes).all():
        raise ValueError(
            "The codes hold NaN or infinity, to which no prior can be fitted. Did the training diverge?"
        )
    return codes


def divided(rows: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows to fit to, and a tenth to judge the fit by, at least one of each."""
    order = np.random.default_rng(seed).permutation(len(rows))
    held_out = max(1, round(HELD_OUT * len(rows)))
    return rows[order[held_out:]], rows[order[:held_out]]


def scales(rows: np.ndarray) -> np.ndarray:
    """Standard deviation of every unit, (units,), at least 1e-4 of the largest: a dead unit has none."""
    spread = rows.std(axis=0)
    return np.maximum(spread, 1e-4 * max(spread.max(), 1e-4))


def shaped(distribution: tfd.Distribution, code_shape: Sequence[int]) -> tfd.Distribution:
    """A distribution of vectors as one of codes of a shape."""
    if len(code_shape) == 1:
        return distribution
    return tfd.TransformedDistribution(distribution, tfb.Reshape(code_shape))


def maximise(
    log_likelihood: Callable[[tf.Tensor], tf.Tensor],
    variables: Sequence[keras.Variable],
    rows: np.ndarray,
    *,
    steps: int,
    seed: int,
    batch_size: int = 256,
    learning_rate: float = 2e-3,
) -> dict[str, float]:
    """Train by Adam, and keep the weights that held-out rows find most likely.

    Args:
        log_likelihood: (batch, ...) rows -> (batch,) nats.
        variables: what is trained.
        rows: all rows, of which a tenth is held out.
        steps: of the training.
        seed: of the rows that are held out, and of the batches.
        batch_size: rows of a batch, drawn with replacement.
        learning_rate: of Adam, which falls to 0 as half a cosine.

    Returns:
        The mean log-likelihood of the held-out rows, and the number of rows.

    Raises:
        ValueError: where it is not a finite number.
    """
    train, held_out = (tf.constant(part) for part in divided(rows, seed))
    schedule: Any = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    optimizer = keras.optimizers.Adam(schedule, global_clipnorm=5.0)
    optimizer.build(list(variables))

    def step(index: tf.Tensor) -> tf.Tensor:
        uniform = Noise(seed, index).fold("fit").uniform(batch_size)
        batch = tf.gather(train, tf.cast(uniform * float(len(train)), tf.int32))
        with tf.GradientTape() as tape:
            loss = -tf.reduce_mean(log_likelihood(batch))
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return index + 1

    @tf.function(autograph=False)
    def run(first: tf.Tensor, last: tf.Tensor) -> tf.Tensor:
        tf.while_loop(lambda index: index < last, step, [first])
        return tf.reduce_mean(log_likelihood(held_out))

    best, kept = -np.inf, [variable.numpy() for variable in variables]
    for first in range(0, steps, _EVERY):
        last = min(first + _EVERY, steps)
        found = float(run(tf.constant(first, tf.int64), tf.constant(last, tf.int64)))
        if found > best:
            best, kept = found, [variable.numpy() for variable in variables]
    if not np.isfinite(best):
        raise ValueError("The prior's fit diverged; fit it to codes of a smaller scale.")
    for variable, value in zip(variables, kept, strict=True):
        variable.assign(value)
    return {"held_out_log_likelihood": best, "rows": len(rows)}


def quietly(function: Callable[[], Any]) -> Any:
    """Call a fit of scikit-learn on one thread, without its warnings that it has not converged."""
    from threadpoolctl import threadpool_limits

    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")
        return function()


def _plain(report: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        str(key): _plain(value) if isinstance(value, Mapping) else value
        for key, value in report.items()
    }
