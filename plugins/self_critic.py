"""A critic of pairs of a code and a picture: encoding should invert generation."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

import zoo

from .critics import Critic


@zoo.register("self_critic")
class SelfCritic(Critic):
    """The self critic S (Haque et al., section 2.3; equations 1 and 2).

    S tells the generated pair (z_g, x_g), which counts as real, from the encoded one (z_e, x). It
    minimises -log S(z_g, x_g) - log(1 - S(z_e, x)); the model minimises

        log(1 - S(z_e, x)) [+ log S(z_g, x_g)  with both_pairs]

    or, non-saturating, -log S(z_e, x) [- log(1 - S(z_g, x_g))]. Equation 2 puts S's whole loss under the
    minimum over E, D, C and G, equation 1 the encoder's part alone: `both_pairs` chooses. With it,
    encoder and generator meet, as in Dumoulin et al., "Adversarially Learned Inference", 2017.

    Args:
        weight: a number or a Keras schedule of the training step.
        both_pairs: see above.
        joint: units of the hidden layer that sees picture features and code together.
        **options: as in `zoo_plugins.critics.Critic`; `hidden` is of the picture's network.

    Example:
        >>> critic = zoo.get("self_critic", hidden=(4, 8), joint=8, both_pairs=True)
        >>> model = zoo.create("vae", (8, 8, 1), latents=2, hidden=(4,), regularizers=[critic])
        >>> model.compile()
        >>> x = np.random.default_rng(0).random((20, 8, 8, 1), np.float32)
        >>> "self_critic" in model.evaluate(x, return_dict=True, verbose=0)
        True
    """

    fixed = ("joint",)

    def __init__(
        self, weight: Any = 1.0, both_pairs: bool = False, joint: int = 256, **options: Any
    ):
        super().__init__(weight, **options)
        self.both_pairs = bool(both_pairs)
        self.joint = int(joint)

    def check(self, model: zoo.Autoencoder) -> None:
        """Generated pairs need a prior."""
        if model.prior is None:
            raise ValueError(
                "The regularizer 'self_critic' needs a model with a prior; received none. Set prior='normal'."
            )

    def build(self, event_shape: tuple[int, ...] = (), units: int = 0) -> None:
        """Create the picture's network and the joint one."""
        picture = keras.Input(event_shape)
        code = keras.Input((units,))
        features = zoo.networks.critic_network(event_shape, self.hidden, self.norm, outputs=None)(
            picture
        )
        joined = keras.layers.Concatenate(dtype="float32")([features, code])
        logits = zoo.networks.critic_network((joined.shape[-1],), (self.joint,), self.norm)(joined)
        self.critic = keras.Model([code, picture], logits)
        super().build(event_shape, units)

    @property
    def judges_pictures(self) -> bool:
        """Only with both pairs: pictures alone teach the critic."""
        return self.both_pairs

    def penalty(self, forward: zoo.ForwardPass, training: bool = False) -> tf.Tensor:
        """(batch,), in nats."""
        encoded = self._logits(forward.code, forward.inputs, forward, "encoded", training)
        if not self.both_pairs:
            return self.fool(encoded)
        made = forward.generated
        return self.fool(encoded) + self.fool(
            -self._logits(made.code, made.picture, forward, "generated", training)
        )

    def critic_loss(self, forward: zoo.ForwardPass) -> tf.Tensor:
        """A scalar, in nats."""
        made = forward.generated
        real = self._logits(made.code, made.picture, forward, "generated", True)
        return self.separate(
            real, self._logits(forward.code, forward.inputs, forward, "encoded", True)
        )

    def _logits(
        self,
        code: tf.Tensor,
        picture: tf.Tensor,
        forward: zoo.ForwardPass,
        tag: str,
        training: bool,
    ) -> tf.Tensor:
        def judge() -> tf.Tensor:
            return self.critic([code, self.blurred(picture, forward, tag)], training=training)

        return self.once(tag, forward, judge)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "both_pairs": self.both_pairs, "joint": self.joint}
