"""A code of a label that may be known and a style: M2's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from zoo.bottlenecks.base import Code, DenseBottleneck
from zoo.bottlenecks.categorical_style import log_label
from zoo.distributions.families import loc_and_scale
from zoo.noise import Noise
from zoo.registry import register
from zoo.serialization import positive_int

if TYPE_CHECKING:
    from zoo.autoencoder import Autoencoder


@register("label_and_style", kind="bottleneck")
class LabelAndStyle(DenseBottleneck):
    """[y, z]: a one-hot label y ~ q(y|x) and a style z ~ N(loc(x, y), scale(x, y)^2).

    Kingma et al., "Semi-supervised Learning with Deep Generative Models", 2014, equation 4 (M2). In training
    and evaluation each example has a code for every label, and the objective "semi_supervised" weighs them;
    `encode` gives the likeliest label and the location of its style. The prior is "categorical_style".

    Args:
        units: dimensions of the code, more than `classes`.
        classes: number of labels.
        hidden: units of the layer that joins the features and the label.
        **kwargs: as in `DenseBottleneck`.

    Example:
        >>> model = zoo.create("semi_supervised_vae", (6,), classes=3, latents=2, hidden=(8,))
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> code = model.encode(x)  # no labels are needed
        >>> code.shape, np.array_equal(code[:, :3].argmax(axis=1), model.cluster(x))
        ((20, 5), True)
    """

    fixed = ("classes", "hidden")
    infers_condition = True
    weighed = True

    def __init__(self, units: int, classes: int = 10, hidden: int = 64, **kwargs: Any):
        self.classes = positive_int(classes, "classes")
        if positive_int(units, "latents") <= self.classes:
            raise ValueError(
                f"A code of a label and a style needs more latents than classes; received {units} latents "
                f"and {classes} classes."
            )
        self.hidden = positive_int(hidden, "hidden")
        super().__init__(units, outputs=self.classes, **kwargs)
        self.samples = self.classes
        self.joined = keras.layers.Dense(self.hidden, activation="relu", dtype=self.dtype_policy)
        styles = 2 * (units - self.classes)
        self.style = keras.layers.Dense(styles, dtype=self.dtype_policy)

    def build(self, features_shape: Sequence[int | None]) -> None:
        """Create the weights of the classifier and of the style."""
        width: Any = features_shape[-1]
        self.joined.build((None, width + self.classes))
        self.style.build((None, self.hidden))
        super().build(features_shape)

    def check(self, model: Autoencoder) -> None:
        """The labels are the condition, and the prior has as many."""
        declared = model.intake.condition
        if declared is None or declared.declared != self.classes:
            raise ValueError(
                f"The bottleneck 'label_and_style' needs a model with condition={self.classes}, its labels; "
                f"received {model.condition!r}."
            )
        if getattr(model.prior, "classes", None) != self.classes:
            raise ValueError(
                "The bottleneck 'label_and_style' needs the prior 'categorical_style' of as many classes, "
                f"{self.classes}."
            )

    def encode(self, features: tf.Tensor) -> tf.Tensor:
        """[the likeliest label, the location of its style], (batch, units) float32."""
        label = tf.one_hot(tf.argmax(self.numbers(features), axis=-1), self.classes)
        loc, _ = self._style(features, label)
        return tf.concat([label, loc], axis=-1)

    def classify(self, code: tf.Tensor) -> tf.Tensor:
        """Class logits of codes, (batch, classes): the logarithm of the label."""
        return log_label(code, self.classes)

    def draw(self, features: tf.Tensor, noise: Noise, step: tf.Tensor, training: bool) -> Code:
        """See `Bottleneck.draw`; a code for every label, its log q(y|x) and KL of the style noted."""
        del step, training
        rows = tf.shape(features)[0]
        log_chances = tf.nn.log_softmax(self.numbers(features))
        label = tf.tile(tf.eye(self.classes), tf.stack([rows, 1]))
        loc, scale = self._style(tf.repeat(features, self.classes, axis=0), label)
        style = loc + scale * noise.normal(rows * self.classes, loc.shape[-1])
        divergence = tf.reduce_sum(
            0.5 * (tf.square(loc) + tf.square(scale) - 1) - tf.math.log(scale), axis=-1
        )
        return Code(
            tf.concat([label, style], axis=-1),
            notes={"log_chances": log_chances, "divergence": divergence},
        )

    def _style(self, features: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        joined = tf.concat([tf.cast(features, tf.float32), label], axis=-1)
        return loc_and_scale(tf.cast(self.style(self.joined(joined)), tf.float32))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "classes": self.classes, "hidden": self.hidden}
