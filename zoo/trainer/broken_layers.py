"""Layers whose gradient TensorFlow writes over other memory, refused before they train."""

from __future__ import annotations

import os

import keras
import tensorflow as tf

# From this many channels on oneDNN's gradient of a strided kernel of one pixel is right.
_SAFE_CHANNELS = 16


def refuse_broken(model: keras.Model) -> None:
    """Refuse convolutions whose gradient oneDNN writes outside of its memory (its issue 6035).

    So it does on a processor for a kernel of one pixel, a stride above 1 and fewer than 16 channels on the
    side of the larger pictures: weights are wrong then, or the process dies some time later. With
    ``TF_ENABLE_ONEDNN_OPTS=0`` in the environment it does not.

    Args:
        model: whose layers are looked at; those that are frozen may stay.

    Raises:
        ValueError: where there is such a layer.
    """
    if os.environ.get("TF_ENABLE_ONEDNN_OPTS") == "0" or tf.config.list_physical_devices("GPU"):
        return
    for layer in model._flatten_layers():
        if layer.trainable and _breaks(layer):
            kind = type(layer).__name__
            raise ValueError(
                f"The gradient of {kind} {layer.name!r}, whose kernel is one pixel and whose strides are "
                f"{tuple(layer.strides)}, is written outside of its memory by TensorFlow on a processor "
                f"(oneDNN issue 6035). Use zoo.networks.{kind}, which has the same arguments and weights."
            )


def _breaks(layer: keras.Layer) -> bool:
    """Whether a layer asks for such a gradient; `zoo.networks` has layers that compute a product."""
    return (
        isinstance(layer, (keras.layers.Conv2D, keras.layers.Conv2DTranspose))
        and layer.built
        and tuple(layer.kernel_size) == (1, 1)
        and max(layer.strides) > 1
        and layer.kernel.shape[2] < _SAFE_CHANNELS
        and not getattr(layer, "is_product", False)
    )
