"""A code of several levels, each drawn given those above it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from zoo.bottlenecks.base import Bottleneck, Code
from zoo.distributions.hierarchy import Hierarchy, Levels, draw_down, kl_of_levels
from zoo.noise import Noise
from zoo.registry import register
from zoo.serialization import positive_int
from zoo.tfp import tfd


@register("hierarchical", kind="bottleneck")
class Hierarchical(Bottleneck):
    """z_L ~ q(z_L|x), then z_l ~ q(z_l | x, z_(l+1) .. z_L) down to z_1; the decoder is given all levels.

    Top-down inference in the order in which the prior generates (Sønderby et al., "Ladder Variational
    Autoencoders", 2016, section 2.1; Vahdat & Kautz, "NVAE", 2020, section 3). The prior is "hierarchical".
    Reported beside the terms of the loss: the KL of every level, ``kl_1`` for the lowest.

    Args:
        units: of all levels together, a multiple of `levels`.
        levels: L.
        hidden: units of the hidden layer of each level's network.
        **kwargs: as in `Bottleneck`.

    Example:
        >>> model = zoo.create("hierarchical_vae", (6,), latents=2, levels=3, hidden=(4,))
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> model.encode(x).shape, model.posterior(x).event_shape
        ((20, 6), TensorShape([6]))
    """

    fixed = ("levels", "hidden")
    sees_model = True

    def __init__(self, units: int, levels: int = 2, hidden: int = 64, **kwargs: Any):
        super().__init__(units, **kwargs)
        self.levels = positive_int(levels, "levels")
        self.hidden = positive_int(hidden, "hidden")
        if self.units % self.levels:
            raise ValueError(
                f"units must be a multiple of levels={levels}, which are equal; received {units}."
            )
        if self.grid:
            raise ValueError("The bottleneck 'hierarchical' gives one code, and no grid of codes.")

    def build(self, features_shape: Sequence[int | None]) -> None:
        """Create the networks of the levels."""
        width: Any = features_shape[-1]
        self.networks = Levels(self.levels, self.units, self.hidden, context=width, name="levels")
        self.networks.build()
        super().build(features_shape)

    def encode(self, features: tf.Tensor) -> tf.Tensor:
        """The locations from the top level downwards, each given those above, (batch, units) float32."""
        level, above = self._level(features), tf.zeros((tf.shape(features)[0], 0))
        for number in reversed(range(self.levels)):
            above = tf.concat([level(number, above).loc, above], axis=-1)
        return above

    def posterior(self, features: tf.Tensor) -> Hierarchy:
        """q(z|x), batch shape (batch,), event shape (units,)."""
        return Hierarchy(self.levels, self.units, self._level(features), features.shape[:1])

    def example_posterior(self) -> tfd.Distribution:
        """The posterior of some row."""
        return self.posterior(tf.zeros((1, self.networks.context)))

    def draw(self, features: tf.Tensor, noise: Noise, step: tf.Tensor, training: bool) -> Code:
        """See `Bottleneck.draw`; the KL of every level is reported where the prior has levels."""
        del step, training
        level = self._level(features)
        path = draw_down(self.levels, self.units, level, noise, tf.shape(features)[0])
        posterior = Hierarchy(self.levels, self.units, level, features.shape[:1], path)
        prior, measures = self.model.prior_distribution(), {}
        if isinstance(prior, Hierarchy) and prior.levels == self.levels:
            found = kl_of_levels(posterior, prior)
            measures = {f"kl_{number + 1}": value for number, value in enumerate(found)}
        return Code(path[0], posterior, measures=measures)

    def _level(self, features: tf.Tensor) -> Any:
        context = tf.cast(features, tf.float32)
        return lambda number, above: self.networks.level(number, above, context)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "levels": self.levels, "hidden": self.hidden}
