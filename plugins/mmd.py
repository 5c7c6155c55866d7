"""Maximum mean discrepancy between codes and prior: the InfoVAE's and the WAE's regularizer."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

import zoo
from zoo import gather

KERNELS = ("gaussian", "inverse_multiquadric", "laplacian")


@zoo.register("mmd")
class MMD(zoo.Regularizer):
    """MMD^2(q(z), p(z)) between the codes of the global batch and as many draws from the prior.

    The unbiased estimate (Gretton et al., "A Kernel Two-Sample Test", 2012, equation 3)

        1/(n(n-1)) sum_{i != j} k(z_i, z_j) + 1/(n(n-1)) sum_{i != j} k(p_i, p_j) - 2/n^2 sum_ij k(z_i, p_j)

    which can be below 0; or the biased one, with the diagonals and 1/n^2. Kernels, with r = ||x - y|| and
    bandwidth h: gaussian exp(-r^2 / (2 h^2)); inverse_multiquadric sum_s s C / (s C + r^2) over
    s in {.1, .2, .5, 1, 2, 5, 10} with C = 2 d h^2 (Tolstikhin et al., "Wasserstein Auto-Encoders");
    laplacian exp(-r / h).

    Args:
        kernel: one of the three.
        bandwidth: h; None for sqrt(d / 2), where the gaussian kernel is exp(-r^2 / d), near that of the
            InfoVAE's code. For the inverse multiquadric None is 1, the prior's scale.
        unbiased: which estimate.
        weight: lambda, a number or a Keras schedule of the training step.
        name: name of the metric.

    Example:
        >>> mmd = zoo.get("mmd", kernel="gaussian")
        >>> random = np.random.default_rng(0)
        >>> x, y = np.float32(random.normal(size=(2, 500, 2)))
        >>> near, far = mmd.discrepancy(x, y), mmd.discrepancy(x, y + 3)
        >>> abs(float(near)) < 0.01, float(far) > 0.5
        (True, True)
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,), beta=0.0, regularizers=[mmd])
    """

    def __init__(
        self,
        kernel: str = "gaussian",
        *,
        bandwidth: float | None = None,
        unbiased: bool = True,
        weight: Any = 1.0,
        name: str | None = None,
    ):
        super().__init__(weight, name)
        if kernel not in KERNELS:
            raise ValueError(
                f"kernel of mmd must be one of {', '.join(KERNELS)}; received {kernel!r}."
            )
        if bandwidth is not None and not bandwidth > 0:
            raise ValueError(f"bandwidth of mmd must be above 0; received {bandwidth!r}.")
        self.kernel = kernel
        self.bandwidth = bandwidth
        self.unbiased = bool(unbiased)

    def check(self, model: zoo.Autoencoder) -> None:
        """Raise ValueError if the prior has no density."""
        if model.prior is None or model.prior_distribution() is None:
            raise ValueError(
                "The regularizer 'mmd' needs a model whose prior has a density; received none. Set "
                "prior='normal'."
            )

    def penalty(self, forward: zoo.ForwardPass, training: bool = False) -> tf.Tensor:
        """A scalar."""
        draws = zoo.as_vectors(self._draws(forward))
        return self.discrepancy(gather(forward.vectors), gather(draws))

    def _draws(self, forward: zoo.ForwardPass) -> tf.Tensor:
        """As many draws from the prior as there are codes."""
        uniform = forward.noise.uniform(tf.shape(forward.code)[0], *forward.code.shape[1:])
        unit = zoo.distributions.base_distribution(forward.prior)
        if unit is not forward.prior:  # a factorised prior
            try:
                return unit.quantile(tf.clip_by_value(uniform, 1e-6, 1 - 1e-6))
            except NotImplementedError:
                pass
        return forward.generated.code

    def discrepancy(self, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        """The estimate for samples x and y, (n, d) and (m, d)."""
        within = self._mean_kernel(x, x, self.unbiased) + self._mean_kernel(y, y, self.unbiased)
        return within - 2 * self._mean_kernel(x, y, False)

    def _mean_kernel(self, x: tf.Tensor, y: tf.Tensor, skip_diagonal: bool) -> tf.Tensor:
        values = self._kernel_matrix(x, y)
        rows, columns = (tf.cast(size, values.dtype) for size in tf.unstack(tf.shape(values)))
        if not skip_diagonal:
            return tf.reduce_sum(values) / (rows * columns)
        off_diagonal = tf.reduce_sum(values) - tf.reduce_sum(tf.linalg.diag_part(values))
        return tf.math.divide_no_nan(off_diagonal, rows * (rows - 1))

    def _kernel_matrix(self, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        units: Any = x.shape[-1]
        squares = tf.reduce_sum(tf.math.squared_difference(x[:, None], y[None]), axis=-1)
        if self.kernel == "gaussian":
            h = self.bandwidth or (units / 2) ** 0.5
            return tf.exp(-squares / (2 * h * h))
        if self.kernel == "laplacian":
            h = self.bandwidth or (units / 2) ** 0.5
            # The gradient of a root is infinite at 0, where a point meets itself.
            return tf.exp(-tf.sqrt(squares + 1e-12) / h)
        h = self.bandwidth or 1.0
        scales = (s * 2 * units * h * h for s in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0))
        return tf.add_n([c / (c + squares) for c in scales])

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "kernel": self.kernel,
            "bandwidth": self.bandwidth,
            "unbiased": self.unbiased,
        }
