"""Information between the prior's label and the code: a classifier of codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

import zoo
from zoo import positive_int, suggest

CODES = ("both", "generated", "recoded")


@zoo.register("mutual_information")
class MutualInformation(zoo.Regularizer):
    """Cross-entropy of the label c with what a classifier C reads from codes, a bound on their information.

        CE(c, C(z_g)) + CE(c, C(E(x_g)))    (Haque et al., section 2.4: C_lg + C_le)

    with z_g drawn from p(z|c) and x_g its picture. Minus the penalty, up to H(c), is the variational
    lower bound of Chen et al., "InfoGAN", 2016, equation 5. C is trained with the model; it is an MLP of
    its own unless the bottleneck classifies, as `zoo.bottlenecks.CategoricalStyle` does.

    Args:
        weight: alpha, a number or a Keras schedule of the training step.
        codes: which of the two terms, "generated" (the first), "recoded" (the second) or "both".
        hidden: units of C's hidden layers.
        styles: with a classifying bottleneck, how many of the units behind the classes the encoder is to
            recover as well; adds half their summed squared error, InfoGAN's continuous codes.
        name: name of the metric.

    Example:
        >>> model = zoo.create("info_ae", (6,), latents=4, classes=3, critic=(8,))
        >>> model.regularizers[0].name
        'mutual_information'
        >>> codes = model.encode(np.zeros((5, 6), "float32"))
        >>> model.regularizers[0].classify(codes).shape
        TensorShape([5, 3])
    """

    fixed = ("hidden",)
    sees_model = True
    classifies = True

    def __init__(
        self,
        weight: Any = 1.0,
        codes: str = "both",
        hidden: Sequence[int] = (256,),
        styles: int = 0,
        name: str | None = None,
    ):
        super().__init__(weight, name)
        if codes not in CODES:
            raise ValueError(
                f"Unknown codes {codes!r} of mutual_information.{suggest(codes, CODES)}"
            )
        self.codes = codes
        self.hidden = tuple(positive_int(units, "hidden") for units in hidden)
        self.styles = int(styles)

    def check(self, model: zoo.Autoencoder) -> None:
        """The prior has the labels."""
        if self.classes is None:
            raise ValueError(
                "The regularizer 'mutual_information' needs a prior with labels; received "
                f"{getattr(type(model.prior), 'zoo_name', None)!r}. Set prior='generator' or "
                "'categorical_style'."
            )
        own = model.bottleneck.classes is None
        if self.styles and (own or self.styles > model.units - self.classes):
            raise ValueError(
                "styles of mutual_information needs a bottleneck that classifies and as many units behind "
                f"the classes; received styles={self.styles}."
            )

    def build(self, event_shape: tuple[int, ...] = (), units: int = 0) -> None:
        """Create C where the bottleneck does not classify."""
        self.classes = getattr(self.model.prior, "classes", None)
        if self.classes is not None and self.model.bottleneck.classes is None:
            layers = [keras.layers.Dense(count, activation="relu") for count in self.hidden]
            layers.append(keras.layers.Dense(self.classes, dtype="float32"))
            self.classifier = keras.Sequential(layers)
            self.classifier.build((None, units))
        super().build(event_shape, units)

    def classify(self, code: tf.Tensor) -> tf.Tensor:
        """Class logits, (batch, classes)."""
        own = self.model.bottleneck.classes is None
        return self.classifier(code) if own else self.model.bottleneck.classify(code)

    @property
    def judges_pictures(self) -> bool:
        """Unless the codes are those that were drawn."""
        return self.codes != "generated"

    def penalty(self, forward: zoo.ForwardPass, training: bool = False) -> tf.Tensor:
        """(batch,), in nats."""
        made = forward.generated
        total: Any = 0.0
        if self.codes != "recoded":
            total = total + self._missed(made.label, made.code)
        if self.codes != "generated":
            total = total + self.unrecognised(made.label, made.code, made.recoded)
        return total

    def unrecognised(self, label: tf.Tensor, code: tf.Tensor, recoded: tf.Tensor) -> tf.Tensor:
        """The term of E(x_g): CE(c, C(E(x_g))), and half the squared gap of the styles.

        Args:
            label: c of the pictures, (batch, classes) one-hot.
            code: what they were made of, (batch, units).
            recoded: E(x_g), (batch, units).

        Returns:
            (batch,), in nats.
        """
        total = self._missed(label, recoded)
        if self.styles:
            seen = slice(self.classes, self.classes + self.styles)
            gap = code[:, seen] - recoded[:, seen]
            total = total + 0.5 * tf.reduce_sum(tf.square(gap), axis=-1)
        return total

    def _missed(self, label: tf.Tensor, code: tf.Tensor) -> tf.Tensor:
        return tf.nn.softmax_cross_entropy_with_logits(label, self.classify(code))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "codes": self.codes,
            "hidden": self.hidden,
            "styles": self.styles,
        }
