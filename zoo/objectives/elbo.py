"""The reconstruction term, to which regularizers add: the negative evidence lower bound with KL."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from zoo.forward import ForwardPass
from zoo.objectives.base import Objective
from zoo.registry import register
from zoo.serialization import at_step, scalar, scalar_config


@register("elbo", kind="objective")
class ELBO(Objective):
    """weight * mean_i -log p(x_i|z_i), with log p(x|z) summed over the event.

    With the regularizer "kl" of weight 1 the loss is the negative evidence lower bound (Kingma & Welling
    2014, equation 3).

    Args:
        weight: a number of at least 0, a Keras schedule of the training step, or a variable; other than 1 for
            objectives that weigh the reconstruction, 0 for those without one.

    Example:
        >>> encoder, decoder = zoo.networks.mlp([4]), zoo.networks.mlp([4], (6,))
        >>> model = zoo.Autoencoder(
        ...     (6,),
        ...     encoder,
        ...     {"name": "stochastic", "units": 2},
        ...     decoder,
        ...     prior="normal",
        ...     regularizers=["kl"],
        ...     objective=zoo.objectives.ELBO(weight=0.5),
        ... )
        >>> model.compile()
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> found = model.evaluate(x, return_dict=True, verbose=0)
        >>> np.allclose(found["loss"], 0.5 * found["reconstruction"] + found["kl"], rtol=1e-4)
        True
    """

    def __init__(self, weight: Any = 1.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.weight = weight

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "weight":
            value = scalar(value, "weight of the objective 'elbo'", minimum=0)
        super().__setattr__(name, value)

    def terms(self, forward: ForwardPass) -> dict[str, tf.Tensor]:
        """The weighted reconstruction, and the reconstruction itself."""
        reconstruction = forward.mean(forward.reconstruction(), "reconstruction")
        if isinstance(self.weight, float) and self.weight == 0:  # spare the backward pass
            return {
                "loss": 0.0 * tf.stop_gradient(reconstruction),
                "reconstruction": reconstruction,
            }
        loss = at_step(self.weight, forward.step) * reconstruction
        return {"loss": loss, "reconstruction": reconstruction}

    def error(self, forward: ForwardPass, decoded: tf.Tensor) -> tf.Tensor:
        """See `Objective.error`; weighted."""
        return at_step(self.weight, forward.step) * forward.reconstruction(decoded)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "weight": scalar_config(self.weight)}
