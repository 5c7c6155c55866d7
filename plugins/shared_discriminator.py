"""A critic of pictures that shares its layers with the encoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

import zoo

from .discriminator import Discriminator
from .mutual_information import MutualInformation

SHARED = "shared"


@zoo.register("shared_discriminator")
class SharedDiscriminator(Discriminator):
    """A discriminator Di and a recognition network E on the same layers (Chen et al., 2016, section 5).

    Di(x) is one linear unit on the layers T of the encoder that are named "shared"; E goes on from them. T
    and the unit are trained by the critic's optimizer on

        -log Di(x) - log(1 - Di(x_g)) + I(c, x_g)

    with x_g a picture of a draw from the prior and I the model's term "mutual_information", its weight
    included, so that T serves both. The model, without T, minimises -log Di(x_g) (or another `form`) and I.
    The authors' program divides the losses in this way; the paper's equation 6 leaves it open. With fakes
    "both" or "reconstructed" the model minimises -log Di(x_r) as well or instead; x_r is the reconstruction.

    Args:
        weight: a number or a Keras schedule of the training step.
        fakes: which of its pictures the model is to make real, "generated", "reconstructed" or "both"; the
            critic itself sees x_g as fake unless there are only reconstructions.
        spread: whether Di's unit sees the batch's mean standard deviation too.
        hidden: refused; the hidden layers are those of the encoder.
        **options: as in `zoo_plugins.critics.Critic`; ``norm="spectral"`` is of Di's unit.

    Raises:
        ValueError: for an encoder without layers named "shared", unknown ``fakes``, or ``hidden``.

    Example:
        >>> model = zoo.create("info_gan", (6,), classes=3, noise_units=4, critic=(8,), shared=True)
        >>> model.compile()
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> history = model.fit(x, verbose=0)
        >>> [name for name in sorted(history.history) if "shared" in name]
        ['shared_discriminator', 'shared_discriminator_critic']
    """

    sees_model = True

    def __init__(
        self,
        weight: Any = 1.0,
        fakes: str = "generated",
        spread: bool = False,
        hidden: Sequence[int] = (),
        **options: Any,
    ):
        if hidden:
            raise ValueError(
                f"The hidden layers of 'shared_discriminator' are those of the encoder named {SHARED!r}; "
                f"received hidden={tuple(hidden)}. Leave it out."
            )
        super().__init__(weight, fakes, spread, hidden=(), **options)

    def build(self, event_shape: tuple[int, ...] = (), units: int = 0) -> None:
        """Create Di's unit, and no network of its own."""
        features = self.shared.compute_output_shape((None, *event_shape))[1:]
        self.unit = self.network(features, spread=self.spread)
        super(Discriminator, self).build(event_shape, units)

    @property
    def shared(self) -> keras.Layer:
        """T, the encoder's layers that Di reads."""
        named = [layer for layer in self._layers_of_encoder if layer.name == SHARED]
        if not named:
            raise ValueError(
                f"'shared_discriminator' needs an encoder that begins with a layer named {SHARED!r}, which "
                "may be a model of several; received one without. Use "
                "keras.Sequential([keras.Sequential([...], name='shared'), ...]) as the encoder."
            )
        return named[0]

    @property
    def critic_layers(self) -> list[keras.Layer]:
        """T and Di's unit."""
        return [self.shared, self.unit]

    def critic_loss(self, forward: zoo.ForwardPass) -> tf.Tensor:
        """A scalar, in nats."""
        seen = self.blurred(forward.inputs, forward, "real")
        real = self.unit(self.shared(seen, training=True), training=True)
        shown = "reconstructed" if self.fakes == "reconstructed" else "generated"
        features = self._features(shown, forward, "fake", True)
        total = self.separate(real, self.unit(features, training=True))
        read = [
            term
            for term in self.model.regularizers
            if isinstance(term, MutualInformation) and term.codes != "generated"
        ]
        if read and shown != "generated":
            features = self._features("generated", forward, "fake", True)
        for layer in self._layers_of_encoder[1:] if read else []:
            features = layer(features, training=True)
        for term in read:
            made = forward.generated
            recoded = self.model.bottleneck.encode(features)
            missed = tf.reduce_mean(term.unrecognised(made.label, made.code, recoded))
            total = total + zoo.at_step(term.weight, forward.step) * missed
        return total

    def _logits(self, fakes: str, forward: zoo.ForwardPass, tag: str, training: bool) -> tf.Tensor:
        return self.unit(self._features(fakes, forward, tag, training), training=training)

    def _features(
        self, fakes: str, forward: zoo.ForwardPass, tag: str, training: bool
    ) -> tf.Tensor:
        made = forward.generated.picture if fakes == "generated" else forward.output.mean()
        return self.shared(self.blurred(made, forward, tag), training=training)

    @property
    def _layers_of_encoder(self) -> list[keras.Layer]:
        return list(getattr(self.model.encoder, "layers", []))
