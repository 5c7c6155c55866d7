"""The record of one forward pass, which every regularizer reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import tensorflow as tf
    import tensorflow_probability as tfp

    from zoo.distributions.priors import PriorDraw
    from zoo.noise import Noise


class Generated:
    """Draws from the prior and what the model makes of them.

    Each attribute is computed when it is first read, so that a model pays only for what its regularizers
    ask for. The first reader must be a `penalty`, where gradients are recorded.

    Args:
        draw: () -> `PriorDraw` of as many rows as the batch has.
        decode: (batch, units) -> (batch, *event), the mean of p(x|z).
        encode: (batch, *event) -> (batch, units).
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
    def label(self) -> tf.Tensor | None:
        """c, (batch, classes) one-hot float32; None where the prior has no labels."""
        return self._drawn.label

    @property
    def code(self) -> tf.Tensor:
        """z, (batch, units), drawn from p(z), or p(z|c) where the prior has labels."""
        return self._drawn.code

    @property
    def picture(self) -> tf.Tensor:
        """The mean of p(x|z), (batch, *event)."""
        return self._once("picture", lambda: self._decode(self.code))

    @property
    def recoded(self) -> tf.Tensor:
        """E(picture), (batch, units)."""
        return self._once("recoded", lambda: self._encode(self.picture))

    def _once(self, name: str, compute: Callable[[], Any]) -> Any:
        # Not functools.cached_property: before Python 3.12 its lock is one for all instances, and replicas,
        # whose threads wait for each other within a step, would wait for ever.
        if name not in self._known:
            self._known[name] = compute()
        return self._known[name]


class ForwardPass(NamedTuple):
    """What one pass of a batch through an autoencoder gave.

    Attributes:
        inputs: (batch, *event) float32, what is to be reconstructed (before any corruption).
        code: (batch, units), what was decoded.
        posterior: q(z|x), batch shape (batch,), event shape (units,); None for a deterministic bottleneck.
        prior: p(z), event shape (units,); None where the model has none, or its prior has no density.
        output: p(x|z), batch shape (batch,), event shape (*event).
        noise: random numbers for this step; every regularizer receives a stream of its own.
        step: scalar int64, training steps taken so far.
        generated: draws from the prior, their pictures and their codes; None where the model has no prior.
        encode: encodes further inputs, for example changed views of `inputs`, as this pass did but without
            noise: (n, *event) -> (n, units). Moving statistics of the encoder stay as they are.

    With `n` posterior samples for each example, batch counts each example n times, its samples adjacent.
    """

    inputs: tf.Tensor
    code: tf.Tensor
    posterior: tfp.distributions.Distribution | None
    prior: tfp.distributions.Distribution | None
    output: tfp.distributions.Distribution
    noise: Noise
    step: tf.Tensor
    generated: Generated | None = None
    encode: Callable[[tf.Tensor], tf.Tensor] | None = None
