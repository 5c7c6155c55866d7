"""A critic of codes: the codes of the data should be distributed like the prior."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

import zoo

from .classifiers import classifier_of
from .critics import Critic


@zoo.register("code_discriminator")
class CodeDiscriminator(Critic):
    """The adversarial autoencoder's discriminator (Makhzani et al., "Adversarial Autoencoders", 2016).

    The critic minimises -log D(z_p) - log(1 - D(z)) with z_p from the prior; the model minimises

        -log D(z)    (non-saturating, section 2; or log(1 - D(z)))

    With `classes` the critic sees the class probabilities C(z) of the model's classifier in place of z, and
    the prior's one-hot labels in place of z_p, so that the data's classes are sure and as frequent as the
    prior's (section 5 there; C may read any code).

    Args:
        weight: a number or a Keras schedule of the training step.
        units: (first, end) of the code's units that the critic sees, for one critic for the classes and
            one for the style; None for all.
        classes: whether the critic sees classes, see above, and not the code.
        hidden: units of the critic's hidden layers.
        norm: as in `Critic`.
        **options: as in `zoo_plugins.critics.Critic`; `instance_noise` is added to codes.
    """

    def __init__(
        self,
        weight: Any = 1.0,
        units: Sequence[int] | None = None,
        classes: bool = False,
        hidden: Sequence[int] = (500, 500),
        norm: str = "none",
        **options: Any,
    ):
        super().__init__(weight, hidden=hidden, norm=norm, **options)
        self.units = None if units is None else tuple(int(bound) for bound in units)
        self.classes = bool(classes)
        if self.classes and self.units is not None:
            raise ValueError(
                "A code_discriminator sees classes or units of the code; received classes=True and "
                f"units={self.units}. Add one for each."
            )
        self._classify: Callable[[tf.Tensor], tf.Tensor] | None = None

    def check(self, model: zoo.Autoencoder) -> None:
        """The prior is what codes are compared with."""
        if model.prior is None:
            raise ValueError(
                "The regularizer 'code_discriminator' needs a model with a prior; received none. Set "
                "prior='normal'."
            )
        if self.classes:
            count, other = getattr(model.prior, "classes", None), classifier_of(model, self)
            if count is None or other is None:
                raise ValueError(
                    "The regularizer 'code_discriminator' with classes=True needs a prior with labels and a "
                    f"part that classifies codes; received the prior "
                    f"{getattr(type(model.prior), 'zoo_name', None)!r} and "
                    f"{'no such part' if other is None else other.name!r}. Set prior='generator' or "
                    "'categorical_style' and add 'mutual_information'."
                )
            # A bound method, so that Keras does not count the other part's layers again.
            self._classify, self._labels = other.classify, count
        if self.units is not None:
            first, end = self.units if len(self.units) == 2 else (0, 0)
            if not 0 <= first < end <= model.units:
                raise ValueError(
                    f"units of code_discriminator must be (first, end) within the code's {model.units} "
                    f"units; received {self.units}."
                )

    def build(self, event_shape: tuple[int, ...] = (), units: int = 0) -> None:
        """Create the critic."""
        first, end = (0, self._labels) if self.classes else self.units or (0, units)
        self.critic = self.network((end - first,))
        super().build(event_shape, units)

    def penalty(self, forward: zoo.ForwardPass, training: bool = False) -> tf.Tensor:
        """(batch,), in nats."""
        return self.fool(self._logits(self._of(forward.code), forward, "fooled", training))

    def critic_loss(self, forward: zoo.ForwardPass) -> tf.Tensor:
        """A scalar, in nats."""
        made = forward.generated
        expected = made.label if self.classes else self._of(made.code)
        real = self._logits(expected, forward, "real", True)
        return self.separate(real, self._logits(self._of(forward.code), forward, "fake", True))

    def _of(self, code: tf.Tensor) -> tf.Tensor:
        if self.classes:
            return tf.nn.softmax(self._classify(code))
        return code if self.units is None else code[:, slice(*self.units)]

    def _logits(
        self, seen: tf.Tensor, forward: zoo.ForwardPass, tag: str, training: bool
    ) -> tf.Tensor:
        return self.critic(self.blurred(seen, forward, tag), training=training)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "units": self.units, "classes": self.classes}
