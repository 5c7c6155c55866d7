"""Changed views of pictures that keep what they show: small random affine maps."""

from __future__ import annotations

import math
from typing import Any, cast

import keras
import tensorflow as tf

from zoo.registry import one_of
from zoo.serialization import serializable

# A view of (rotation in degrees, relative change of scale, shear, shift as a share of the side).
STRENGTHS = {
    "weak": (10.0, 0.1, 0.1, 0.04),
    "medium": (15.0, 0.12, 0.18, 0.066),
    "strong": (25.0, 0.2, 0.3, 0.11),
}


def check_strength(strength: str, name: str = "view") -> str:
    """Refuse an unknown strength.

    Raises:
        ValueError: with what was expected and received.

    Example:
        >>> zoo.networks.check_strength("weak")
        'weak'
        >>> zoo.networks.check_strength("wild")
        Traceback (most recent call last):
            ...
        ValueError: Unknown view 'wild'. Known: weak, medium, strong.
    """
    return one_of(strength, name, STRENGTHS)


def view(pictures: tf.Tensor, noise: Any, strength: str = "strong") -> tf.Tensor:
    """Every picture turned, scaled, sheared and shifted at random about its centre.

    Args:
        pictures: (batch, height, width, channels) float32; 0 fills what comes from outside.
        noise: a `zoo.noise.Noise` stream.
        strength: a key of `STRENGTHS`; all six parameters are uniform within its bounds.

    Returns:
        Pictures of the same shape, with gradients to the originals.

    Raises:
        ValueError: for an unknown strength.

    Example:
        >>> pictures = zoo.data.load("digits", limit=4).inputs
        >>> changed = zoo.networks.view(pictures, zoo.Noise(seed=0, count=0), "weak")
        >>> changed.shape, np.allclose(changed, pictures)
        (TensorShape([4, 8, 8, 1]), False)
    """
    height, width = cast("tuple[int, int]", pictures.shape[1:3])
    turn, zoom, shear, shift = STRENGTHS[check_strength(strength)]
    uniform = 2.0 * noise.uniform(tf.shape(pictures)[0], 6) - 1.0
    angle, scale_x, scale_y, slant, shift_x, shift_y = tf.unstack(uniform, axis=-1)
    angle = angle * (math.pi / 180.0 * turn)
    cos, sin = tf.cos(angle), tf.sin(angle)
    scale_x, scale_y = 1.0 + zoom * scale_x, 1.0 + zoom * scale_y
    # Rotation, then shear, then scale, as the map from a place in the view to one in the picture.
    a, b = cos * scale_x, (cos * shear * slant - sin) * scale_y
    c, d = sin * scale_x, (sin * shear * slant + cos) * scale_y
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    e = middle_x + shift * width * shift_x - a * middle_x - b * middle_y
    f = middle_y + shift * height * shift_y - c * middle_x - d * middle_y
    none = tf.zeros_like(a)
    transform = tf.stack([a, b, e, c, d, f, none, none], axis=-1)
    changed: Any = keras.ops.image.affine_transform(
        pictures, transform, data_format="channels_last"
    )
    return changed


@serializable
class RandomView(keras.layers.Layer):
    """A `view` of every picture in training, the picture itself otherwise.

    Args:
        strength: a key of `STRENGTHS`.
        seed: of the maps.

    Example:
        >>> pictures = zoo.data.load("digits", limit=4).inputs
        >>> layer = zoo.networks.RandomView("weak", seed=0)
        >>> np.array_equal(layer(pictures), pictures)
        True
        >>> np.array_equal(layer(pictures, training=True), pictures)
        False
    """

    def __init__(self, strength: str = "medium", seed: int | None = None, **kwargs: Any):
        super().__init__(
            **{"dtype": "float32", **kwargs}
        )  # places need more digits than bfloat16 has
        self.strength = check_strength(strength, "strength")
        self.seed = seed
        self.generator = keras.random.SeedGenerator(seed)

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """(batch, height, width, channels) to the same shape."""
        if not training:
            return inputs
        return view(inputs, self, self.strength)

    def uniform(self, batch: tf.Tensor, *event: int) -> Any:
        """Numbers of this step, as a `zoo.noise.Noise` has them."""
        return keras.random.uniform((batch, *event), seed=self.generator)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Unchanged."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "strength": self.strength, "seed": self.seed}
