"""Changed views of pictures that keep what they show: small random affine maps."""

from __future__ import annotations

import math
from typing import Any

import keras
import tensorflow as tf

import zoo

# A view of (rotation in degrees, relative change of scale, shear, shift as a share of the side).
STRENGTHS = {
    "weak": (10.0, 0.1, 0.1, 0.04),
    "strong": (25.0, 0.2, 0.3, 0.11),
}


def check_view(strength: str, model: zoo.Autoencoder, name: str) -> None:
    """Refuse an unknown strength, and models of anything but pictures.

    Raises:
        ValueError: with what was expected and received.
    """
    if strength not in STRENGTHS:
        raise ValueError(
            f"view of {name!r} must be one of {', '.join(STRENGTHS)}; received {strength!r}."
        )
    if len(model.event_shape) != 3:
        raise ValueError(
            f"The regularizer {name!r} moves and turns pictures and needs inputs of shape (height, width, "
            f"channels); the model's are {model.event_shape}."
        )


def view(pictures: tf.Tensor, noise: Any, strength: str = "strong") -> tf.Tensor:
    """Every picture turned, scaled, sheared and shifted at random about its centre.

    Args:
        pictures: (batch, height, width, channels) float32; 0 fills what comes from outside.
        noise: a `zoo.noise.Noise` stream.
        strength: a key of `STRENGTHS`; all six parameters are uniform within its bounds.

    Returns:
        Pictures of the same shape, with gradients to the originals.
    """
    height, width = pictures.shape[1:3]
    turn, zoom, shear, shift = STRENGTHS[strength]
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
    return keras.ops.image.affine_transform(pictures, transform)
