"""The training codes themselves as a prior: a kernel density, and codes with noise."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.distributions.fitted import FittedPrior, as_rows, divided, scales, shaped
from zoo.noise import Noise
from zoo.registry import register
from zoo.serialization import positive_int, scalar
from zoo.tfp import tfb, tfd

AUTO = "auto"


class KernelPrior(FittedPrior):
    """p(z) = 1/N sum_n N(z; z_n, h^2 F F^T), z_n training codes; a subclass finds h and F.

    Args:
        limit: at most so many codes are kept, chosen at random.
        rows: N, which `fit` finds.
        **kwargs: as in `FittedPrior`.
    """

    fixed = ("limit", "rows")

    def __init__(self, limit: int = 2000, rows: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.limit = positive_int(limit, "limit")
        self.rows: Any = rows

    def build(self, input_shape: Any = None) -> None:
        """Make room for the codes, (rows, units of all places)."""
        self.refuse_unfitted(self.rows)
        units = math.prod(input_shape[1:])
        fixed: Any = {"trainable": False, "initializer": "zeros"}
        self.points = self.add_weight(name="points", shape=(self.rows, units), **fixed)
        self.factor = self.add_weight(name="factor", shape=(units, units), **fixed)
        self.width = self.add_weight(name="width", shape=(), **fixed)
        super().build(input_shape)

    def distribution(self, *code_shape: int, condition: Any = None) -> tfd.Distribution | None:
        """The mixture of kernels, event shape (*code)."""
        del condition
        points = tf.convert_to_tensor(self.points)
        kernels = tfd.Independent(tfd.Normal(points, self.width.value), 1)
        mixture = tfd.MixtureSameFamily(tfd.Categorical(logits=tf.zeros(self.rows)), kernels)
        factor = tfb.ScaleMatvecTriL(tf.convert_to_tensor(self.factor))
        return shaped(tfd.TransformedDistribution(mixture, factor), code_shape)

    def sample(self, noise: Noise, batch: Any, *code_shape: int) -> tf.Tensor:
        """A training code for every row, and noise, (batch, *code) float32."""
        uniform = noise.fold("row").uniform(batch)
        chosen = tf.cast(uniform * float(self.rows), tf.int32)
        points = tf.gather(self.points.value, chosen)
        points += self.width.value * noise.normal(batch, *points.shape[1:])
        return tf.reshape(tf.linalg.matvec(self.factor.value, points), (-1, *code_shape))

    def fit(self, codes: np.ndarray, seed: int = 0) -> None:
        """Keep codes, and find the kernels.

        Args:
            codes: (rows, *code).
            seed: of the codes that are kept, and of those that are held out.
        """
        rows = as_rows(codes, 2)
        factor = self._factor(rows)
        order = np.random.default_rng(seed).permutation(len(rows))[: self.limit]
        points = np.linalg.solve(factor, rows[np.sort(order)].T).T
        width = self._width(points, seed)
        self.found(rows=len(points), report={"rows": len(points), "width": width})
        if not self.built:
            self.build((None, *codes.shape[1:]))
        self.points.assign(points)
        self.factor.assign(factor)
        self.width.assign(width)

    def _factor(self, rows: np.ndarray) -> np.ndarray:
        """F, lower triangular."""
        raise NotImplementedError

    def _width(self, points: np.ndarray, seed: int) -> float:
        """h, for codes in units of F."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "limit": self.limit, "rows": self.rows}


@register("kernel_density", kind="prior")
class KernelDensityPrior(KernelPrior):
    """A Gaussian kernel at every code: F F^T the covariance of the codes, as in SciPy's `gaussian_kde`.

    Args:
        bandwidth: h; "scott" for N^(-1 / (d + 4)) with d units; "auto" for that multiple of it under which
            held-out codes are most likely.
        **kwargs: as in `KernelPrior`.

    Example:
        >>> model = zoo.create("autoencoder", (6,), latents=2, hidden=(4,))
        >>> x = np.random.default_rng(0).random((100, 6), np.float32)
        >>> fitted = model.fit_prior("kernel_density", x, bandwidth="scott")
        >>> round(fitted.prior.report["width"], 4) == round(100 ** (-1 / 6), 4)
        True
    """

    fixed = ("bandwidth",)

    def __init__(self, bandwidth: Any = AUTO, **kwargs: Any):
        super().__init__(**kwargs)
        if bandwidth not in (AUTO, "scott"):
            bandwidth = scalar(bandwidth, "bandwidth")
            if not (isinstance(bandwidth, float) and bandwidth > 0):
                raise ValueError(
                    f"bandwidth must be 'auto', 'scott' or a number above 0; received {bandwidth!r}."
                )
        self.bandwidth = bandwidth

    def _factor(self, rows: np.ndarray) -> np.ndarray:
        covariance = np.atleast_2d(np.cov(rows.T))
        return np.linalg.cholesky(covariance + np.diag(1e-6 * scales(rows) ** 2))

    def _width(self, points: np.ndarray, seed: int) -> float:
        if isinstance(self.bandwidth, float):
            return self.bandwidth
        scott = len(points) ** (-1 / (points.shape[1] + 4))
        if self.bandwidth == "scott":
            return scott
        train, held_out = divided(points, seed)
        tried = [scott * 2.0**power for power in np.arange(-4, 1.5, 0.5)]
        squares = _squares(held_out, train)
        return max(tried, key=lambda width: _log_density(squares, points.shape[1], width))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "bandwidth": self.bandwidth}


@register("codes", kind="prior")
class CodesPrior(KernelPrior):
    """A training code and noise, z = z_n + h s e with s the standard deviations of the units.

    A prior that generates no better than this one only repeats the training data.

    Args:
        noise: h, at least 0. With 0 it can only be drawn from.
        **kwargs: as in `KernelPrior`.

    Example:
        >>> model = zoo.create("autoencoder", (6,), latents=2, hidden=(4,))
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> new = model.fit_prior("codes", x, noise=0.0).generate(3, seed=0)
        >>> distances = np.abs(new[:, None] - model.reconstruct(x)).max(axis=-1)
        >>> bool(np.all(distances.min(axis=1) < 1e-5))  # each is the reconstruction of a training row
        True
    """

    fixed = ("noise",)

    def __init__(self, noise: float = 0.1, **kwargs: Any):
        super().__init__(**kwargs)
        checked = scalar(noise, "noise", minimum=0)
        if not isinstance(checked, float):
            raise ValueError(f"noise must be a number of at least 0; received {noise!r}.")
        self.noise = checked

    @property
    def has_density(self) -> bool:
        """Whether there is noise."""
        return self.noise > 0

    def distribution(self, *code_shape: int, condition: Any = None) -> tfd.Distribution | None:
        """The mixture of kernels; without noise as in `FittedPrior.distribution`."""
        if not self.has_density:
            return FittedPrior.distribution(self, *code_shape, condition=condition)
        return super().distribution(*code_shape, condition=condition)

    def _factor(self, rows: np.ndarray) -> np.ndarray:
        return np.diag(scales(rows))

    def _width(self, points: np.ndarray, seed: int) -> float:
        del points, seed
        return self.noise

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "noise": self.noise}


def _squares(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    from scipy.spatial.distance import cdist

    return cdist(points, others, "sqeuclidean")


def _log_density(squares: np.ndarray, units: int, width: float) -> float:
    """Mean log density of points at these squared distances from the kernels, less a constant."""
    from scipy.special import logsumexp

    each: Any = logsumexp(-squares / (2 * width**2), axis=1)
    return float(each.mean() - units * math.log(width))
