"""The share of the variance that a reconstruction leaves over, as the loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tensorflow as tf

from zoo.distributions.likelihoods import SquaredErrorLikelihood
from zoo.forward import ForwardPass
from zoo.objectives.base import Objective
from zoo.registry import register
from zoo.trainer.replicas import gather
from zoo.values import vector_axes

if TYPE_CHECKING:
    from zoo.autoencoder import Autoencoder

MOMENTUM = 0.99


@register("explained_variance", kind="objective")
class ExplainedVariance(Objective):
    """mean_i ||x_i - x_hat_i||^2 / Var(x), one minus the fraction of variance explained.

    Var(x) = E ||x - E x||^2 is a running mean over the batches of training, without bias from its start; an
    event (places, d) has a share of its own at each place, and the loss is their mean; a picture has one
    share. So the weights of other terms mean the same for data of any norm (Gao et al., "Scaling and
    evaluating sparse autoencoders", 2024, section 2.1 and appendix A.1).

    Example:
        >>> model = zoo.create("top_k_sae", (6,), latents=12, target_l0=3)
        >>> model.compile()
        >>> x = np.random.default_rng(0).random((64, 6), np.float32)
        >>> found = model.evaluate(x, return_dict=True, verbose=0)
        >>> expected = found["reconstruction"] / np.var(x, axis=0).sum()
        >>> np.allclose(found["loss"] - found["aux_k"] / 32, expected, rtol=1e-4)
        True
    """

    sees_model = True

    def build(self, input_shape: Any = None) -> None:
        """Create the running sums."""
        del input_shape
        event = self.model.target_shape or self.model.event_shape
        fixed: dict[str, Any] = {"initializer": "zeros", "trainable": False}
        self.mean = self.add_weight(name="mean", shape=event, **fixed)
        self.square = self.add_weight(
            name="square", shape=event[: -len(vector_axes(event))], **fixed
        )
        self.share = self.add_weight(name="share", shape=(), **fixed)
        self.built = True

    def check(self, model: Autoencoder) -> None:
        """The likelihood must be a sum of squared errors, and nothing missing."""
        likelihood = model.likelihood
        squares = isinstance(likelihood, SquaredErrorLikelihood) and likelihood.reduction == "sum"
        if not squares or model.mask is not None:
            raise ValueError(
                f"The objective {self.name!r} needs likelihood='squared_error', summed, and "
                f"mask=None; received {type(likelihood).__name__} and mask={model.mask!r}."
            )

    def terms(self, forward: ForwardPass) -> dict[str, tf.Tensor]:
        """The share that is left, and the squared error itself."""
        self.learn(forward)
        return {
            "loss": forward.mean(self.loss(forward)),
            "reconstruction": forward.mean(forward.reconstruction(), "reconstruction"),
        }

    def loss(self, forward: ForwardPass) -> tf.Tensor:
        """The share that is left of every row, (batch,)."""
        return self.error(forward, forward.decoded)

    def error(self, forward: ForwardPass, decoded: Any) -> tf.Tensor:
        """See `Objective.error`."""
        mean = self.model.likelihood.mean(decoded)
        squares = _squares(_target(forward) - mean)
        shares = tf.math.divide_no_nan(squares, self.variance(forward))
        return tf.reduce_mean(tf.reshape(shares, (tf.shape(shares)[0], -1)), axis=-1)

    def variance(self, forward: ForwardPass) -> tf.Tensor:
        """Var(x) at every place, (places,) or a number; of the batch before training."""
        share = tf.convert_to_tensor(self.share)
        _, square = self._batch(forward)
        known = tf.math.divide_no_nan(tf.convert_to_tensor(self.square), share)
        return tf.stop_gradient(tf.where(share > 0, known, square))

    def learn(self, forward: ForwardPass) -> None:
        """Take a batch of training into the running means."""
        if not forward.training:
            return
        mean, square = self._batch(forward)
        rate = 1.0 - MOMENTUM
        for sums, value in ((self.mean, mean), (self.square, square), (self.share, 1.0)):
            sums.assign(MOMENTUM * sums + rate * value)

    def _batch(self, forward: ForwardPass) -> tuple[tf.Tensor, tf.Tensor]:
        """The mean of the batch, and its squares about the running mean, or its own at first."""
        rows = gather(_target(forward))
        mean, share = tf.reduce_mean(rows, axis=0), tf.convert_to_tensor(self.share)
        known = tf.math.divide_no_nan(tf.convert_to_tensor(self.mean), share)
        deviations = rows - tf.where(share > 0, known, mean)
        return mean, tf.reduce_mean(_squares(deviations), axis=0)


def _squares(rows: tf.Tensor) -> tf.Tensor:
    """||row||^2, (batch,), or (batch, places)."""
    return tf.reduce_sum(tf.square(rows), axis=vector_axes(rows.shape[1:].as_list()))


def _target(forward: ForwardPass) -> tf.Tensor:
    return forward.inputs if forward.target is None else forward.target
