"""The bound of a model whose labels are known for some rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from zoo.forward import ForwardPass
from zoo.objectives.base import Objective
from zoo.registry import register
from zoo.serialization import at_step, scalar, scalar_config
from zoo.trainer.replicas import gather

if TYPE_CHECKING:
    from zoo.autoencoder import Autoencoder


@register("semi_supervised", kind="objective")
class SemiSupervised(Objective):
    """The bounds of M2, and a classification term.

    With L(x, y) = -log p(x|y, z) - log p(y) + KL(q(z|x, y) || p(z)), the loss of a row is

        L(x, y) - weight log q(y|x)                       where its label is y
        sum_y q(y|x) [L(x, y) + log q(y|x)]               where it has none, -1

    Kingma et al., "Semi-supervised Learning with Deep Generative Models", 2014, equations 6 to 9. Reported
    beside it: the error of q(y|x) on the rows with a label.

    Args:
        weight: of the classification term, a number or a Keras schedule of the training step. The paper's is
            a tenth of the rows for each label there is: 50 at 100 labels of 50,000 rows.

    Example:
        >>> model = zoo.create("semi_supervised_vae", (6,), classes=3, latents=2, hidden=(8,))
        >>> model.compile("adam")
        >>> x = np.random.default_rng(0).random((64, 6), np.float32)
        >>> y = np.where(np.arange(64) < 9, np.arange(64) % 3, -1)  # 9 labels
        >>> sorted(model.fit(x, y, verbose=0).history)
        ['error', 'loss', 'reconstruction']
    """

    def __init__(self, weight: Any = 50.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.weight = scalar(weight, "weight", minimum=0)

    def check(self, model: Autoencoder) -> None:
        """The codes are those of every label."""
        if type(model.bottleneck).__name__ != "LabelAndStyle":
            raise ValueError(
                "The objective 'semi_supervised' needs the bottleneck 'label_and_style'; received a "
                f"{type(model.bottleneck).__name__}."
            )

    def terms(self, forward: ForwardPass) -> dict[str, tf.Tensor]:
        """The loss, the reconstruction by the likely labels, and the error."""
        classes = forward.samples
        log_chances = forward.notes["log_chances"]
        chances = tf.exp(log_chances)
        label = tf.reshape(forward.condition, (-1, classes, classes))[:, 0]
        known = tf.reduce_sum(label, axis=1)
        reconstruction = tf.reshape(forward.reconstruction(), (-1, classes))
        divergence = tf.reshape(forward.notes["divergence"], (-1, classes))
        bounds = reconstruction + divergence + math.log(classes)
        labelled = tf.reduce_sum(label * (bounds - self._weight(forward) * log_chances), axis=1)
        unlabelled = tf.reduce_sum(chances * (bounds + log_chances), axis=1)
        shares = tf.where(known[:, None] > 0, label, chances)
        guess = tf.one_hot(tf.argmax(log_chances, axis=1), classes)
        wrong = known - tf.reduce_sum(guess * label, axis=1)
        return {
            "loss": forward.mean(tf.where(known > 0, labelled, unlabelled), "loss"),
            "reconstruction": forward.mean(tf.reduce_sum(shares * reconstruction, axis=1)),
            # Of the rows of all replicas, which have different shares of the labels.
            "error": tf.math.divide_no_nan(
                tf.reduce_sum(gather(wrong)), tf.reduce_sum(gather(known))
            ),
        }

    def _weight(self, forward: ForwardPass) -> Any:
        return at_step(self.weight, forward.step)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "weight": scalar_config(self.weight)}
