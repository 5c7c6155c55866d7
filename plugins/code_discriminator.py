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

    Args:
        weight: a number or a Keras schedule of the training step.
        units: (first, end) of the code's units that the critic sees, for one critic for the classes and
            one for the style; None for all.
        hidden: units of the critic's hidden layers.
        norm: as in `Critic`.
        **options: as in `zoo_plugins.critics.Critic`; `instance_noise` is added to codes.
    """

    def __init__(
        self,
        weight: Any = 1.0,
        units: Sequence[int] | None = None,
        hidden: Sequence[int] = (500, 500),
        norm: str = "none",
        **options: Any,
    ):
        super().__init__(weight, hidden=hidden, norm=norm, **options)
        self.units = None if units is None else tuple(int(bound) for bound in units)

    def check(self, model: zoo.Autoencoder) -> None:
        """The prior is what codes are compared with."""
        if model.prior is None:
            raise ValueError(
                "The regularizer 'code_discriminator' needs a model with a prior; received none. Set "
                "prior='normal'."
            )
        if self.units is not None:
            first, end = self.units if len(self.units) == 2 else (0, 0)
            if not 0 <= first < end <= model.units:
                raise ValueError(
                    f"units of code_discriminator must be (first, end) within the code's {model.units} "
                    f"units; received {self.units}."
                )

    def build(self, event_shape: tuple[int, ...] = (), units: int = 0) -> None:
        """Create the critic."""
        first, end = self.units or (0, units)
        self.critic = self.network((end - first,))
        super().build(event_shape, units)

    def penalty(self, forward: zoo.ForwardPass, training: bool = False) -> tf.Tensor:
        """(batch,), in nats."""
        return self.fool(self._logits(forward.code, forward, "fooled", training))

    def critic_loss(self, forward: zoo.ForwardPass) -> tf.Tensor:
        """A scalar, in nats."""
        real = self._logits(forward.generated.code, forward, "real", True)
        return self.separate(real, self._logits(forward.code, forward, "fake", True))

    def _logits(
        self, code: tf.Tensor, forward: zoo.ForwardPass, tag: str, training: bool
    ) -> tf.Tensor:
        first, end = self.units or (0, code.shape[-1])
        return self.critic(self.blurred(code[:, first:end], forward, tag), training=training)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "units": self.units}
