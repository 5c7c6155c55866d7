"""A code of a class and a style."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from zoo.bottlenecks.base import Code, DenseBottleneck
from zoo.networks.dcgan import MOMENTUM
from zoo.noise import Noise
from zoo.registry import register
from zoo.serialization import positive_int

EPSILON = 1e-8
NORMS = ("batch", "none")
# The scale that normalised logits begin with: the softmax of 30 of them then has a clear winner.
SHARPNESS = 4.0


@register("categorical_style", kind="bottleneck")
class CategoricalStyle(DenseBottleneck):
    """z = [softmax(first units), other units]: class probabilities and a style.

    Makhzani et al., "Adversarial Autoencoders", 2016, sections 4 and 5; its prior is "categorical_style".

    Args:
        units: dimensions of the code, at least `classes`; as many for a code without a style.
        classes: how many of them are class probabilities.
        norm: "batch" normalises every class's logit over the batch, with a learnt scale and no offset, so
            that no class can win or lose all examples; "none" does not.
        **kwargs: as in `DenseBottleneck`.

    Example:
        >>> bottleneck = zoo.bottlenecks.CategoricalStyle(5, classes=3)
        >>> bottleneck.build((None, 4))
        >>> code = bottleneck.encode(np.ones((2, 4), "float32")).numpy()
        >>> code.shape, np.allclose(code[:, :3].sum(axis=1), 1)
        ((2, 5), True)
    """

    fixed = ("classes", "norm")

    def __init__(self, units: int, classes: int = 10, norm: str = "none", **kwargs: Any):
        super().__init__(units, **kwargs)
        if norm not in NORMS:
            raise ValueError(f"norm must be one of {', '.join(NORMS)}; received {norm!r}.")
        self.norm = norm
        self.classes = positive_int(classes, "classes")
        if units < classes:
            raise ValueError(
                f"A code of classes and a style needs as many latents as classes at least; received {units} "
                f"latents and {classes} classes."
            )

        self.normalise = keras.layers.Identity(dtype="float32")
        if norm == "batch":
            sharp: Any = keras.initializers.Constant(SHARPNESS)
            self.normalise = keras.layers.BatchNormalization(
                momentum=MOMENTUM,
                center=False,
                gamma_initializer=sharp,
                synchronized=True,
                dtype="float32",
            )

    def build(self, features_shape: Sequence[int | None]) -> None:
        """Create the weights of the dense layer and of the normalisation."""
        super().build(features_shape)
        self.normalise.build((None, self.classes))

    def encode(self, features: tf.Tensor) -> tf.Tensor:
        """[probabilities, style], (batch, units) float32."""
        return self._code(features, training=False)

    def classify(self, code: tf.Tensor) -> tf.Tensor:
        """Class logits of codes, (batch, classes): the logarithm of the probabilities."""
        return log_label(code, self.classes)

    def draw(self, features: tf.Tensor, noise: Noise, step: tf.Tensor, training: bool) -> Code:
        """See `Bottleneck.draw`."""
        del noise, step
        return Code(self._code(features, training))

    def _code(self, features: tf.Tensor, training: bool) -> tf.Tensor:
        code = super().encode(features)
        logits = self.normalise(code[:, : self.classes], training=training)
        return tf.concat([tf.nn.softmax(logits), code[:, self.classes :]], axis=-1)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "classes": self.classes, "norm": self.norm}


def log_label(code: tf.Tensor, classes: int) -> tf.Tensor:
    """The logarithm of the label that codes [label, style] begin with, (batch, classes).

    Example:
        >>> from zoo.bottlenecks.categorical_style import log_label
        >>> log_label(np.float32([[0, 1, 7]]), 2).numpy().round(1).tolist()[0][1]
        0.0
    """
    return tf.math.log(code[:, :classes] + EPSILON)
