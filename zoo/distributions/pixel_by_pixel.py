"""Pictures that are drawn pixel by pixel, each given those before it: an autoregressive decoder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from zoo.distributions.likelihoods import Likelihood
from zoo.networks.causal import CausalConvolutions
from zoo.registry import register
from zoo.serialization import positive_int, whole_number
from zoo.tfp import tfd

# From (batch, w, channels, levels) logits of one column and (batch, channels) uniform numbers to levels.
Choose = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


@register("autoregressive", kind="likelihood")
class AutoregressiveLikelihood(Likelihood):
    """p(x|z) = prod_i p(x_i | x_1 .. x_(i-1), z), a categorical of some levels for each pixel.

    The decoder gives `context` numbers for every place, and a gated PixelCNN the rest (van den Oord et al.,
    "Conditional Image Generation with PixelCNN Decoders", 2016; Gulrajani et al., "PixelVAE", 2017, section
    3.2). In training the true pixels are given (teacher forcing), all at once. `generate` draws them row by
    row, each by a number of the seed's; `decode` and `reconstruct` take the likeliest level of each. The
    channels of a pixel are given together.

    Pictures are (h, w, channels) in [0, 1]; what lies between two levels counts as the nearer. A code that
    says nothing is likely here, since the pixels explain each other: give the PixelCNN a short reach (few
    layers), or the KL a weight that grows.

    Args:
        levels: of a pixel: 2 for black and white, 256 for bytes.
        filters: of the PixelCNN's layers.
        layers: of the PixelCNN.
        context: numbers that the decoder gives for each place.
        reduction: as in `Likelihood`.

    Example:
        >>> model = zoo.create("pixel_vae", (8, 8, 1), latents=2, hidden=(4,), filters=4, layers=1)
        >>> drawn = model.generate(3, seed=0)
        >>> drawn.shape, np.unique(drawn).tolist()
        ((3, 8, 8, 1), [0.0, 1.0])
    """

    fixed = ("levels", "filters", "layers", "context")
    bounds = (0.0, 1.0)
    draws = True
    mean_has_gradient = False

    def __init__(
        self,
        levels: int = 2,
        filters: int = 32,
        layers: int = 3,
        context: int = 8,
        reduction: str = "sum",
        **kwargs: Any,
    ):
        kwargs.pop("activation", None)
        super().__init__(reduction, **kwargs)
        self.levels = whole_number(levels, "levels", 2)
        self.filters = positive_int(filters, "filters")
        self.layers = positive_int(layers, "layers")
        self.context = positive_int(context, "context")

    def decoder_shape(self, event_shape: Sequence[int]) -> tuple[int, ...]:
        """(h, w, context)."""
        if len(event_shape) != 3:
            raise ValueError(
                "The likelihood 'autoregressive' draws pictures (height, width, channels); received examples "
                f"of shape {tuple(event_shape)}. Take another one, such as 'categorical'."
            )
        return (*event_shape[:2], self.context)

    def build(self, input_shape: Any) -> None:
        """Create the PixelCNN."""
        self.channels = int(input_shape[-1])
        outputs = self.channels * self.levels
        self.network = CausalConvolutions(outputs, self.filters, self.layers, name="pixel_cnn")
        self.network.build(input_shape, (*input_shape[:-1], self.context))
        self.built = True

    def is_of_counts(self, event_shape: Sequence[int]) -> bool:
        """False: bytes are pixels."""
        del event_shape
        return False

    def mean(self, output: tf.Tensor) -> tf.Tensor:
        """The picture of which each pixel is the likeliest given those before, (batch, *event) float32."""

        def likeliest(logits: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
            del uniform
            return tf.argmax(logits, axis=-1, output_type=tf.int32)

        shape = tf.concat([tf.shape(output)[:-1], [self.channels]], axis=0)
        return self._one_by_one(tf.cast(output, tf.float32), tf.zeros(shape), likeliest)

    def draw(self, output: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
        """See `Likelihood.draw`: each pixel by the inverse of its cumulative distribution."""

        def by_chance(logits: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
            below = tf.cumsum(tf.nn.softmax(logits), axis=-1) < tf.expand_dims(uniform, -1)
            chosen = tf.reduce_sum(tf.cast(below, tf.int32), axis=-1)
            return tf.minimum(chosen, self.levels - 1)

        return self._one_by_one(tf.cast(output, tf.float32), uniform, by_chance)

    def distribution(self, output: tf.Tensor) -> tfd.Distribution:
        """The pictures that a context gives, of which log_prob is known for whole pictures."""
        return PixelByPixel(self, tf.cast(output, tf.float32))

    def elementwise(self, output: tf.Tensor, inputs: tf.Tensor) -> tf.Tensor:
        """-log p of every pixel given the true ones before it, in nats."""
        levels = tf.round(inputs * (self.levels - 1.0))
        logits = self._logits(self.network(levels / (self.levels - 1.0), output))
        return tf.nn.sparse_softmax_cross_entropy_with_logits(
            labels=tf.cast(levels, tf.int32), logits=logits
        )

    def _logits(self, numbers: tf.Tensor) -> tf.Tensor:
        """(batch, h, w, channels, levels)."""
        shape = tf.concat([tf.shape(numbers)[:-1], [self.channels, self.levels]], axis=0)
        return tf.reshape(numbers, shape)

    def _one_by_one(self, context: tf.Tensor, uniform: tf.Tensor, choose: Choose) -> tf.Tensor:
        """Draw the rows from the top and each from the left.

        The rows above are looked at once for each row; the row itself once for each of its pixels.
        """
        height, width = context.shape[1:3]

        def row(index: tf.Tensor, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            here = [v[:, index : index + 1] for v in self.network.above(x, context)]
            beside = context[:, index : index + 1]

            def pixel(column: tf.Tensor, drawn: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
                logits = self._logits(self.network.of_rows(drawn, here, beside))
                chosen = choose(logits[:, 0, column], uniform[:, index, column])
                value = tf.cast(chosen, tf.float32) / (self.levels - 1.0)
                there = tf.reshape(tf.range(width) == column, (1, 1, width, 1))
                return column + 1, tf.where(there, value[:, None, None, :], drawn)

            _, drawn = tf.while_loop(
                lambda column, _: column < width, pixel, (0, tf.zeros_like(x[:, :1]))
            )
            there = tf.reshape(tf.range(height) == index, (1, height, 1, 1))
            return index + 1, tf.where(there, drawn, x)

        start = tf.zeros(tf.concat([tf.shape(context)[:-1], [self.channels]], axis=0))
        start = tf.ensure_shape(start, (None, height, width, self.channels))
        _, x = tf.while_loop(lambda index, _: index < height, row, (0, start))
        return x

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = super().get_config()
        config.pop("activation")
        own = {"levels": self.levels, "filters": self.filters, "layers": self.layers}
        return {**config, **own, "context": self.context}


class PixelByPixel(tfd.Distribution):
    """p(x|z) of an `AutoregressiveLikelihood` for the contexts of some rows.

    Args:
        likelihood: a built one.
        output: (batch, h, w, context).
    """

    def __init__(self, likelihood: AutoregressiveLikelihood, output: tf.Tensor):
        self._likelihood = likelihood
        self._output = output
        super().__init__(
            dtype=tf.float32,
            reparameterization_type=tfd.NOT_REPARAMETERIZED,
            validate_args=False,
            allow_nan_stats=True,
            name="PixelByPixel",
        )

    def _log_prob(self, value: tf.Tensor) -> tf.Tensor:
        return -tf.reduce_sum(self._likelihood.elementwise(self._output, value), axis=[-3, -2, -1])

    def _mean(self) -> tf.Tensor:
        return self._likelihood.mean(self._output)

    def _batch_shape(self) -> tf.TensorShape:
        return self._output.shape[:1]

    def _batch_shape_tensor(self) -> tf.Tensor:
        return tf.shape(self._output)[:1]

    def _event_shape(self) -> tf.TensorShape:
        return tf.TensorShape([*self._output.shape[1:3], self._likelihood.channels])

    def _event_shape_tensor(self) -> tf.Tensor:
        height, width = tf.unstack(tf.shape(self._output)[1:3])
        return tf.stack([height, width, self._likelihood.channels])

    @classmethod
    def _parameter_properties(cls, dtype: Any, num_classes: Any = None) -> dict[str, Any]:
        return {}
