"""A prior that is a mixture of its model's own posteriors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from zoo.distributions.divergences import is_location_scale
from zoo.distributions.priors import UnscaledPrior
from zoo.noise import Noise
from zoo.registry import register
from zoo.serialization import positive_int
from zoo.tfp import tfd

if TYPE_CHECKING:
    from zoo.autoencoder import Autoencoder


@register("vamp", kind="prior")
class VampPrior(UnscaledPrior):
    """p(z) = 1/K sum_k q(z|u_k), the posteriors of K pseudo-inputs that are learned with the model.

    Tomczak & Welling, "VAE with a VampPrior", 2018, equation 9. Pseudo-inputs stay in the range of x. They
    begin near the middle of it; ``model.prior.pseudo_inputs.assign(x[:K])`` lets them begin as data. Those
    of a model with standardize=True are standardized: ``.assign(model.standardization(x[:K]))``.

    Args:
        components: K.

    Example:
        >>> model = zoo.create("vamp_vae", (6,), latents=2, hidden=(4,), components=3)
        >>> model.prior_distribution().event_shape, model.generate(4, seed=0).shape
        (TensorShape([2]), (4, 6))
    """

    fixed = ("components",)
    sees_model = True

    def __init__(self, components: int = 50, **kwargs: Any):
        super().__init__(**kwargs)
        self.components = positive_int(components, "components")

    def build(self, input_shape: Any = None) -> None:
        """Create the pseudo-inputs."""
        bounds = self.model.input_bounds
        low, high = (-1.0, 1.0) if bounds is None else (max(bounds[0], -1.0), min(bounds[1], 1.0))
        middle, spread = (low + high) / 2, (high - low) / 8

        def within(values: tf.Tensor) -> tf.Tensor:
            return values if bounds is None else tf.clip_by_value(values, *bounds)

        self.pseudo_inputs = self.add_weight(
            name="pseudo_inputs",
            shape=(self.components, *self.model.event_shape),
            initializer=keras.initializers.RandomUniform(middle - spread, middle + spread),
            constraint=within,
        )
        super().build(input_shape)

    def check(self, model: Autoencoder) -> None:
        """The components are posteriors with a location and a scale, and have no condition."""
        if not is_location_scale(model.example_posterior()):
            raise ValueError(
                "The prior 'vamp' is a mixture of posteriors of a location and a scale, such as 'normal'; "
                f"the bottleneck is a {type(model.bottleneck).__name__} without. Set posterior='normal'."
            )
        with tf.GradientTape() as tape:
            inputs = tf.zeros((1, *model.event_shape))
            tape.watch(inputs)
            seen = model.likelihood.seen(inputs)
        if tape.gradient(seen, inputs) is None:
            raise ValueError(
                "The prior 'vamp' learns its pseudo-inputs by a gradient, and the likelihood "
                f"{type(model.likelihood).zoo_name!r} shows the encoder x one-hot, which has none. Take the "
                "prior 'normal' or 'mixture'."
            )
        if model.condition is not None:
            raise ValueError(
                "The prior 'vamp' has no conditions for its pseudo-inputs, and the model declares one. Take "
                "the prior 'conditional_normal'."
            )

    def distribution(self, *code_shape: int, condition: Any = None) -> tfd.Distribution:
        """The mixture, event shape (*code)."""
        del code_shape, condition
        weights = tfd.Categorical(logits=tf.zeros(self.components))
        return tfd.MixtureSameFamily(weights, self._posteriors())

    def sample(self, noise: Noise, batch: Any, *code_shape: int) -> tf.Tensor:
        """A component at random for every row, and a draw of its posterior, (batch, *code) float32."""
        place = noise.fold("component").uniform(batch) * float(self.components)
        base: Any = self._posteriors().distribution  # Independent's
        loc, scale = (tf.gather(v, tf.cast(place, tf.int32)) for v in (base.loc, base.scale))
        bottleneck: Any = self.model.bottleneck
        return loc + scale * bottleneck.family.standard(noise, batch, *code_shape)

    def _posteriors(self) -> Any:
        inputs = tf.convert_to_tensor(self.pseudo_inputs)
        scale = self.model.standardization
        return self.model.posterior_batch(inputs if scale is None else scale.inverse(inputs))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "components": self.components}
