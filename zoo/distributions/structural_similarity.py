"""Structural similarity of pictures at several scales, as a measure of reconstructions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from zoo.distributions.likelihoods import Likelihood
from zoo.registry import register
from zoo.serialization import number, positive_int
from zoo.tfp import tfd

if TYPE_CHECKING:
    from zoo.autoencoder import Autoencoder

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
SIGMA = 1.5
_FLOOR = 1e-3  # powers below 1 have no gradient at 0, where a similarity may begin


def scales_of(sides: Sequence[int], window: int) -> int:
    """At how many scales, each half of that before, a window fits into a picture; at most 5.

    Example:
        >>> from zoo.distributions.structural_similarity import scales_of
        >>> scales_of((28, 28), window=11), scales_of((64, 80), window=11)
        (2, 3)
    """
    fits = [s for s in range(1, len(WEIGHTS) + 1) if min(sides) // 2 ** (s - 1) >= window]
    return max(fits, default=0)


def ms_ssim(first: tf.Tensor, second: tf.Tensor, window: int = 11) -> tf.Tensor:
    """MS-SSIM of pairs of pictures (Wang et al., "Multiscale structural similarity", 2003, equation 7).

    The product over the scales of the means of the contrasts and structures cs_l and, at the last, of the
    similarities, to the powers 0.0448, 0.2856, 0.3001, 0.2363, 0.1333; of fewer scales than five the first
    ones, divided by their sum. Windows are Gaussian, of standard deviation 1.5.

    Args:
        first: (batch, h, w, channels) in [0, 1].
        second: likewise.
        window: side of the windows, at most that of the pictures.

    Returns:
        (batch,) float32, 1 for equal pictures; a similarity at or below 0 counts as 0.001.

    Example:
        >>> from zoo.distributions.structural_similarity import ms_ssim
        >>> x = np.random.default_rng(0).random((2, 16, 16, 1), np.float32)
        >>> ms_ssim(x, x, window=7).numpy().round(4).tolist()
        [1.0, 1.0]
    """
    first, second = (tf.cast(x, tf.float32) for x in (first, second))
    sides: Any = first.shape[1:3]
    powers = np.array(WEIGHTS[: scales_of(sides, window)])
    powers /= powers.sum()
    found: Any = 1.0
    for place, power in enumerate(powers):
        if place:
            first, second = (tf.nn.avg_pool2d(x, 2, 2, "VALID") for x in (first, second))
        similarity, contrast = _similarities(first, second, window)
        factor = similarity if place == len(powers) - 1 else contrast
        found *= tf.pow(tf.maximum(factor, _FLOOR), power)
    return tf.reduce_mean(found, axis=-1)


def _similarities(x: tf.Tensor, y: tf.Tensor, window: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Means of luminance times contrast, and of contrast and structure, (batch, channels) each."""
    places = np.arange(window) - (window - 1) / 2
    line = np.exp(-0.5 * np.square(places / SIGMA))
    line /= line.sum()
    channels: Any = x.shape[-1]
    down, across = (
        tf.constant(np.tile(line.reshape(shape), (1, 1, channels, 1)), tf.float32)
        for shape in ((-1, 1, 1, 1), (1, -1, 1, 1))
    )

    def mean(values: tf.Tensor) -> tf.Tensor:
        for kernel in (down, across):
            values = tf.nn.depthwise_conv2d(values, kernel, [1, 1, 1, 1], "VALID")
        return values

    x_mean, y_mean = mean(x), mean(y)
    x_spread = mean(tf.square(x)) - tf.square(x_mean)
    y_spread = mean(tf.square(y)) - tf.square(y_mean)
    both = mean(x * y) - x_mean * y_mean
    contrast = (2 * both + 0.03**2) / (x_spread + y_spread + 0.03**2)
    squares = tf.square(x_mean) + tf.square(y_mean)
    luminance = (2 * x_mean * y_mean + 0.01**2) / (squares + 0.01**2)
    similarity = tf.reduce_mean(luminance * contrast, axis=[1, 2])
    return similarity, tf.reduce_mean(contrast, axis=[1, 2])


@register("ms_ssim", kind="likelihood")
class StructuralSimilarity(Likelihood):
    """weight (1 - MS-SSIM(x, x_hat)), x_hat = sigmoid(output): pictures judged as an eye would.

    Snell et al., "Learning to generate images with perceptual similarity metrics", 2017, who put it in the
    place of -log p(x|z). It is no density: nobody knows the normaliser of exp(-loss), which moreover changes
    with x_hat. So the loss is no bound on log p(x), `evaluate` and `score` give no likelihood, and objectives
    that weigh draws by p(x|z) refuse it. `distribution` holds the mean alone.

    The number of scales follows the picture's size, two for 28 x 28; each row is judged by itself. (In pythae
    0.1.2 rows are coupled, and the last scale counts several times.)

    Args:
        weight: of the measure, which lies between 0 and about 1, against terms in nats.
        window: side of the windows.

    Example:
        >>> picture = {"name": "ms_ssim", "window": 7}
        >>> model = zoo.create("vae", (16, 16, 1), latents=2, hidden=(4,), likelihood=picture)
        >>> x = np.random.default_rng(0).random((5, 16, 16, 1), np.float32)
        >>> model.reconstruct(x).shape
        (5, 16, 16, 1)
    """

    bounds = (0.0, 1.0)
    has_density = False
    fixed = ("window",)

    def __init__(self, weight: Any = 100.0, window: int = 11, **kwargs: Any):
        for name, value in (("reduction", "sum"), ("activation", "sigmoid")):
            if kwargs.pop(name, value) != value:
                raise ValueError(
                    f"The likelihood 'ms_ssim' has the {name} {value!r}; leave it out."
                )
        super().__init__("sum", "sigmoid", **kwargs)
        self.weight = number(weight, "weight", 0)
        self.window = positive_int(window, "window")

    def check(self, model: Autoencoder) -> None:
        """Whole pictures, of the window's size at least."""
        shape = model.event_shape
        if len(shape) != 3 or not scales_of(shape[:2], self.window):
            raise ValueError(
                f"The likelihood 'ms_ssim' is of pictures (h, w, channels) of at least {self.window} pixels "
                f"a side, its window; received {shape}. Set a smaller window, or likelihood='squared_error'."
            )
        if model.mask is not None or model.standardization is not None:
            raise ValueError(
                "The likelihood 'ms_ssim' is of whole pictures in [0, 1], neither missing pixels nor "
                "standardized ones. Take likelihood='squared_error'."
            )

    def distribution(self, output: tf.Tensor) -> tfd.Distribution:
        """All at x_hat: for its mean, and no density."""
        mean = self.mean(output)
        return tfd.Independent(tfd.Deterministic(mean), len(mean.shape) - 1)

    def loss(
        self, output: tf.Tensor, inputs: tf.Tensor, mask: tf.Tensor | None = None
    ) -> tf.Tensor:
        """(batch,) float32; `mask` is refused by `check`."""
        del mask
        dissimilarity: Any = 1.0 - ms_ssim(inputs, self.mean(output), self.window)
        return self.weight * dissimilarity

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"name": self.name, "weight": self.weight, "window": self.window}
