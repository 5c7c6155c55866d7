"""Priors with labels: p(z) = sum_c p(c) p(z|c), from which examples of one class can be drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from zoo.distributions.priors import PriorDraw, UnscaledPrior, as_labels
from zoo.noise import Noise
from zoo.registry import register, suggest
from zoo.serialization import number, positive_int

NOISES = ("uniform", "normal")


class LabelledPrior(UnscaledPrior):
    """A prior with equally likely classes; it has no density that a divergence could ask for.

    Args:
        classes: number of labels.

    Subclasses give `from_label`.
    """

    fixed = ("classes",)

    def __init__(self, classes: int = 10, **kwargs: Any):
        super().__init__(**kwargs)
        self.classes = positive_int(classes, "classes")

    def from_label(
        self, noise: Noise, label: tf.Tensor, units: int, training: bool = False
    ) -> tf.Tensor:
        """Draws from p(z|c).

        Args:
            noise: random numbers.
            label: (batch, classes) one-hot.
            units: dimensions of the code.
            training: whether this is a training step.

        Returns:
            (batch, units) float32.
        """
        raise NotImplementedError

    def draw(
        self,
        noise: Noise,
        batch: Any,
        *code_shape: int,
        label: Any = None,
        training: bool = False,
        condition: Any = None,
    ) -> PriorDraw:
        """See `Prior.draw`."""
        del condition
        (units,) = code_shape
        if label is None:
            uniform = noise.fold("label").uniform(batch)
            chosen = tf.cast(uniform * self.classes, tf.int32)
        else:
            chosen = as_labels(label, batch, self.classes)
        one_hot = tf.one_hot(chosen, self.classes)
        return PriorDraw(one_hot, self.from_label(noise.fold("code"), one_hot, units, training))

    def sample(self, noise: Noise, batch: Any, *code_shape: int) -> tf.Tensor:
        """Draws from p(z), (batch, units) float32."""
        return self.draw(noise, batch, *code_shape).code

    def distribution(self, *code_shape: int, condition: Any = None) -> None:
        """None: there is no density in closed form."""
        del code_shape, condition

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "classes": self.classes}


@register("generator", kind="prior")
class GeneratorPrior(LabelledPrior):
    """A learned prior z = G(e, c): an MLP of noise e and a one-hot class c, trained with the model.

    Haque et al., "Disentangled Representation Learning with Information Maximizing Autoencoder",
    section 2.2: e ~ U(-1, 1)^100, c uniform over 10 classes, one hidden layer.

    Args:
        classes: number of labels.
        noise_units: dimensions of e.
        noise: distribution of e, "uniform" on (-1, 1) or "normal".
        hidden: units of the hidden layers.
        batch_norm: whether hidden layers are normalised over the batch.
        label_scale: what the one-hot class is multiplied by on its way into G, at least 0. Beside 100 units
            of noise a new G moves a code by a sixth of its spread from class to class; with 10, classes
            begin apart.

    Example:
        >>> model = zoo.create("info_ae", (6,), latents=4, classes=3, generator=(), label_scale=10.0)
        >>> model.prior.sample(zoo.Noise(0, 0), 200, 4).shape
        TensorShape([200, 4])
    """

    fixed = ("noise_units", "hidden", "batch_norm", "label_scale")

    def __init__(
        self,
        classes: int = 10,
        noise_units: int = 100,
        noise: str = "uniform",
        hidden: Sequence[int] = (256,),
        batch_norm: bool = True,
        label_scale: float = 1.0,
        **kwargs: Any,
    ):
        super().__init__(classes, **kwargs)
        self.label_scale = number(label_scale, "label_scale", minimum=0)
        self.noise_units = positive_int(noise_units, "noise_units")
        if noise not in NOISES:
            raise ValueError(f"Unknown noise {noise!r}.{suggest(noise, NOISES)}")
        self.noise = noise
        self.hidden = tuple(positive_int(units, "hidden") for units in hidden)
        self.batch_norm = bool(batch_norm)

    def build(self, input_shape: Any = None) -> None:
        """Create G for codes of shape (batch, units)."""
        layers: list[keras.Layer] = []
        for units in self.hidden:
            layers.append(keras.layers.Dense(units, use_bias=not self.batch_norm))
            if self.batch_norm:
                layers.append(keras.layers.BatchNormalization(momentum=0.9, synchronized=True))
            layers.append(keras.layers.ReLU())
        layers.append(keras.layers.Dense(input_shape[-1]))
        self.generator = keras.Sequential(layers)
        self.generator.build((None, self.noise_units + self.classes))
        super().build(input_shape)

    def from_label(
        self, noise: Noise, label: tf.Tensor, units: int, training: bool = False
    ) -> tf.Tensor:
        """G(e, c), (batch, units) float32."""
        del units
        source = _noise(self.noise, noise, tf.shape(label)[0], self.noise_units)
        entering = tf.concat([source, self.label_scale * label], axis=-1)
        code = self.generator(entering, training=training)
        return tf.cast(code, tf.float32)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "noise_units": self.noise_units,
            "noise": self.noise,
            "hidden": self.hidden,
            "batch_norm": self.batch_norm,
            "label_scale": self.label_scale,
        }


@register("categorical_style", kind="prior")
class CategoricalStylePrior(LabelledPrior):
    """A one-hot class in the first units of the code and a style in the others.

    Makhzani et al., "Adversarial Autoencoders", section 4 (a normal style); Chen et al., "InfoGAN",
    section 7 (a uniform one).

    Args:
        classes: number of labels, at most the number of units.
        style: "normal" for N(0, 1), "uniform" for U(-1, 1).
    """

    def __init__(self, classes: int = 10, style: str = "normal", **kwargs: Any):
        super().__init__(classes, **kwargs)
        if style not in NOISES:
            raise ValueError(f"Unknown style {style!r}.{suggest(style, NOISES)}")
        self.style = style

    def build(self, input_shape: Any = None) -> None:
        """Check that the code has room for the classes."""
        if input_shape[-1] < self.classes:
            raise ValueError(
                f"The prior 'categorical_style' needs at least as many latents as its {self.classes} "
                f"classes; received {input_shape[-1]} latents."
            )
        super().build(input_shape)

    def from_label(
        self, noise: Noise, label: tf.Tensor, units: int, training: bool = False
    ) -> tf.Tensor:
        """[c, style], (batch, units) float32."""
        del training
        style = _noise(self.style, noise, tf.shape(label)[0], units - self.classes)
        return tf.concat([label, style], axis=-1)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "style": self.style}


def _noise(kind: str, noise: Noise, rows: tf.Tensor, units: int) -> tf.Tensor:
    """U(-1, 1) or N(0, 1), (rows, units)."""
    return noise.normal(rows, units) if kind == "normal" else 2.0 * noise.uniform(rows, units) - 1.0
