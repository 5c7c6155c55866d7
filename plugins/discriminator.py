"""A critic of pictures: reconstructions and generated ones should look like the data."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

import zoo

from .critics import Critic

FAKES = ("both", "generated", "reconstructed")


@zoo.register("discriminator")
class Discriminator(Critic):
    """The image discriminator Di (Haque et al., section 2.4; equation 1).

    The critic minimises -log Di(x) - log(1 - Di(x_g)). The model minimises

        log(1 - Di(x_r)) + log(1 - Di(x_g))

    or its non-saturating form -log Di(x_r) - log Di(x_g), with x_r the reconstruction and x_g the picture
    of a draw from the prior. With fakes "reconstructed", x_r takes the place of x_g (Larsen et al.,
    "Autoencoding beyond pixels", 2016), so that the model needs no prior.

    Args:
        weight: a number or a Keras schedule of the training step.
        fakes: which terms the model has, "generated" (x_g), "reconstructed" (x_r) or "both"; the critic
            itself sees x_g as fake unless there are only reconstructions.
        spread: whether the critic sees the batch's mean standard deviation, which shows a collapse.
        **options: as in `zoo_plugins.critics.Critic`.

    Example:
        >>> critic = zoo.get("discriminator", hidden=(4, 8), fakes="reconstructed", weight=0.1)
        >>> model = zoo.create("autoencoder", (8, 8, 1), latents=2, hidden=(4,), regularizers=[critic])
        >>> model.compile()
        >>> x = np.random.default_rng(0).random((20, 8, 8, 1), np.float32)
        >>> "discriminator" in model.evaluate(x, return_dict=True, verbose=0)
        True
    """

    fixed = ("spread",)
    judges_pictures = True

    def __init__(
        self, weight: Any = 1.0, fakes: str = "both", spread: bool = False, **options: Any
    ):
        super().__init__(weight, **options)
        if fakes not in FAKES:
            raise ValueError(
                f"fakes of {self.zoo_name} must be one of {', '.join(FAKES)}; received {fakes!r}."
            )
        self.fakes = fakes
        self.spread = bool(spread)

    def check(self, model: zoo.Autoencoder) -> None:
        """Generated pictures need a prior."""
        if self.fakes != "reconstructed" and model.prior is None:
            raise ValueError(
                f"The regularizer {self.zoo_name!r} with fakes={self.fakes!r} needs a model with a prior. "
                "Set prior='normal', or fakes='reconstructed'."
            )

    def build(self, event_shape: tuple[int, ...] = (), units: int = 0) -> None:
        """Create the critic."""
        self.critic = self.network(event_shape, spread=self.spread)
        super().build(event_shape, units)

    def penalty(self, forward: zoo.ForwardPass, training: bool = False) -> tf.Tensor:
        """(batch,), in nats."""
        total: Any = 0.0
        if self.fakes != "reconstructed":
            total = total + self.fool(self._logits("generated", forward, "fooled", training))
        if self.fakes != "generated":
            total = total + self.fool(self._logits("reconstructed", forward, "fooled", training))
        return total

    def critic_loss(self, forward: zoo.ForwardPass) -> tf.Tensor:
        """A scalar, in nats."""
        shown = "reconstructed" if self.fakes == "reconstructed" else "generated"
        real = self.critic(self.blurred(forward.inputs, forward, "real"), training=True)
        return self.separate(real, self._logits(shown, forward, "fake", True))

    def _logits(self, fakes: str, forward: zoo.ForwardPass, tag: str, training: bool) -> tf.Tensor:
        def judge() -> tf.Tensor:
            made = forward.generated.picture if fakes == "generated" else forward.output.mean()
            return self.critic(self.blurred(made, forward, tag), training=training)

        return self.once(fakes, forward, judge)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "fakes": self.fakes, "spread": self.spread}
