"""Total correlation of the code, estimated from the batch: the beta-TCVAE's regularizer."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

import zoo


@zoo.register("minibatch_total_correlation")
class MinibatchTotalCorrelation(zoo.Regularizer):
    """KL(q(z) || prod_j q(z_j)), each q(z) a mixture over the global batch.

    Chen et al., "Isolating Sources of Disentanglement in Variational Autoencoders", 2018, equation 3:

        mean_i [log 1/M sum_m q(z_i|x_m) - sum_j log 1/M sum_m q(z_ij|x_m)]

    The paper weighs the sums by 1 / (N M), with N rows of data, which changes the value by the constant
    (d - 1) log N for d units and no gradient.

    Args:
        weight: beta - 1 of the beta-TCVAE, beside a KL term of weight 1; a number or a schedule.
        name: name of the metric.

    Example:
        >>> model = zoo.create(
        ...     "vae", (6,), latents=2, hidden=(4,), regularizers=["minibatch_total_correlation"]
        ... )
        >>> model.compile()
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> "minibatch_total_correlation" in model.evaluate(x, return_dict=True, verbose=0)
        True
    """

    def check(self, model: zoo.Autoencoder) -> None:
        """The mixture is one of posteriors, and one unit has no correlation."""
        located = zoo.distributions.is_location_scale(model.example_posterior())
        if not located or model.units < 2 or len(model.code_shape) > 1:
            raise ValueError(
                "The regularizer 'minibatch_total_correlation' needs a posterior of independent units, of a "
                "location-scale family, and at least 2 latents; received "
                f"{type(model.bottleneck).__name__} with {model.units}."
            )

    def penalty(self, forward: zoo.ForwardPass, training: bool = False) -> tf.Tensor:
        """(batch,), in nats."""
        base = zoo.distributions.base_distribution(forward.posterior)
        family: Any = type(base)
        mixture = family(zoo.gather(base.loc), zoo.gather(base.scale))
        log_densities = mixture.log_prob(forward.code[:, None])  # (batch, global batch, units)
        count = tf.math.log(tf.cast(tf.shape(log_densities)[1], tf.float32))
        joint = tf.reduce_logsumexp(tf.reduce_sum(log_densities, -1), 1) - count
        marginals = tf.reduce_logsumexp(log_densities, 1) - count
        return joint - tf.reduce_sum(marginals, -1)
