"""Moments of the aggregate posterior: the DIP-VAE's regularizer."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

import zoo

# lambda_d over lambda_od, as the paper's experiments and disentanglement_lib's protocol have it.
_RATIOS = {"i": 10.0, "ii": 1.0}


@zoo.register("dip")
class DIP(zoo.Regularizer):
    """The covariance of the code held at the identity.

    Kumar, Sattigeri & Balakrishnan, "Variational Inference of Disentangled Latent Concepts", 2018,
    equations 6 and 7:

        sum_{i != j} C_ij^2 + r sum_i (C_ii - 1)^2

    with C = Cov[mu(x)] for DIP-VAE-I and C = Cov[mu(x)] + E[Cov[z|x]] for DIP-VAE-II, over the global batch.

    Args:
        variant: "i" or "ii".
        ratio: r, lambda_d / lambda_od; None for 10 with I and 1 with II.
        weight: lambda_od, a number or a Keras schedule of the training step.
        name: name of the metric.

    Example:
        >>> model = zoo.create(
        ...     "vae", (6,), latents=2, hidden=(4,), regularizers=[{"name": "dip", "variant": "i"}]
        ... )
        >>> model.compile()
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> penalty = model.evaluate(x, return_dict=True, verbose=0)["dip"]
        >>> c = np.cov(model.encode(x).T, bias=True)
        >>> expected = 2 * c[0, 1] ** 2 + 10 * ((c[0, 0] - 1) ** 2 + (c[1, 1] - 1) ** 2)
        >>> np.allclose(penalty, expected, rtol=1e-3)
        True
    """

    def __init__(
        self,
        variant: str = "i",
        *,
        ratio: float | None = None,
        weight: Any = 10.0,
        name: str | None = None,
    ):
        super().__init__(weight, name)
        if variant not in _RATIOS:
            raise ValueError(f"variant of dip must be 'i' or 'ii'; received {variant!r}.")
        if ratio is not None and not ratio >= 0:
            raise ValueError(f"ratio of dip must be at least 0; received {ratio!r}.")
        self.variant = variant
        self.ratio = ratio

    def check(self, model: zoo.Autoencoder) -> None:
        """The moments are those of a posterior with a mean and a variance."""
        posterior = model.example_posterior()
        try:
            moments = posterior is not None and (posterior.mean(), _covariances(posterior))
        except NotImplementedError:  # a flow's, for one
            moments = None
        base: Any = zoo.distributions.base_distribution(posterior)
        independent = posterior is not None and len(base.event_shape) == 0
        if not (moments and independent) or model.heavy_tailed or len(model.code_shape) > 1:
            raise ValueError(
                "The regularizer 'dip' needs a posterior with a variance, of independent units, such as "
                "'normal' or 'laplace'."
            )

    def penalty(self, forward: zoo.ForwardPass, training: bool = False) -> tf.Tensor:
        """A scalar."""
        posterior = forward.posterior
        means = zoo.gather(posterior.mean())
        centred = means - tf.reduce_mean(means, axis=0)
        rows = tf.cast(tf.shape(means)[0], means.dtype)
        covariance = tf.matmul(centred, centred, transpose_a=True) / rows
        if self.variant == "ii":
            covariance += tf.reduce_mean(zoo.gather(_covariances(posterior)), axis=0)
        diagonal = tf.linalg.diag_part(covariance)
        off_diagonal = tf.reduce_sum(tf.square(covariance)) - tf.reduce_sum(tf.square(diagonal))
        ratio = _RATIOS[self.variant] if self.ratio is None else self.ratio
        return off_diagonal + ratio * tf.reduce_sum(tf.square(diagonal - 1))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "variant": self.variant, "ratio": self.ratio}


def _covariances(posterior: Any) -> tf.Tensor:
    """Cov[z|x] of every row, (batch, units, units); its diagonal alone where the units are independent."""
    base: Any = zoo.distributions.base_distribution(posterior)
    if len(base.event_shape) == 0:
        return tf.linalg.diag(posterior.variance())
    return posterior.covariance()
