"""The bias that a sparse dictionary and its encoder share, and the encoder that takes it off."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.serialization import serializable
from zoo.trainer.replicas import gather
from zoo.values import vector_axes


class Offset(keras.layers.Layer):
    """Where data lie and how far they reach: b = m + s * beta, and s.

    m and s are what `set_offset` was given, else the mean of the first batch of training and the root mean
    square of its deviations from it, one s for each place of an event (places, d) and one for a whole
    picture. beta is trained. So all that is trained has no unit, and a model does the same with data that are
    multiplied by 1,000.

    Args:
        learned: whether beta is trained; else b is m.
        **kwargs: of a Keras layer.

    Example:
        >>> offset = zoo.networks.Centred()
        >>> _ = offset(np.zeros((1, 2), "float32"))
        >>> offset.set_offset([1.0, 2.0], scale=10.0)
        >>> offset(np.array([[11.0, 2.0]], "float32")).numpy().tolist()
        [[1.0, 0.0]]
    """

    def __init__(self, learned: bool = True, **kwargs: Any):
        # A mean that is large beside the deviations needs more digits than bfloat16 has.
        super().__init__(**{"dtype": "float32", **kwargs})
        self.learned = bool(learned)

    def add_offset(self, event: Sequence[Any]) -> None:
        """Create the weights for an event shape (d,), (places, d) or that of a picture."""
        fixed: dict[str, Any] = {"trainable": False, "dtype": "float32", "autocast": False}
        self.mean = self.add_weight(name="mean", shape=event, initializer="zeros", **fixed)
        axes = vector_axes(event)
        places = (*event[: -len(axes)], *(1 for _ in axes))
        self.scale = self.add_weight(name="scale", shape=places, initializer="ones", **fixed)
        self.started = self.add_weight(name="started", shape=(), initializer="zeros", **fixed)
        if self.learned:
            self.beta = self.add_weight(
                name="beta", shape=event, initializer="zeros", dtype="float32", autocast=False
            )

    @property
    def centre(self) -> tf.Tensor:
        """b, of the event's shape."""
        mean = tf.convert_to_tensor(self.mean)
        return mean + tf.convert_to_tensor(self.scale) * self.beta if self.learned else mean

    def set_offset(self, mean: Any, scale: Any) -> None:
        """Choose m and s, and begin with b = m."""
        scale = np.broadcast_to(np.asarray(scale, np.float32), self.scale.shape)
        self.mean.assign(np.asarray(mean, np.float32).reshape(self.mean.shape))
        self.scale.assign(np.where(scale > 0, scale, 1.0))
        self.started.assign(1.0)
        if self.learned:
            self.beta.assign(np.zeros(self.beta.shape, np.float32))

    def start_from(self, rows: tf.Tensor) -> None:
        """Choose m and s from a first batch of at least 2 rows, in a graph; later ones change nothing."""
        rows = gather(rows)
        mean = tf.reduce_mean(rows, axis=0)
        axes = [0, *vector_axes(self.mean.shape)]
        square = tf.reduce_mean(tf.square(rows - mean), axes, keepdims=True)[0]
        scale = tf.where(square > 0, tf.sqrt(square), 1.0)
        first = (tf.convert_to_tensor(self.started) < 1) & (tf.shape(rows)[0] > 1)
        self.mean.assign(tf.where(first, mean, self.mean))
        self.scale.assign(tf.where(first, scale, self.scale))
        self.started.assign(tf.where(first, 1.0, self.started))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "learned": self.learned}


@serializable
class Centred(Offset):
    """h = (x - b) / s, with the b and s of `Offset`, which a `Dictionary` decoder shares.

    Bricken et al., "Towards Monosemanticity", 2023, section "Sparse autoencoder setup": the decoder's bias is
    taken off the input. An event of several axes becomes one vector.

    Args:
        learned: whether b is trained.
        **kwargs: as in `Offset`.

    Example:
        >>> encoder = zoo.networks.Centred()
        >>> x = 3 + np.random.default_rng(0).normal(size=(500, 4)).astype("float32")
        >>> h = encoder(x, training=True)  # the first batch of training says where the data lie
        >>> np.allclose(np.mean(h, axis=0), 0, atol=1e-5), np.allclose(np.mean(np.square(h)), 1)
        (True, True)
    """

    def build(self, input_shape: Any) -> None:
        """Create the weights."""
        self.add_offset(tuple(shape_of_x(input_shape)[1:]))
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> tf.Tensor:
        """(batch, *event) -> (batch, features); a condition beside x is not read."""
        x = inputs[0] if isinstance(inputs, list | tuple) else inputs
        if training:
            self.start_from(x)
        event = (x - self.centre) / tf.convert_to_tensor(self.scale)
        return tf.reshape(event, (-1, math.prod(self.mean.shape)))

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        """(batch, features)."""
        batch, *event = shape_of_x(input_shape)
        return (batch, math.prod(event))


def shape_of_x(shape: Any) -> Any:
    """The shape of x, where that of a condition stands beside it."""
    return shape[0] if isinstance(shape[0], list | tuple) else shape
