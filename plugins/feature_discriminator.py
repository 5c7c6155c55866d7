"""A critic of pictures whose hidden layer is the measure by which reconstructions are judged."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

import zoo
from zoo import at_step, scalar, scalar_config

from .discriminator import Discriminator


@zoo.register("feature_discriminator")
class FeatureDiscriminator(Discriminator):
    """VAE/GAN's learned similarity (Larsen et al., "Autoencoding beyond pixels", 2016, equations 7 to 9).

    With F(x) a hidden layer of the discriminator Di, x_r the reconstruction and x_g the picture of a draw
    from the prior, the penalty is

        ||F(x) - F(x_r)||^2 / 2 - adversarial log Di(x_g)

    which is -log N(F(x); F(x_r), I) but for a constant: no density of x, for F is many to one and is
    learned. The critic minimises -log Di(x) - log(1 - Di(x_g)). In the paper x_r is a fake too, but its
    gradient does not reach the encoder; here only x_g is, which has no encoder (as in pythae 0.1.2, whose
    critic is held back when it is too good). The paper's gamma weighs the error in the decoder's update
    alone: 1 / adversarial has the same effect up to the size of its steps.

    Args:
        weight: a number or a Keras schedule of the training step.
        adversarial: of the second term, a number or a schedule.
        layer: F, counted from 0 among the hidden layers; -1 for the last.
        norm: as in `zoo_plugins.critics.Critic`; "spectral" by default, since batch normalisation brings x
            and x_r to one mean before they are compared.
        fakes: "generated".
        **options: as in `zoo_plugins.discriminator.Discriminator`.

    Raises:
        ValueError: for a layer that the critic does not have, or other `fakes`.

    Example:
        >>> critic = zoo.get("feature_discriminator", hidden=(4, 8), layer=0)
        >>> model = zoo.create("vae", (8, 8, 1), latents=2, hidden=(4,), regularizers=[critic])
        >>> model.compile()
        >>> x = np.random.default_rng(0).random((20, 8, 8, 1), np.float32)
        >>> "feature_discriminator" in model.evaluate(x, return_dict=True, verbose=0)
        True
        >>> critic.features(x[:3]).shape
        TensorShape([3, 4, 4, 4])
    """

    fixed = ("layer",)

    def __init__(
        self,
        weight: Any = 1.0,
        adversarial: Any = 1.0,
        layer: int = -1,
        norm: str = "spectral",
        fakes: str = "generated",
        **options: Any,
    ):
        super().__init__(weight, fakes=fakes, norm=norm, **options)
        if fakes != "generated":
            raise ValueError(
                f"fakes of feature_discriminator must be 'generated'; received {fakes!r}."
            )
        if not -len(self.hidden) <= layer < len(self.hidden):
            raise ValueError(
                f"layer of feature_discriminator must lie between {-len(self.hidden)} and "
                f"{len(self.hidden) - 1}, its hidden layers; received {layer!r}."
            )
        self.adversarial = scalar(adversarial, "adversarial", 0)
        self.layer = int(layer)

    def features(self, examples: tf.Tensor) -> tf.Tensor:
        """F, (batch, *event) -> (batch, *what the layer gives) float32."""
        ends = [
            place
            for place, layer in enumerate(self.critic.layers)
            if isinstance(layer, keras.layers.LeakyReLU)
        ]
        found: Any = examples
        for layer in self.critic.layers[: ends[self.layer] + 1]:
            found = layer(found, training=False)
        return tf.cast(found, tf.float32)

    def penalty(self, forward: zoo.ForwardPass, training: bool = False) -> tf.Tensor:
        """(batch,), in nats."""
        real, made = self.features(forward.inputs), self.features(forward.output.mean())
        squares = tf.math.squared_difference(real, made)
        error = 0.5 * tf.reduce_sum(squares, axis=list(range(1, len(squares.shape))))
        return error + at_step(self.adversarial, forward.step) * super().penalty(forward, training)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        own = {"adversarial": scalar_config(self.adversarial), "layer": self.layer}
        return {**super().get_config(), **own}
