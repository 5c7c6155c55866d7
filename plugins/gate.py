"""The loss that trains the gates of a gated code."""

from __future__ import annotations

import tensorflow as tf

import zoo


@zoo.register("gate")
class Gate(zoo.Regularizer):
    """The error of x_hat(relu(pi)), decoded from the gates' own values pi by a decoder that stays as it is.

    Rajamanoharan et al., "Improving Dictionary Learning with Gated Sparse Autoencoders", 2024, equation 8,
    last term; in the measure of the objective. The sparsity of the gates is "l1" with of="raw".

    Args:
        weight: a number or a Keras schedule of the training step.
        name: name of the metric.

    Example:
        >>> model = zoo.create("gated_sae", (6,), latents=12, target_l0=3)
        >>> [term.name for term in model.regularizers]
        ['gate', 'hold_l0']
    """

    sees_model = True

    def check(self, model: zoo.Autoencoder) -> None:
        """There must be gates, and a decoder with atoms."""
        gated = isinstance(model.bottleneck, zoo.bottlenecks.GatedCode)
        if not gated or not isinstance(model.decoder, zoo.networks.Dictionary):
            raise ValueError(
                "The regularizer 'gate' needs the bottleneck 'gated' and a decoder zoo.networks.Dictionary; "
                f"received {type(model.bottleneck).__name__} and {type(model.decoder).__name__}."
            )

    def penalty(self, forward: zoo.ForwardPass, training: bool = False) -> tf.Tensor:
        """(batch,)."""
        decoder = self.model.decoder
        frozen = tf.stop_gradient(decoder.atoms)
        output = decoder.write(tf.nn.relu(forward.raw), frozen)
        output = output + tf.stop_gradient(decoder.without_atoms(forward.condition))
        return self.model.objective.error(forward, output)
