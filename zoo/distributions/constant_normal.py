"""A Normal posterior of one scale for every example."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from zoo.distributions.families import Normal, Parameters
from zoo.registry import register


@register("constant_normal", kind="posterior")
class ConstantNormal(Normal):
    """N(mu(x), scale^2), the scale a constant.

    The VAE of constant variance, which Ghosh et al., "From Variational to Deterministic Autoencoders", 2020,
    section 3, start from: what is left of its noise is a smoothing of the decoder, and of its KL is
    |mu|^2 / 2 and a constant.

    Args:
        scale: standard deviation of every unit, above 0.

    Raises:
        ValueError: for a scale that is not above 0 and finite.

    Example:
        >>> posterior = {"name": "constant_normal", "scale": 0.5}
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,), posterior=posterior)
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> np.unique(model.posterior(x).stddev()).tolist(), model.bottleneck.dense.units
        ([0.5], 2)
    """

    def __init__(self, scale: float = 1.0, **kwargs: Any):
        super().__init__(**kwargs)
        if isinstance(scale, bool) or not 0 < scale < float("inf"):
            raise ValueError(
                f"scale of constant_normal must be a number above 0; received {scale!r}."
            )
        self.scale = float(scale)

    def outputs(self, units: int) -> int:
        """A location for each unit."""
        return units

    def parameters(self, numbers: tf.Tensor) -> Parameters:
        """Loc, and the scale of all."""
        return numbers, tf.fill(tf.shape(numbers), self.scale)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "scale": self.scale}
