"""Classes that keep when a picture is turned a little."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

import zoo
from zoo import suggest

from .views import check_view

PICTURES = ("both", "data", "generated")


@zoo.register("consistency")
class Consistency(zoo.Regularizer):
    """Cross-entropy of the classes of a picture and of its view t(x), a small random affine map.

        CE(stop(C(E(x))), C(E(t(x)))) + CE(c, C(E(t(x_g))))

    The first term is for the data (Miyato et al., "Virtual Adversarial Training", 2018, in spirit, with
    affine maps in place of adversarial ones), the second for generated pictures of the label c. C is the
    model's classifier, see `zoo.Autoencoder.classifier`.

    Args:
        weight: a number or a Keras schedule of the training step.
        pictures: which of the two terms, "data", "generated" or "both".
        view: "weak", "medium" or "strong" affine maps.
        name: name of the metric.

    Example:
        >>> model = zoo.create(
        ...     "info_ae", (8, 8, 1), latents=4, classes=3, critic=(4, 8),
        ...     regularizers=[{"name": "consistency", "weight": 3.0, "view": "weak"}],
        ... )
        >>> model.regularizers[-1].get_config()["view"]
        'weak'
    """

    jit_possible = False  # XLA has no affine maps of pictures

    def __init__(
        self,
        weight: Any = 1.0,
        pictures: str = "both",
        view: str = "weak",
        name: str | None = None,
    ):
        super().__init__(weight, name)
        if pictures not in PICTURES:
            raise ValueError(
                f"Unknown pictures {pictures!r} of consistency.{suggest(pictures, PICTURES)}"
            )
        self.pictures = pictures
        self.view = view

    def check(self, model: zoo.Autoencoder) -> None:
        """There must be a classifier, and labels for generated pictures."""
        check_view(self.view, model, self.name)
        if not model.classifies:
            raise ValueError(
                "The regularizer 'consistency' needs a part that classifies codes; received none. Add "
                "'mutual_information', or use a bottleneck with classes."
            )
        if self.pictures != "data" and getattr(model.prior, "classes", None) is None:
            raise ValueError(
                f"The regularizer 'consistency' with pictures={self.pictures!r} needs a prior with labels. "
                "Set prior='generator' or 'categorical_style', or pictures='data'."
            )

    @property
    def judges_pictures(self) -> bool:
        """Where there are generated ones."""
        return self.pictures != "data"

    def penalty(self, forward: zoo.ForwardPass, training: bool = False) -> tf.Tensor:
        """(batch,), in nats."""
        total: Any = 0.0
        if self.pictures != "generated":
            kept = tf.stop_gradient(tf.nn.softmax(forward.classify(forward.code)))
            total = total + self._changed(kept, forward.inputs, forward, "data")
        if self.pictures != "data":
            made = forward.generated
            total = total + self._changed(made.label, made.picture, forward, "generated")
        return total

    def _changed(
        self, target: tf.Tensor, pictures: tf.Tensor, forward: zoo.ForwardPass, tag: str
    ) -> tf.Tensor:
        moved = forward.encode(zoo.networks.view(pictures, forward.noise.fold(tag), self.view))
        return tf.nn.softmax_cross_entropy_with_logits(target, forward.classify(moved))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "pictures": self.pictures, "view": self.view}
