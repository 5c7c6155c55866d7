"""A flow as a prior, fitted to codes or learned with the model."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.distributions.fitted import FittedPrior, as_rows, maximise, scales, shaped
from zoo.distributions.flows import Coupling, Moved, Moving
from zoo.noise import Noise
from zoo.registry import register
from zoo.serialization import positive_int
from zoo.tfp import tfb, tfd


@register("flow", kind="prior")
class FlowPrior(FittedPrior):
    """z = c + s f(e) with e ~ N(0, I), f a chain of couplings, c and s the codes' mean and scale.

    Dinh et al., "Density Estimation Using Real NVP", 2017: density and draws take one pass each, where an
    autoregressive flow draws in as many as there are units. Fitted by likelihood, or trained with the model.

    Args:
        layers: couplings; every other one has the halves the other way round.
        hidden: units of the two hidden layers of each.
        steps: of the training by `fit`, whose weights are those under which held-out codes are most likely.
        **kwargs: as in `FittedPrior`.

    Example:
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,), prior="flow")
        >>> model.compile("adam")
        >>> x = np.random.default_rng(0).random((64, 6), np.float32)
        >>> history = model.fit(x, verbose=0)
        >>> model.generate(3, seed=0).shape, model.prior_distribution().event_shape
        ((3, 6), TensorShape([2]))
    """

    fixed = ("layers", "hidden", "steps")

    def __init__(self, layers: int = 6, hidden: int = 64, steps: int = 1000, **kwargs: Any):
        super().__init__(**kwargs)
        self.layers = positive_int(layers, "layers")
        self.hidden = positive_int(hidden, "hidden")
        self.steps = positive_int(steps, "steps")

    def build(self, input_shape: Any = None) -> None:
        """Create the couplings for codes of shape (batch, *code)."""
        units = math.prod(input_shape[1:])
        fixed: Any = {"shape": (units,), "trainable": False}
        self.centre = self.add_weight(name="centre", initializer="zeros", **fixed)
        self.spread = self.add_weight(name="spread", initializer="ones", **fixed)
        self.couplings = [Coupling(self.hidden, index % 2 == 1) for index in range(self.layers)]
        for coupling in self.couplings:
            coupling.build((None, units))
        super().build(input_shape)

    def distribution(self, *code_shape: int, condition: Any = None) -> tfd.Distribution:
        """The flow's density, event shape (*code)."""
        del condition
        base = tfd.MultivariateNormalDiag(tf.zeros_like(self.centre.value))
        flow = tfb.Chain(
            [
                tfb.Shift(self.centre.value),
                tfb.Scale(self.spread.value),
                Moving(self._forward, self._inverse),
            ]
        )
        return shaped(tfd.TransformedDistribution(base, flow), code_shape)

    def sample(self, noise: Noise, batch: Any, *code_shape: int) -> tf.Tensor:
        """Draws by one pass of the flow, (batch, *code) float32."""
        code, _ = self._forward(noise.normal(batch, math.prod(code_shape)))
        return tf.reshape(self.centre.value + self.spread.value * code, (-1, *code_shape))

    def fit(self, codes: np.ndarray, seed: int = 0) -> None:
        """Train the flow on codes.

        Args:
            codes: (rows, *code).
            seed: of the batches, and of the codes that are held out.
        """
        rows = as_rows(codes, 2).astype(np.float32)
        if not self.built:
            self.build((None, *codes.shape[1:]))
        self.centre.assign(rows.mean(axis=0))
        self.spread.assign(scales(rows))
        report = maximise(
            lambda batch: self.distribution(rows.shape[1]).log_prob(batch),
            self.trainable_variables,
            rows,
            steps=self.steps,
            seed=seed,
        )
        self.found(report=report)

    def _forward(self, code: tf.Tensor) -> Moved:
        total = tf.reduce_sum(tf.zeros_like(code), axis=-1)
        for coupling in self.couplings:
            code, log_det = coupling.forward(code)
            total += log_det
        return code, total

    def _inverse(self, code: tf.Tensor) -> Moved:
        total = tf.reduce_sum(tf.zeros_like(code), axis=-1)
        for coupling in reversed(self.couplings):
            code, log_det = coupling.inverse(code)
            total += log_det
        return code, total

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "layers": self.layers,
            "hidden": self.hidden,
            "steps": self.steps,
        }
