"""The record of one forward pass, which every regularizer reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import tensorflow as tf
    import tensorflow_probability as tfp

    from zoo.noise import Noise


class ForwardPass(NamedTuple):
    """What one pass of a batch through an autoencoder gave.

    Attributes:
        inputs: (batch, *event) float32, what is to be reconstructed (before any corruption).
        code: (batch, units), what was decoded.
        posterior: q(z|x), batch shape (batch,), event shape (units,); None for a deterministic bottleneck.
        prior: p(z), event shape (units,); None where the model has none.
        output: p(x|z), batch shape (batch,), event shape (*event).
        noise: random numbers for this step; every regularizer receives a stream of its own.
        step: scalar int64, training steps taken so far.
        generated: label, code, picture and re-encoded code, where the prior is a generator.

    With `n` posterior samples for each example, batch counts each example n times, its samples adjacent.
    """

    inputs: tf.Tensor
    code: tf.Tensor
    posterior: tfp.distributions.Distribution | None
    prior: tfp.distributions.Distribution | None
    output: tfp.distributions.Distribution
    noise: Noise
    step: tf.Tensor
    generated: Any = None
