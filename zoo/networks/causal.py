"""Convolutions that see of a picture what was drawn before a pixel: a PixelCNN."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from zoo.networks.conv import LAST
from zoo.serialization import serializable
from zoo.trainer.slices import of_share

# Of the first layer; pixels further away are seen by the layers after it.
_FIRST, _NEXT = 7, 5


@serializable
class CausalConvolutions(keras.layers.Layer):
    """Numbers for every pixel, from the pixels above it and to its left, and from a context of its place.

    The two stacks of the gated PixelCNN (van den Oord et al., "Conditional Image Generation with PixelCNN
    Decoders", 2016, section 2.2 and figure 2), which have no blind spot: one sees all rows above, the other
    the row itself, to the left, and the first stack. Pictures are moved by a row or a pixel and padded where
    the paper masks kernels; what is seen is the same. The channels of a pixel are given together: none of
    them sees another.

    Args:
        outputs: numbers for each pixel.
        filters: of every layer.
        layers: gated layers of each stack.

    Example:
        >>> network = zoo.networks.CausalConvolutions(outputs=1, filters=4, layers=2)
        >>> x, context = np.zeros((1, 6, 6, 1), "float32"), np.zeros((1, 6, 6, 3), "float32")
        >>> before = network(x, context)
        >>> x[0, 3, 2] = 1.0  # changes what is said of later pixels only
        >>> seen = np.argwhere(network(x, context) != before)[:, 1:3].tolist()
        >>> min(seen), [3, 2] in seen, [2, 5] in seen
        ([3, 3], False, False)
    """

    def __init__(self, outputs: int, filters: int = 32, layers: int = 3, **kwargs: Any):
        super().__init__(dtype="float32", **kwargs)
        self.outputs, self.filters, self.layers = outputs, filters, layers
        first = [_FIRST] + [_NEXT] * (layers - 1)
        wide = {"padding": "valid", "dtype": "float32", **LAST}
        conv = keras.layers.Conv2D
        self.down = [conv(2 * filters, (side // 2 + 1, side), **wide) for side in first]
        self.across = [conv(2 * filters, (1, side // 2 + 1), **wide) for side in first]
        one: Any = {"kernel_size": 1, "dtype": "float32", **LAST}
        self.from_above = [conv(2 * filters, **one) for _ in first]
        self.above_context = [conv(2 * filters, **one) for _ in first]
        self.row_context = [conv(2 * filters, **one) for _ in first]
        self.onward = [conv(filters, **one) for _ in first]
        self.last = [conv(2 * filters, activation="relu", **one), conv(outputs, **one)]

    def build(self, x_shape: Any, context_shape: Any) -> None:
        """Create the weights for pictures and contexts (batch, h, w, channels)."""
        hidden = (None, None, None, self.filters)
        for index in range(self.layers):
            seen = (None, None, None, x_shape[-1]) if index == 0 else hidden
            self.down[index].build(seen)
            self.across[index].build(seen)
            self.from_above[index].build((None, None, None, 2 * self.filters))
            self.above_context[index].build(context_shape)
            self.row_context[index].build(context_shape)
            self.onward[index].build(hidden)
        self.last[0].build(hidden)
        self.last[1].build((None, None, None, 2 * self.filters))
        self.built = True

    def call(self, x: tf.Tensor, context: tf.Tensor) -> tf.Tensor:
        """(batch, h, w, c) and (batch, h, w, width) -> (batch, h, w, outputs)."""
        return of_share(lambda x, c: self.of_rows(x, self.above(x, c), c), x, context)

    def above(self, x: tf.Tensor, context: tf.Tensor) -> list[tf.Tensor]:
        """What each layer knows of the rows above each pixel, (batch, h, w, 2 filters) each."""
        hidden, found = tf.pad(x[:, :-1], [[0, 0], [1, 0], [0, 0], [0, 0]]), []
        for index, conv in enumerate(self.down):
            rows, columns = conv.kernel_size
            pads = [[0, 0], [rows - 1, 0], [columns // 2, columns // 2], [0, 0]]
            full = conv(tf.pad(hidden, pads)) + self.above_context[index](context)
            found.append(full)
            hidden = _gated(full)
        return found

    def of_rows(self, x: tf.Tensor, above: list[tf.Tensor], context: tf.Tensor) -> tf.Tensor:
        """The outputs of some rows alone, given what `above` gave for them: all (batch, rows, w, ...)."""
        hidden = tf.pad(x[:, :, :-1], [[0, 0], [0, 0], [1, 0], [0, 0]])
        for index, conv in enumerate(self.across):
            left = conv.kernel_size[1] - 1
            full = conv(tf.pad(hidden, [[0, 0], [0, 0], [left, 0], [0, 0]]))
            full += self.from_above[index](above[index]) + self.row_context[index](context)
            gated = self.onward[index](_gated(full))
            hidden = gated if index == 0 else hidden + gated
        return self.last[1](self.last[0](tf.nn.relu(hidden)))

    def compute_output_shape(self, x_shape: Any, context_shape: Any) -> Any:
        """(batch, h, w, outputs)."""
        return (*x_shape[:-1], self.outputs)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        own = {"outputs": self.outputs, "filters": self.filters, "layers": self.layers}
        return {**super().get_config(), **own}


def _gated(full: tf.Tensor) -> tf.Tensor:
    """Tanh of one half, let through by the other (their equation 2)."""
    value, gate = tf.split(full, 2, axis=-1)
    return tf.tanh(value) * tf.sigmoid(gate)
