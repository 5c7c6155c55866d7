"""Keras's strided convolutions, faster between pictures of few channels and maps of many.

A transposed convolution to a picture of one channel, which is also the gradient of a convolution with respect
to such a picture, runs on a processor at a small part of the speed of a matrix product. Here it is a product
and a few sums. Weights, names and results are those of Keras's layers.

A kernel of one pixel is a matrix product at every stride-th pixel, and is computed as one. For the gradient
of such a kernel with a stride above 1 oneDNN writes outside of its memory, see `zoo.trainer.broken_layers`.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from zoo.serialization import serializable
from zoo.trainer.slices import of_share

# Measured: with one channel 4 times as fast as TensorFlow's own, with three twice, with eight slower.
MOST_CHANNELS = 4


@serializable
class Conv2D(keras.layers.Conv2D):
    """`keras.layers.Conv2D` with a faster gradient with respect to pictures of few channels.

    Arguments, weights and results are Keras's.

    Example:
        >>> layer = zoo.networks.Conv2D(8, 4, strides=2, padding="same")
        >>> layer(np.zeros((3, 9, 9, 1), "float32")).shape
        TensorShape([3, 5, 5, 8])
    """

    @property
    def is_product(self) -> bool:
        """Whether the layer has a kernel of one pixel and is a product at every stride-th pixel."""
        return _is_product(self)

    def call(self, inputs: Any) -> Any:
        """(batch, h, w, channels) -> (batch, h', w', filters)."""
        return of_share(super().call, inputs)

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """(batch, h, w, channels) -> (batch, h', w', filters), without bias."""
        if self.is_product:
            down, across = self.strides
            return tf.matmul(inputs[:, ::down, ::across], tf.convert_to_tensor(kernel)[0, 0])
        if not (_fits(self, inputs.shape[-1]) and None not in inputs.shape[1:3]):
            return super().convolution_op(inputs, kernel)
        result: Any = _convolved(inputs, tf.convert_to_tensor(kernel), self.strides[0])
        return result


@serializable
class Conv2DTranspose(keras.layers.Conv2DTranspose):
    """`keras.layers.Conv2DTranspose`, faster where it gives pictures of few channels.

    Arguments, weights and results are Keras's.

    Example:
        >>> layer = zoo.networks.Conv2DTranspose(1, 4, strides=2, padding="same")
        >>> layer(np.zeros((3, 5, 5, 8), "float32")).shape
        TensorShape([3, 10, 10, 1])
    """

    @property
    def is_product(self) -> bool:
        """Whether the layer has a kernel of one pixel and is a product, set apart by the stride."""
        return _is_product(self) and self.output_padding is None

    def call(self, inputs: Any) -> Any:
        """(batch, h, w, channels) -> (batch, stride h, stride w, filters)."""
        return of_share(self._spread_out, inputs)

    def _spread_out(self, inputs: Any) -> Any:
        if self.is_product:
            kernel = tf.transpose(tf.convert_to_tensor(self.kernel)[0, 0])
            outputs = _set_apart(tf.matmul(inputs, kernel), self.strides)
            if self.use_bias:
                outputs = outputs + tf.convert_to_tensor(self.bias)
            return self.activation(outputs)
        small = _fits(self, self.filters) and self.output_padding is None
        if not small or None in inputs.shape[1:3]:
            return super().call(inputs)
        outputs: Any = _spread(inputs, tf.convert_to_tensor(self.kernel), self.strides[0])
        if self.use_bias:
            # The gradient of `tf.nn.bias_add` is summed in bfloat16 where that is what comes.
            outputs = outputs + tf.convert_to_tensor(self.bias)
        return self.activation(outputs)


@serializable
class Cropping2D(keras.layers.Cropping2D):
    """`keras.layers.Cropping2D` whose gradient is padded with zeros, in a sixth of the time.

    Example:
        >>> layer = zoo.networks.Cropping2D(((1, 2), (0, 1)))
        >>> layer(np.zeros((3, 8, 8, 1), "float32")).shape
        TensorShape([3, 5, 7, 1])
    """

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """(batch, h, w, channels) -> the same without its margins."""
        if self.data_format != "channels_last":
            return super().call(inputs)
        crop = super().call
        margins = [[0, 0], *map(list, self.cropping), [0, 0]]

        @tf.custom_gradient
        def cropped(inputs: tf.Tensor) -> tuple[tf.Tensor, Any]:
            return crop(inputs), lambda upstream: tf.pad(upstream, margins)

        result: Any = cropped(inputs)
        return result


def _is_product(layer: Any) -> bool:
    return (
        tuple(layer.kernel_size) == (1, 1)
        and max(layer.strides) > 1
        and layer.data_format == "channels_last"
        and getattr(layer, "groups", 1) == 1
        and not tf.config.list_physical_devices("GPU")
    )


def _set_apart(maps: Any, strides: tuple[int, ...]) -> Any:
    """Maps with zeros between them, (batch, h, w, n) -> (batch, stride h, stride w, n)."""
    down, across = strides
    batch, height, width, count = tf.unstack(tf.shape(maps), num=4)
    maps = tf.pad(
        maps[:, :, None, :, None], [[0, 0], [0, 0], [0, down - 1], [0, 0], [0, across - 1], [0, 0]]
    )
    return tf.reshape(maps, (batch, height * down, width * across, count))


def _fits(layer: Any, channels: int | None) -> bool:
    """Whether a layer's numbers are such that a product is faster."""
    return (
        channels is not None
        and channels <= MOST_CHANNELS
        and layer.strides[0] == layer.strides[1] > 1
        and layer.padding == "same"
        and layer.data_format == "channels_last"
        and tuple(layer.dilation_rate) == (1, 1)
        and getattr(layer, "groups", 1) == 1
        and not tf.config.list_physical_devices("GPU")
    )


def _convolved(pictures: tf.Tensor, kernel: tf.Tensor, stride: int) -> Any:
    """Padded as "same" does, (batch, H, W, few) and (k, k', few, filters) -> (batch, h, w, filters)."""

    @tf.custom_gradient
    def convolved(pictures: tf.Tensor, kernel: tf.Tensor) -> tuple[tf.Tensor, Any]:
        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            size = pictures.shape[1:3]
            return (
                _to_pictures(upstream, kernel, stride, size),
                _to_kernel(pictures, kernel, stride, upstream),
            )

        return tf.nn.conv2d(pictures, kernel, stride, "SAME"), gradient

    return convolved(pictures, kernel)


def _spread(maps: tf.Tensor, kernel: tf.Tensor, stride: int) -> Any:
    """The transposed convolution, (batch, h, w, filters) -> (batch, stride h, stride w, few)."""

    @tf.custom_gradient
    def spread(maps: Any, kernel: tf.Tensor) -> tuple[tf.Tensor, Any]:
        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return (
                tf.nn.conv2d(upstream, kernel, stride, "SAME"),
                _to_kernel(upstream, kernel, stride, maps),
            )

        size = [stride * side for side in maps.shape[1:3]]
        return _to_pictures(maps, kernel, stride, size), gradient

    return spread(maps, kernel)


def _to_kernel(pictures: Any, kernel: Any, stride: int, upstream: Any) -> Any:
    return tf.raw_ops.Conv2DBackpropFilter(
        input=pictures,
        filter_sizes=kernel.shape,
        out_backprop=upstream,
        strides=[1, stride, stride, 1],
        padding="SAME",
    )


def _to_pictures(maps: Any, kernel: Any, stride: int, size: Any) -> Any:
    """The sum over maps, kernel elements and places that a picture's element is under.

    Along an axis an element of a map adds to k neighbouring pixels, the cells of k / stride neighbouring
    squares of stride x stride pixels; a kernel that does not fill them is filled up with zeros. One product
    gives what each element adds to each square. Squares are then added along rows and columns, and laid out
    as pictures.

    Args:
        maps: (batch, h, w, filters).
        kernel: (k, k', few, filters).
        stride: in pixels.
        size: (H, W) of the pictures, with h = ceil(H / stride).

    Returns:
        (batch, H, W, few), of the type of `maps`.
    """
    *sides, few, filters = kernel.shape
    height, width = maps.shape[1:3]
    down, across = [-(-side // stride) for side in sides]
    filled = [[0, n * stride - side] for n, side in zip((down, across), sides, strict=True)]
    kernel = tf.pad(kernel, [*filled, [0, 0], [0, 0]])
    kernel = tf.reshape(kernel, (down, stride, across, stride, few, filters))
    kernel = tf.reshape(tf.transpose(kernel, (5, 0, 2, 1, 3, 4)), (filters, -1))
    # Sums in float32: that of a convolution is rounded once.
    squares = tf.cast(tf.matmul(tf.reshape(maps, (-1, filters)), kernel), tf.float32)
    cell = stride * stride * few
    squares = _added(tf.reshape(squares, (-1, height, width, down, across * cell)), 1)
    squares = _added(tf.reshape(squares, (-1, squares.shape[1], width, across, cell)), 2)
    pictures = tf.nn.depth_to_space(squares, stride)
    cut = [
        max((places - 1) * stride + side - whole, 0) // 2
        for places, side, whole in zip((height, width), sides, size, strict=True)
    ]
    pictures = pictures[:, cut[0] : cut[0] + size[0], cut[1] : cut[1] + size[1]]
    return tf.cast(pictures, maps.dtype)


def _added(squares: Any, axis: int) -> tf.Tensor:
    """Part p of place i of (batch, ., ., parts, n) falls on place i + p of `axis`, and is added there."""
    parts = squares.shape[3]
    moved = []
    for part in range(parts):
        margins = [[0, 0], [0, 0], [0, 0], [0, 0]]
        margins[axis] = [part, parts - 1 - part]
        moved.append(tf.pad(squares[:, :, :, part], margins))
    return tf.add_n(moved)
