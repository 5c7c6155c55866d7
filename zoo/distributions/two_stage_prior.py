"""A second autoencoder, of the codes, as a prior."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.distributions.fitted import FittedPrior, as_rows, divided, scales
from zoo.noise import Noise
from zoo.registry import register
from zoo.serialization import positive_int


@register("two_stage", kind="prior")
class TwoStagePrior(FittedPrior):
    """z = c + s (g(u) + gamma e), u and e ~ N(0, I): a second VAE, whose data are the codes of the first.

    Dai & Wipf, "Diagnosing and Enhancing VAE Models", 2019, section 4. As in the paper gamma, the scale of
    the second likelihood, is learned: by its gradient, up and down. There is no density in closed form: terms
    of the loss are given that of the prior of the training.

    Args:
        hidden: units of the hidden layers of the second encoder and decoder.
        steps: of the training of the second VAE, about.
        second: the second VAE, which `fit` makes.
        **kwargs: as in `FittedPrior`.

    Example:
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,))
        >>> x = np.random.default_rng(0).random((100, 6), np.float32)
        >>> fitted = model.fit_prior("two_stage", x, hidden=(8,), steps=20)
        >>> fitted.generate(3, seed=0).shape, type(fitted.prior_distribution().distribution).__name__
        ((3, 6), 'Normal')
    """

    fixed = ("hidden", "steps", "second")

    def __init__(
        self, hidden: Any = (256, 256), steps: int = 4000, second: Any = None, **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.hidden = tuple(positive_int(units, "hidden") for units in hidden)
        self.steps = positive_int(steps, "steps")
        self.second: Any = (
            keras.saving.deserialize_keras_object(second) if isinstance(second, dict) else second
        )

    def build(self, input_shape: Any = None) -> None:
        """Create the mean and the scale of the codes; the second VAE is built already."""
        self.refuse_unfitted(self.second)
        fixed: Any = {"shape": self.second.event_shape, "trainable": False}
        self.centre = self.add_weight(name="centre", initializer="zeros", **fixed)
        self.spread = self.add_weight(name="spread", initializer="ones", **fixed)
        super().build(input_shape)

    @property
    def has_density(self) -> bool:
        """False."""
        return False

    def sample(self, noise: Noise, batch: Any, *code_shape: int) -> tf.Tensor:
        """Draws of both stages, (batch, *code) float32."""
        u = self.second.prior.sample(noise.fold("second"), batch, self.second.units)
        code = self.second.decode_batch(u)
        gamma = self.second.likelihood.current_scale()
        code += gamma * noise.normal(batch, *code.shape[1:])
        return tf.reshape(self.centre.value + self.spread.value * code, (-1, *code_shape))

    def fit(self, codes: np.ndarray, seed: int = 0) -> None:
        """Train the second VAE on codes.

        Args:
            codes: (rows, *code).
            seed: of its weights and its training, and of the codes that are held out.
        """
        from zoo.models import create

        rows = as_rows(codes, 4).astype(np.float32)
        centre, spread = rows.mean(axis=0), scales(rows)
        units = rows.shape[1]
        second = create(
            "vae",
            (units,),
            latents=units,
            hidden=self.hidden,
            likelihood={"name": "normal", "scale": "learned"},
            seed=seed,
        )
        self.found(second=second)
        train, held_out = divided((rows - centre) / spread, seed)
        batch = min(100, len(train))
        epochs = max(1, round(self.steps * batch / len(train)))
        self.second.compile(keras.optimizers.Adam(1e-3), jit_compile=False)
        self.second.fit(train, batch_size=batch, epochs=epochs, verbose=0)
        found: Any = self.second.evaluate(held_out, verbose=0, return_dict=True)
        bound = -found["loss"] - float(np.log(spread).sum())  # in the codes' own units
        gamma = float(self.second.likelihood.current_scale())
        self.found(report={"held_out_bound": bound, "gamma": gamma, "rows": len(rows)})
        if not self.built:
            self.build((None, *codes.shape[1:]))
        self.centre.assign(centre)
        self.spread.assign(spread)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        second = None if self.second is None else keras.saving.serialize_keras_object(self.second)
        return {
            **super().get_config(),
            "hidden": self.hidden,
            "steps": self.steps,
            "second": second,
        }
