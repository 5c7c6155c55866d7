"""The record of one forward pass: the only door through which objectives and regularizers see a model."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import tensorflow as tf

if TYPE_CHECKING:
    import keras

    from zoo.autoencoder import Autoencoder
    from zoo.distributions.priors import PriorDraw
    from zoo.noise import Noise
    from zoo.tfp import tfd


class Generated:
    """Draws from the prior and what the model makes of them.

    Each attribute is computed when it is first read, so that a model pays only for what its regularizers
    ask for. The first reader must be a `penalty`, where gradients are recorded.

    Args:
        draw: () -> `PriorDraw` of as many rows as the batch has.
        decode: (batch, *code) -> (batch, *event), the mean of p(x|z).
        encode: (batch, *event) -> (batch, *code).
    """

    def __init__(
        self,
        draw: Callable[[], PriorDraw],
        decode: Callable[[tf.Tensor], tf.Tensor],
        encode: Callable[[tf.Tensor], tf.Tensor],
    ):
        self._draw = draw
        self._decode = decode
        self._encode = encode
        self._known: dict[str, Any] = {}

    @property
    def _drawn(self) -> PriorDraw:
        return self._once("drawn", self._draw)

    @property
    def label(self) -> tf.Tensor | Any:
        """c, (batch, classes) one-hot float32; None where the prior has no labels."""
        return self._drawn.label

    @property
    def code(self) -> tf.Tensor:
        """z, (batch, *code), drawn from p(z), or p(z|c) where the prior has labels."""
        return self._drawn.code

    @property
    def picture(self) -> tf.Tensor:
        """The mean of p(x|z), (batch, *event)."""
        return self._once("picture", lambda: self._decode(self.code))

    @property
    def recoded(self) -> tf.Tensor:
        """E(picture), (batch, *code)."""
        return self._once("recoded", lambda: self._encode(self.picture))

    def _once(self, name: str, compute: Callable[[], Any]) -> Any:
        # Not functools.cached_property: before Python 3.12 its lock is one for all instances, and replicas,
        # whose threads wait for each other within a step, would wait for ever.
        if name not in self._known:
            self._known[name] = compute()
        return self._known[name]


@dataclasses.dataclass(frozen=True, eq=False)
class ForwardPass:
    """What one pass of a batch through an autoencoder gave.

    With `samples` draws of the code for each example, batch counts each example that often, its draws side
    by side; `weight` alone is by example.

    Attributes:
        inputs: (batch, *event) float32, what the encoder was given, before any corruption; standardized where
            the model has standardize=True, as all that networks and likelihood see.
        code: (batch, *code), what was decoded.
        posterior: q(z|x), batch shape (batch,), event shape (*code); None for a deterministic bottleneck.
        prior: p(z), event shape (*code), or p(z|c) with batch shape (batch,); None where the model has no
            prior, or its prior no density.
        output: p(x|z), batch shape (batch,), event shape (*event).
        noise: random numbers for this step; every regularizer receives a stream of its own.
        step: scalar int64, training steps taken so far.
        generated: draws from the prior, their pictures and their codes; None where the model has no prior.
        target: (batch, *event) float32, what is to be reconstructed: `inputs`, unless the model declares a
            target; None counts as `inputs`.
        condition: (batch, width) float32; None where the model declares none.
        mask: (batch, *event) float32, 1 where the input was observed; None where nothing is missing.
        raw: (batch, *code), the code before it was quantised, cut to its k largest or held to a threshold;
            None for a bottleneck that does none of these.
        notes: what else the bottleneck has to say, by name: indices, gates, thresholds.
        losses: terms of the loss that the bottleneck adds, see `zoo.bottlenecks.Code`.
        measures: terms that it reports and that add nothing to the loss.
        decoded: (batch, ...), what the decoder gave, of which the likelihood makes `output`.
        samples: draws of the code for each example.
        training: whether this is a training step.
        weight: (examples,) float32, how much each counts in means; None where all count the same.
        weighted: whether the user gave weights; else `weight` says only which rows are there.
        counted: scalar float32, the examples of a mean's denominator; None for as many as there are.

    Example:
        >>> import tensorflow as tf
        >>> class Product(zoo.Regularizer):
        ...     def penalty(self, forward: zoo.ForwardPass, training=False):
        ...         return tf.square(tf.reduce_prod(forward.vectors, axis=1))
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,), regularizers=[Product()])
        >>> model.compile()
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> "product" in model.evaluate(x, return_dict=True, verbose=0)
        True
    """

    # `| Any` where None is possible and a part's `check` has ruled it out: a penalty need not ask again.
    inputs: tf.Tensor
    code: tf.Tensor
    posterior: tfd.Distribution | Any
    prior: tfd.Distribution | Any
    output: tfd.Distribution
    noise: Noise
    step: tf.Tensor
    generated: Generated | Any = None
    target: tf.Tensor | Any = None
    condition: tf.Tensor | Any = None
    mask: tf.Tensor | None = None
    raw: tf.Tensor | Any = None
    notes: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    losses: Mapping[str, tf.Tensor] = dataclasses.field(default_factory=dict)
    measures: Mapping[str, tf.Tensor] = dataclasses.field(default_factory=dict)
    decoded: tf.Tensor | None = None
    samples: int = 1
    training: bool = False
    weight: tf.Tensor | None = None
    weighted: bool = False
    counted: tf.Tensor | None = None
    _model: Autoencoder | None = None
    _found: dict[Any, Any] = dataclasses.field(default_factory=dict)

    def with_noise(self, noise: Noise) -> ForwardPass:
        """The same pass with other random numbers."""
        return dataclasses.replace(self, noise=noise)

    def once(self, key: Any, compute: Callable[[], Any]) -> Any:
        """What a part computes of this pass in several places, computed in the first of them.

        A critic's verdict on generated pictures belongs to the penalty and to the critic's own loss alike.
        Both see the same weights, and records with other noise share what was found.

        Args:
            key: of the part and of what it computes, such as (self.name, "generated").
            compute: () -> the value.

        Returns:
            The value.
        """
        if key not in self._found:
            self._found[key] = compute()
        return self._found[key]

    def anew(self) -> ForwardPass:
        """The same pass for parts whose weights have changed: see `once`."""
        return dataclasses.replace(self, _found={})

    @property
    def vectors(self) -> tf.Tensor:
        """The code of every row as one vector, (batch, units of all places)."""
        return as_vectors(self.code)

    def encode(self, views: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """The codes of further inputs, such as changed views of `inputs`, without noise.

        Args:
            views: (n, *event); n is the batch's where the model declares a condition.
            training: whether the encoder works as in training, moving statistics kept as they are; None
                for as in this pass.

        Returns:
            (n, *code).
        """
        training = self.training if training is None else training
        return self._known().encode_view(views, self.condition, training)

    def decode(self, code: tf.Tensor) -> tf.Tensor:
        """The mean of p(x|z) for further codes, (n, *code) -> (n, *event)."""
        return self._known().decode_view(code, self.condition, self.training)

    def decoder_output(self, code: tf.Tensor) -> tf.Tensor:
        """What the decoder gives for further codes, of which `reconstruction` takes -log p(x|z)."""
        return self._known().decoder_view(code, self.condition, self.training)

    def classify(self, code: tf.Tensor) -> tf.Tensor:
        """Class logits of codes, (n, *code) -> (n, classes), by the model's classifier.

        Raises:
            ValueError: where no part of the model classifies.
        """
        return self._known().classifier.classify(code)

    @property
    def kernels(self) -> list[keras.Variable]:
        """The kernels that the model trains in its encoder, bottleneck and decoder."""
        model = self._known()
        parts = (model.encoder, model.bottleneck, model.decoder)
        networks = {id(v) for part in parts for v in part.trainable_variables}
        found = [v for v in model.model_variables if id(v) in networks and len(v.shape) > 1]
        return [v for v in found if not v.name.endswith("bias")]  # that of a GRU has two axes

    def reconstruction(self, decoded: tf.Tensor | None = None) -> tf.Tensor:
        """-log p(target|z) of every row, in the likelihood's convention.

        Args:
            decoded: (batch, *event), another output of the decoder; None for `decoded` of this pass.

        Returns:
            (batch,) float32.
        """
        target = self.inputs if self.target is None else self.target
        decoded = self.decoded if decoded is None else decoded
        return self._known().likelihood.loss(decoded, target, self.mask)

    def mean(self, values: tf.Tensor, name: str = "term") -> tf.Tensor:
        """The mean over the rows, each with its weight: sum_i w_i v_i / examples, as Keras has it.

        Args:
            values: (batch,), (examples,), or a scalar, which is returned as it is.
            name: what an error calls them.

        Returns:
            A scalar float32.

        Raises:
            ValueError: for values of more axes, or of another number of rows.
        """
        values = tf.cast(values, tf.float32)
        if len(values.shape) > 1:
            raise ValueError(
                f"The term {name!r} must be one number for each example, (batch,), or a scalar; it has shape "
                f"{tuple(values.shape)}. Sum it over the other axes."
            )
        if len(values.shape) == 0:
            return values
        rows, found = self.inputs.shape[0], values.shape[0]
        if rows and found and found not in (rows, rows // self.samples):
            raise ValueError(
                f"The term {name!r} must be one number for each example, (batch,), or a scalar; it has "
                f"{found} numbers in a batch of {rows} rows."
            )
        if self.weight is None:
            return tf.reduce_mean(values)
        weight = self.weight
        if self.samples > 1:
            rows = tf.shape(values)[0]
            draws = rows // tf.maximum(tf.shape(weight)[0], 1)
            weight = tf.repeat(weight, draws, axis=0)
        total = tf.reduce_sum(values * weight)
        if self.counted is None:
            return tf.math.divide_no_nan(total, tf.cast(tf.size(values), tf.float32))
        if self.samples > 1:
            return tf.math.divide_no_nan(total, self.counted * tf.cast(draws, tf.float32))
        return tf.math.divide_no_nan(total, self.counted)

    def _known(self) -> Autoencoder:
        if self._model is None:
            raise ValueError(
                "This record was made by hand and knows no model; take the one that `penalty` receives."
            )
        return self._model


def as_vectors(code: tf.Tensor) -> tf.Tensor:
    """(batch, ...) as (batch, n); the tensor itself where it has two axes already.

    Example:
        >>> zoo.as_vectors(np.zeros((5, 2, 2, 3), "float32")).shape  # a grid of codes
        TensorShape([5, 12])
    """
    if len(code.shape) == 2:
        return code
    size: Any = 1
    for side in code.shape[1:]:
        size *= side
    return tf.reshape(code, (-1, size))
