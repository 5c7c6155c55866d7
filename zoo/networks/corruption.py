"""Corruption of the encoder's input during training, for denoising autoencoders."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from zoo.noise import Noise
from zoo.parts import Part
from zoo.serialization import at_step, scalar, scalar_config, serializable


class Corruption(Part):
    """Changes what the encoder sees in training; the likelihood still judges the clean input.

    Example:
        >>> @keras.saving.register_keras_serializable("mine")
        ... class Negative(zoo.networks.Corruption):
        ...     def corrupt(self, inputs, noise):
        ...         return 1 - inputs
        >>> model = zoo.create("autoencoder", (6,), latents=2, hidden=(4,), corruption=Negative())
    """

    def corrupt(self, inputs: tf.Tensor, noise: Noise) -> tf.Tensor:
        """(batch, *event) float32 -> the same shape."""
        raise NotImplementedError(f"{type(self).__name__} must define corrupt(inputs, noise).")


@serializable
class MaskingNoise(Corruption):
    """Sets every element to 0 with probability `rate` (Vincent et al. 2008, section 2.3).

    Args:
        rate: probability, at least 0 and below 1.

    Example:
        >>> masking = zoo.networks.MaskingNoise(rate=0.3)
        >>> kept = masking.corrupt(np.ones((1000, 6), "float32"), zoo.Noise(seed=0, count=0))
        >>> np.unique(kept).tolist(), round(float(np.mean(kept)), 1)
        ([0.0, 1.0], 0.7)
    """

    def __init__(self, rate: float = 0.2, **kwargs: Any):
        super().__init__(dtype="float32", **kwargs)
        self.rate = check_rate(rate, "rate of MaskingNoise")

    def corrupt(self, inputs: tf.Tensor, noise: Noise) -> tf.Tensor:
        """X times a mask of ones and zeros."""
        return inputs * noise.keep(self.rate, tf.shape(inputs)[0], *inputs.shape[1:])

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"name": self.name, "rate": self.rate}


@serializable
class GaussianNoise(Corruption):
    """Adds N(0, stddev^2) to every element.

    Args:
        stddev: in the units of the input, at least 0; a number, a Keras schedule of the training step, or a
            variable.

    Example:
        >>> noise = zoo.networks.GaussianNoise(stddev=0.5)
        >>> moved = noise.corrupt(np.ones((1000, 6), "float32"), zoo.Noise(seed=0, count=0))
        >>> round(float(np.std(moved)), 1)
        0.5
    """

    def __init__(self, stddev: Any = 0.1, **kwargs: Any):
        super().__init__(dtype="float32", **kwargs)
        self.stddev: Any = scalar(stddev, "stddev of GaussianNoise", minimum=0)

    def corrupt(self, inputs: tf.Tensor, noise: Noise) -> tf.Tensor:
        """X plus noise."""
        step: Any = noise.count
        stddev = at_step(self.stddev, step)
        return inputs + stddev * noise.normal(tf.shape(inputs)[0], *inputs.shape[1:])

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"name": self.name, "stddev": scalar_config(self.stddev)}


def check_rate(value: Any, name: str) -> float:
    """A probability in [0, 1), or a ValueError that names it."""
    rate = scalar(value, name, minimum=0)
    if not isinstance(rate, float) or rate >= 1:
        raise ValueError(f"{name} must be at least 0 and below 1; received {value!r}.")
    return rate
