"""A critic of codes: the codes of the data should be distributed like the prior."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

import zoo

from .critics import Critic


@zoo.register("code_discriminator")
class CodeDiscriminator(Critic):
    """The adversarial autoencoder's discriminator (Makhzani et al., "Adversarial Autoencoders", 2016).

    The critic minimises -log D(z_p) - log(1 - D(z)) with z_p from the prior; the model minimises

        -log D(z)    (non-saturating, section 2; or log(1 - D(z)))

    With `of_classes` the critic sees the class probabilities C(z) of the model's classifier in place of z,
    and the prior's one-hot labels in place of z_p, so that the data's classes are sure and as frequent as the
    prior's (section 5 there; C may read any code).

    Args:
        weight: a number or a Keras schedule of the training step.
        units: (first, end) of the code's units that the critic sees, for one critic for the classes and
            one for the style; None for all.
        of_classes: whether the critic sees classes, see above, and not the code; `classes` in files of 0.1.0.
        hidden: units of the critic's hidden layers.
        norm: as in `Critic`.
        **options: as in `zoo_plugins.critics.Critic`; `instance_noise` is added to codes.

    Example:
        >>> critic = zoo.get("code_discriminator", hidden=(8,), weight=0.5)
        >>> model = zoo.create(
        ...     "autoencoder", (6,), latents=2, hidden=(4,), prior="normal", regularizers=[critic]
        ... )
        >>> model.compile()
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> "code_discriminator" in model.evaluate(x, return_dict=True, verbose=0)
        True
    """

    fixed = ("units", "of_classes")
    sees_model = True

    def __init__(
        self,
        weight: Any = 1.0,
        units: Sequence[int] | None = None,
        of_classes: bool = False,
        hidden: Sequence[int] = (500, 500),
        norm: str = "none",
        **options: Any,
    ):
        of_classes = options.pop("classes", of_classes)
        super().__init__(weight, hidden=hidden, norm=norm, **options)
        self.units = None if units is None else tuple(int(bound) for bound in units)
        self.of_classes = bool(of_classes)
        if self.of_classes and self.units is not None:
            raise ValueError(
                "A code_discriminator sees classes or units of the code; received of_classes=True and "
                f"units={self.units}. Add one for each."
            )

    def check(self, model: zoo.Autoencoder) -> None:
        """Raise ValueError if the model has no prior, or classes are asked for and there are none."""
        if model.prior is None:
            raise ValueError(
                "The regularizer 'code_discriminator' needs a model with a prior; received none. Set "
                "prior='normal'."
            )
        if self.of_classes and (model.prior.classes is None or not model.classifies):
            other = repr(model.classifier.name) if model.classifies else "no such part"
            raise ValueError(
                "The regularizer 'code_discriminator' with of_classes=True needs a prior with labels and a "
                f"part that classifies codes; received the prior "
                f"{getattr(type(model.prior), 'zoo_name', None)!r} and {other}. Set prior='generator' or "
                "'categorical_style' and add 'mutual_information'."
            )
        if self.units is not None:
            first, end = self.units if len(self.units) == 2 else (0, 0)
            if not 0 <= first < end <= model.units:
                raise ValueError(
                    f"units of code_discriminator must be (first, end) within the code's {model.units} "
                    f"units; received {self.units}."
                )

    def build(self, event_shape: tuple[int, ...] = (), units: int = 0) -> None:
        """Create the critic, of something even where `check` will refuse the model."""
        width = units
        if self.units is not None:
            width = self.units[-1] - self.units[0]
        elif self.of_classes:
            width = getattr(self.model.prior, "classes", None) or 1
        self.critic = self.network((max(width, 1),))
        super().build(event_shape, units)

    def penalty(self, forward: zoo.ForwardPass, training: bool = False) -> tf.Tensor:
        """(batch,), in nats."""
        return self.fool(self._fakes(forward, "fooled", training))

    def critic_loss(self, forward: zoo.ForwardPass) -> tf.Tensor:
        """A scalar, in nats."""
        made = forward.generated
        expected = made.label if self.of_classes else self._of(made.code, forward)
        real = self._logits(expected, forward, "real", True)
        return self.separate(real, self._fakes(forward, "fake", True))

    def _fakes(self, forward: zoo.ForwardPass, tag: str, training: bool) -> tf.Tensor:
        def judge() -> tf.Tensor:
            return self._logits(self._of(forward.code, forward), forward, tag, training)

        return self.once("encoded", forward, judge)

    def _of(self, code: tf.Tensor, forward: zoo.ForwardPass) -> tf.Tensor:
        if self.of_classes:
            return tf.nn.softmax(forward.classify(code))
        return code if self.units is None else code[:, slice(*self.units)]

    def _logits(
        self, seen: tf.Tensor, forward: zoo.ForwardPass, tag: str, training: bool
    ) -> tf.Tensor:
        return self.critic(self.blurred(seen, forward, tag), training=training)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "units": self.units, "of_classes": self.of_classes}
