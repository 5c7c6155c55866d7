"""Priors p(z), by name."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from zoo.distributions.families import CAUCHY_MARGIN, by_quantile
from zoo.noise import Noise
from zoo.parts import Part
from zoo.registry import register
from zoo.serialization import scalar
from zoo.tfp import tfd


class PriorDraw(NamedTuple):
    """Codes drawn from a prior, (batch, *code), and their labels, (batch, classes) one-hot or None."""

    label: tf.Tensor | None
    code: tf.Tensor


class Prior(Part):
    """p(z). As it stands, a factorised one, of which a subclass gives the distribution of one unit.

    A prior of another form overrides `distribution` and `sample` (or `draw`), and makes its weights in
    `build`; one that asks its model, as a VampPrior asks the encoder, sets ``sees_model = True``. In a model
    with a condition, `distribution` and `draw` are given it.

    Args:
        scale: scale of every unit, above 0.

    Attributes:
        classes: number of labels of a prior p(z) = sum_c p(c) p(z|c) that can be asked for one; else None.
        classifies: whether `classify` gives log p(c|z) of codes.

    Example:
        >>> from tensorflow_probability import distributions as tfd
        >>> @zoo.register("logistic", kind="prior")
        ... class LogisticPrior(zoo.distributions.Prior):
        ...     def marginal(self, shape=()):
        ...         return tfd.Logistic(np.zeros(shape, "float32"), self.scale)
        >>> prior = {"name": "logistic", "scale": 0.5}
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,), prior=prior)
        >>> model.generate(3, seed=0).shape
        (3, 6)
    """

    classes: int | Any = None
    classifies = False

    def __init__(self, scale: float = 1.0, **kwargs: Any):
        super().__init__(dtype="float32", **kwargs)
        self.scale = _positive(scale, "scale")

    def marginal(self, shape: tuple[int, ...] = ()) -> tfd.Distribution:
        """The distribution of one unit, repeated to a batch shape."""
        raise NotImplementedError(
            f"{type(self).__name__} must define marginal(shape), the distribution of one unit; or "
            "sample(noise, batch, *code_shape) and distribution(*code_shape, condition=None) of whole codes."
        )

    def distribution(self, *code_shape: int, condition: Any = None) -> tfd.Distribution | None:
        """p(z), batch shape (), event shape (*code); None for a prior without a density.

        Args:
            *code_shape: shape of one code, its units where it is a vector.
            condition: (batch, width), where the model declares one; p(z|c) then has the batch shape (batch,).

        Returns:
            The distribution.
        """
        del condition
        return tfd.Independent(self.marginal(code_shape), len(code_shape))

    def sample(self, noise: Noise, batch: Any, *code_shape: int) -> tf.Tensor:
        """Draws by the inverse of the cumulative distribution, (batch, *code) float32.

        Raises:
            ValueError: where the marginal has none.
        """
        return by_quantile(self.marginal(), noise.uniform(batch, *code_shape), "sample")

    def draw(
        self,
        noise: Noise,
        batch: Any,
        *code_shape: int,
        label: Any = None,
        training: bool = False,
        condition: Any = None,
    ) -> PriorDraw:
        """Draws with their labels, where the prior has any.

        Args:
            noise: random numbers.
            batch: rows.
            *code_shape: shape of one code.
            label: one class, or (batch,) classes, to draw from p(z|c); None for random ones.
            training: whether this is a training step.
            condition: (batch, width), where the model declares one.

        Returns:
            The codes and their labels.

        Raises:
            ValueError: for a label that the prior does not have.
        """
        del training, condition
        if label is not None:
            raise ValueError(
                f"The prior {type(self).zoo_name!r} has no labels; received label={label!r}. Use a model "
                "whose prior has them, such as 'info_ae'."
            )
        return PriorDraw(None, self.sample(noise, batch, *code_shape))

    def classify(self, code: tf.Tensor) -> tf.Tensor:
        """Logits of p(c|z) of codes, (batch, classes), where `classifies` says so."""
        raise NotImplementedError(f"{type(self).__name__} does not classify codes.")

    def build(self, input_shape: Any = None) -> None:
        """Create weights, where there are any, for codes of shape (batch, *code)."""
        del input_shape
        self.built = True

    def fit(self, codes: np.ndarray, seed: int = 0) -> None:
        """Find the weights that suit codes; `Autoencoder.fit_prior` calls it.

        Args:
            codes: (rows, *code).
            seed: of every random choice.

        Raises:
            ValueError: for a prior that has nothing to fit.
        """
        del codes, seed
        raise ValueError(
            f"The prior {type(self).zoo_name!r} has nothing to fit. Take one that has, such as "
            "'gaussian_mixture'."
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"name": self.name, "scale": self.scale}


class UnscaledPrior(Prior):
    """A prior that has weights, a model or codes to say how wide it is, and no scale."""

    def __init__(self, **kwargs: Any):
        if kwargs.get("scale", 1.0) != 1.0:
            raise ValueError(
                f"A {type(self).__name__} has no scale; received scale={kwargs['scale']!r}. Leave it out."
            )
        super().__init__(**kwargs)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"name": self.name}


@register("normal", kind="prior")
class NormalPrior(Prior):
    """N(0, scale^2) for every unit."""

    def marginal(self, shape: tuple[int, ...] = ()) -> tfd.Distribution:
        """N(0, scale^2)."""
        return tfd.Normal(tf.zeros(shape), tf.fill(shape, self.scale))


@register("laplace", kind="prior")
class LaplacePrior(Prior):
    """Laplace(0, scale) for every unit (Pyle, "A Sparse VAE", section 2)."""

    def marginal(self, shape: tuple[int, ...] = ()) -> tfd.Distribution:
        """Laplace(0, scale)."""
        return tfd.Laplace(tf.zeros(shape), tf.fill(shape, self.scale))


@register("cauchy", kind="prior")
class CauchyPrior(Prior):
    """Cauchy(0, scale) for every unit (Pyle, "A Sparse VAE", section 2.1)."""

    def marginal(self, shape: tuple[int, ...] = ()) -> tfd.Distribution:
        """Cauchy(0, scale)."""
        return tfd.Cauchy(tf.zeros(shape), tf.fill(shape, self.scale))

    def sample(self, noise: Noise, batch: Any, *code_shape: int) -> tf.Tensor:
        """Draws within 318 scales of 0, (batch, *code) float32."""
        uniform = noise.uniform(batch, *code_shape)
        return self.marginal().quantile(tf.clip_by_value(uniform, CAUCHY_MARGIN, 1 - CAUCHY_MARGIN))


@register("student_t", kind="prior")
class StudentTPrior(Prior):
    """Student's t with `df` degrees of freedom for every unit: Cauchy at 1, Normal at infinity.

    Args:
        df: degrees of freedom, above 0.
        scale: scale of every unit, above 0.
    """

    def __init__(self, df: float = 5.0, scale: float = 1.0, **kwargs: Any):
        super().__init__(scale, **kwargs)
        self.df = _positive(df, "df")

    def marginal(self, shape: tuple[int, ...] = ()) -> tfd.Distribution:
        """StudentT(df, 0, scale)."""
        return tfd.StudentT(self.df, tf.zeros(shape), tf.fill(shape, self.scale))

    def sample(self, noise: Noise, batch: Any, *code_shape: int) -> tf.Tensor:
        """Draws by the inverse of the cumulative distribution, (batch, *code) float32.

        The ends are cut as for the Cauchy prior, which has the same tails at df = 1.
        """
        uniform = noise.uniform(batch, *code_shape)
        return self.marginal().quantile(tf.clip_by_value(uniform, CAUCHY_MARGIN, 1 - CAUCHY_MARGIN))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "df": self.df}


@register("generalized_normal", kind="prior")
class GeneralizedNormalPrior(Prior):
    """p / (2 a Gamma(1/p)) exp(-|z / a|^p) for every unit, whose -log density is the L_P penalty.

    Normal with variance a^2 / 2 at p = 2, Laplace at p = 1, sparser below.

    Args:
        p: power, above 0.
        scale: a, above 0.
    """

    def __init__(self, p: float = 1.0, scale: float = 1.0, **kwargs: Any):
        super().__init__(scale, **kwargs)
        self.p = _positive(p, "p")

    def marginal(self, shape: tuple[int, ...] = ()) -> tfd.Distribution:
        """GeneralizedNormal(0, a, p)."""
        return tfd.GeneralizedNormal(tf.zeros(shape), tf.fill(shape, self.scale), self.p)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "p": self.p}


def as_labels(label: Any, batch: Any, classes: int) -> tf.Tensor:
    """A label for every row, (batch,) int32, from one for all or one each.

    Raises:
        ValueError: for anything but classes from 0 to `classes` - 1.
    """
    labels = np.asarray(label)
    whole = np.issubdtype(labels.dtype, np.integer)
    each = labels.shape in ((), (batch,)) if isinstance(batch, int) else labels.ndim < 2
    if not whole or not each or (labels < 0).any() or (labels >= classes).any():
        raise ValueError(
            f"label must be a class from 0 to {classes - 1}, or one for each example; received {label!r}."
        )
    return tf.broadcast_to(tf.constant(labels, tf.int32), [batch])


def _positive(value: Any, name: str) -> float:
    number = scalar(value, name)
    if not isinstance(number, float) or number <= 0:
        raise ValueError(f"{name} of a prior must be a number above 0; received {value!r}.")
    return number
