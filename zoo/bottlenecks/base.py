"""What every bottleneck is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

import keras
import tensorflow as tf

from zoo.networks.sparse_product import FEW, with_sparse_gradient
from zoo.noise import Noise
from zoo.parts import Part
from zoo.serialization import positive_int
from zoo.tfp import tfd


class Code(NamedTuple):
    """What a bottleneck made of a batch.

    Attributes:
        value: (batch * samples, *code) float32, what is decoded.
        posterior: the distribution that it was drawn from, None where there is none.
        raw: (batch * samples, *code), the code before it was quantised, cut to its k largest or held to a
            threshold; None where none of these was done.
        notes: what else there is to say, by name, such as indices, gates and thresholds.
        losses: terms of the loss that the bottleneck adds itself, by the name of their metric, each
            (batch * samples,) or a scalar, with their weights in them.
        measures: terms that are reported and add nothing to the loss, likewise.

    Example:
        >>> code = zoo.Code(np.zeros((3, 2)), notes={"index": np.array([0, 4, 1])})
        >>> code.posterior is None, code.notes["index"].tolist()
        (True, [0, 4, 1])
    """

    value: tf.Tensor
    posterior: tfd.Distribution | None = None
    raw: tf.Tensor | None = None
    notes: Mapping[str, Any] = {}
    losses: Mapping[str, tf.Tensor] = {}
    measures: Mapping[str, tf.Tensor] = {}


class Bottleneck(Part):
    """Turns features, (batch, ..., features), into a code, (batch, ..., units).

    Features (batch, features) give one code of (units,). With `grid` the features keep their places:
    (batch, h, w, channels) give a grid of codes (batch, h, w, units).

    Args:
        units: dimensions of the code, or of the code at one place of a grid.
        grid: whether there is a code at every place of the features.

    Attributes:
        code_shape: shape of one code, from `build` on.
        samples: draws of the code for each example, in training and evaluation.
        weighed: whether these are not alike, but weighed by their chances, whose logarithms `draw` notes as
            "log_chances", (batch, samples).
        classes: number of classes of a bottleneck whose `classify` reads them from codes, else None.
        infers_condition: whether the label that the model declares as its condition may be left out in use.
        has_gates: whether `draw` notes "gates", 0 or 1 for every unit, with a gradient.
        heavy_tailed: whether single draws can be huge.
        jit_friendly: whether XLA makes it faster.
        jit_possible: whether XLA has all operations of it.
        vocabulary: how many entries an index of a quantized code names, see `Quantized`; else None.

    A subclass gives `encode` and `draw`, `posterior` where it has one, and makes its weights in `build`,
    which ends with ``super().build(features_shape)``.

    Example:
        >>> import tensorflow as tf
        >>> class Rounded(zoo.bottlenecks.Bottleneck):  # whole numbers, with the gradient of a copy
        ...     def encode(self, features):
        ...         return tf.round(tf.cast(features, tf.float32))
        ...     def draw(self, features, noise, step, training):
        ...         raw = tf.cast(features, tf.float32)
        ...         return zoo.Code(raw + tf.stop_gradient(tf.round(raw) - raw), raw=raw)
        >>> encoder, decoder = zoo.networks.mlp([4, 2]), zoo.networks.mlp([4], (6,))
        >>> model = zoo.Autoencoder((6,), encoder, Rounded(2), decoder)
        >>> code = model.encode(np.random.default_rng(0).random((20, 6), np.float32))
        >>> np.array_equal(code, np.round(code))
        True
    """

    fixed = ("units", "grid")
    samples = 1
    weighed = False
    classes: int | Any = None
    infers_condition = False
    has_gates = False
    heavy_tailed = False
    jit_friendly = True
    jit_possible = True
    vocabulary: int | Any = None

    def __init__(self, units: int, grid: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.units = positive_int(units, "latents")
        self.grid = bool(grid)

    def build(self, features_shape: Sequence[int | None]) -> None:
        """Create the weights for features of a shape, the batch's axis first."""
        self.code_shape = cast("tuple[int, ...]", (*features_shape[1:-1], self.units))
        self.built = True

    def encode(self, features: tf.Tensor) -> tf.Tensor:
        """The code without noise, (batch, *code) float32: what `Autoencoder.encode` returns."""
        raise NotImplementedError(f"{type(self).__name__} must define encode(features).")

    def posterior(self, features: tf.Tensor) -> tfd.Distribution | None:
        """q(z|x), batch shape (batch,), event shape (*code); None where the code is not a random variable."""
        del features
        return None

    def example_posterior(self) -> tfd.Distribution | None:
        """The posterior of one row, whatever the row, to ask what it can do; None where there is none."""
        return None

    def draw(self, features: tf.Tensor, noise: Noise, step: tf.Tensor, training: bool) -> Code:
        """The code to decode, with noise where the bottleneck has any.

        Args:
            features: (batch, ..., features).
            noise: a stream for this bottleneck.
            step: training steps taken, scalar int64.
            training: whether this is a training step.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must define draw(features, noise, step, training)."
        )

    def draw_pairs(
        self, features: tf.Tensor, noise: Noise, step: tf.Tensor, training: bool
    ) -> Code:
        """As `draw`, for the steps of a model with ``pairs=True``, where rows 2 i and 2 i + 1 are a pair."""
        raise NotImplementedError(f"{type(self).__name__} does not draw the codes of pairs.")

    def classify(self, code: tf.Tensor) -> tf.Tensor:
        """Class logits of codes, (batch, classes), where `classes` is not None."""
        raise NotImplementedError(f"{type(self).__name__} does not classify codes.")

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "units": self.units, "grid": self.grid}


class DenseBottleneck(Bottleneck):
    """A bottleneck whose numbers come from one dense layer.

    One layer computes all that the code needs, so that a Gaussian posterior's two heads are one matrix
    product.

    Args:
        units: dimensions of the code.
        activation: of the dense layer.
        use_bias: whether the dense layer has a bias.
        kernel_initializer: of the dense layer.
        outputs: numbers of the dense layer for one code, where a subclass needs more than one for each unit.
        **kwargs: as in `Bottleneck`.

    Example:
        >>> import tensorflow as tf
        >>> class Circle(zoo.bottlenecks.DenseBottleneck):  # codes of length 1
        ...     def encode(self, features):
        ...         return tf.math.l2_normalize(self.numbers(features), axis=-1)
        ...     def draw(self, features, noise, step, training):
        ...         return zoo.Code(self.encode(features))
        >>> encoder, decoder = zoo.networks.mlp([4]), zoo.networks.mlp([4], (6,))
        >>> model = zoo.Autoencoder((6,), encoder, Circle(2), decoder)
        >>> code = model.encode(np.random.default_rng(0).random((20, 6), np.float32))
        >>> np.allclose(np.linalg.norm(code, axis=1), 1, atol=1e-5)
        True
    """

    def __init__(
        self,
        units: int,
        activation: str | None = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        outputs: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(units, **kwargs)
        self.dense = keras.layers.Dense(
            self.units if outputs is None else outputs,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            dtype=self.dtype_policy,
        )
        self.dense.trainable = self.trainable

    def build(self, features_shape: Sequence[int | None]) -> None:
        """Create the dense layer's weights."""
        self.dense.build((None, features_shape[-1]))
        super().build(features_shape)

    def encode(self, features: tf.Tensor) -> tf.Tensor:
        """The dense layer's output, (batch, *code) float32."""
        return self.numbers(features)

    def numbers(self, features: tf.Tensor) -> tf.Tensor:
        """What the dense layer gives, (batch, ..., outputs) float32."""
        return tf.cast(self.dense(features), tf.float32)

    def numbers_of_few(self, features: tf.Tensor, kept: Any) -> tf.Tensor:
        """`numbers` in training, of which few have a gradient: as many in a row as a code keeps.

        Args:
            features: (batch, ...).
            kept: how many of a row, where it is a number; `FEW` says from which share on it matters.

        Returns:
            As `numbers`.
        """
        layer: Any = self.dense
        few = isinstance(kept, int | float) and kept * FEW <= self.units
        if not few or len(features.shape) != 2:
            return self.numbers(features)
        kernel = tf.convert_to_tensor(layer.kernel)
        product = with_sparse_gradient(tf.cast(features, tf.float32), kernel, layer.compute_dtype)
        return layer.activation(product + layer.bias if layer.use_bias else product)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "activation": keras.activations.serialize(self.dense.activation),
            "use_bias": self.dense.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.dense.kernel_initializer),
        }
