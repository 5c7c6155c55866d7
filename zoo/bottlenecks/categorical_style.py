"""A code of a class and a style."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from zoo.bottlenecks.base import Bottleneck, Draw
from zoo.noise import Noise
from zoo.registry import register
from zoo.serialization import positive_int

EPSILON = 1e-8


@register("categorical_style", kind="bottleneck")
class CategoricalStyle(Bottleneck):
    """z = [softmax(first units), other units]: class probabilities and a style.

    Makhzani et al., "Adversarial Autoencoders", 2016, sections 4 and 5; its prior is "categorical_style".

    Args:
        units: dimensions of the code, more than `classes`.
        classes: how many of them are class probabilities.
        **kwargs: as in `Bottleneck`.
    """

    def __init__(self, units: int, classes: int = 10, **kwargs: Any):
        super().__init__(units, **kwargs)
        self.classes = positive_int(classes, "classes")
        if units <= classes:
            raise ValueError(
                f"A code of classes and a style needs more latents than classes; received {units} latents "
                f"and {classes} classes."
            )

    def encode(self, features: tf.Tensor) -> tf.Tensor:
        """[probabilities, style], (batch, units) float32."""
        code = super().encode(features)
        probabilities = tf.nn.softmax(code[:, : self.classes])
        return tf.concat([probabilities, code[:, self.classes :]], axis=-1)

    def classify(self, code: tf.Tensor) -> tf.Tensor:
        """Class logits of codes, (batch, classes): the logarithm of the probabilities."""
        return tf.math.log(code[:, : self.classes] + EPSILON)

    def draw(self, features: tf.Tensor, noise: Noise, step: tf.Tensor, training: bool) -> Draw:
        """See `Bottleneck.draw`."""
        del noise, step, training
        return Draw(self.encode(features), None)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "classes": self.classes}
